"""Inputs of services as JSON and back, digit for digit: what is to be asked for later is kept as it was asked."""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from billing_site.foundation.periods import format_instant, parse_instant
from contracts.offsets import Offset

T = TypeVar("T")


def stored(value: Any) -> Any:
    """`value` as JSON: numbers as their digits, and of an input what differs from its defaults."""
    if isinstance(value, Offset):
        return {"unit": value.unit, "value": value.value}
    if is_dataclass(value) and not isinstance(value, type):
        given = ((each.name, each.default, getattr(value, each.name)) for each in fields(value))
        return {name: stored(held) for name, default, held in given if held != default}
    if isinstance(value, Mapping):
        return {name: stored(held) for name, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [stored(each) for each in value]
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, UUID):
        return str(value)
    return format_instant(value) if isinstance(value, datetime) else value


def read(kind: type[T], value: Mapping[str, Any]) -> T:
    """The input of class `kind` that was stored as `value`."""
    hints = _hints(kind)  # type: ignore[arg-type]  # a class has a hash
    return kind(**{name: _read(hints[name], held) for name, held in value.items()})


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, value: Any) -> Any:
    if value is None or isinstance(value, datetime):
        return value
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):  # with None or UNCHANGED, which are not stored
        return _read(get_args(kind)[0], value)
    if origin is tuple:
        return tuple(_read(get_args(kind)[0], each) for each in value)
    if origin is not None:
        return dict(value)
    if kind is Decimal or kind is UUID:
        return kind(value)
    if kind is datetime:
        return parse_instant(value)
    return read(kind, value) if isinstance(kind, type) and is_dataclass(kind) else value
