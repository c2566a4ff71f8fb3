"""Naming what is wrong with a body that msgspec would not take: slower, in words, for every event.

Nothing here decides whether a body is good; it has been refused already.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from billing_site.foundation.refusals import FieldError
from ledger.metering import encode
from ledger.services.ingest.events import (
    COUNT_RULE,
    DIGIT_RULE,
    ID_RULE,
    INSTANT_RULE,
    LEVEL_RULE,
    MAX_DIGITS,
    MAX_ID_BYTES,
    MAX_LEVELS,
    MAX_PROPERTIES,
    MAX_TYPE_BYTES,
    TYPE_RULE,
    SentEvent,
    checked,
    number,
)

# Reading a body in full takes up to a hundred bytes for each of these; ten thousand honest events have fewer.
TOKENS_WORTH_READING = 700_000
SURROGATE_RULE = "must be text without lone surrogates"
FIELDS = {
    "customer_id": (ID_RULE, MAX_ID_BYTES),
    "transaction_id": (ID_RULE, MAX_ID_BYTES),
    "event_type": (TYPE_RULE, MAX_TYPE_BYTES),
    "timestamp": (INSTANT_RULE, 10_000),
}


class _BadNumber:
    """A number that is none of ours, kept until its place is known."""

    def __init__(self, text: str, rule: str) -> None:
        self.text = text
        self.rule = rule


def refusals(body: bytes, complaint: str, *, at: datetime) -> tuple[list[FieldError], int]:
    """What is wrong, and how many events there are. `complaint` is what the decoder said."""
    if body.count(b",") + body.count(b"[") + body.count(b"{") > TOKENS_WORTH_READING:
        return [FieldError("body", f"{len(body)} bytes", f"must be an array of events: {complaint}")], 0
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        near = body[max(0, error.start - 20) : error.start + 20]
        return [FieldError("body", near, f"must be UTF-8, and byte {error.start} is not")], 0
    if text.startswith("\ufeff"):
        return [FieldError("body", "U+FEFF", "must not begin with a byte order mark")], 0
    try:
        items = json.loads(text, parse_constant=_constant, parse_int=_integer, parse_float=_float)
    except RecursionError:
        return [FieldError("body", "…", LEVEL_RULE)], 0
    except json.JSONDecodeError as error:
        around = text[max(0, error.pos - 20) : error.pos + 20]
        return [FieldError("body", around, f"must be JSON: {error.msg} at character {error.pos}")], 0
    if not isinstance(items, list):
        return [FieldError("body", type(items).__name__, "must be an array of events")], 0
    errors = [error for index, item in enumerate(items) for error in _problems(index, item, at)]
    return errors or [FieldError("body", "", f"must be JSON: {complaint}")], len(items)


def _problems(index: int, item: Any, at: datetime) -> list[FieldError]:
    if not isinstance(item, dict):
        return [FieldError(f"[{index}]", item, "must be an object")]
    found = [FieldError(f"[{index}].{path}", value, rule) for path, value, rule in _wrong_fields(item)]
    if found:
        return found
    # What is left are rules that need the right types: the time, bytes, U+0000, the size.
    properties = msgspec.Raw(encode(item.get("properties")))
    return checked(
        [SentEvent(**{name: item[name] for name in FIELDS}, properties=properties)], at=at, first_index=index
    )[1]


def _wrong_fields(item: dict[str, Any]) -> Iterator[tuple[str, object, str]]:
    for name, (rule, limit) in FIELDS.items():
        if name not in item:
            yield name, None, "is required"
            continue
        value = item[name]
        if isinstance(value, _BadNumber):
            value = value.text
            yield name, value, rule
        elif not isinstance(value, str) or not 1 <= len(value) <= limit:
            yield name, value, rule
        elif _has_surrogate(value):
            yield name, value, SURROGATE_RULE
    properties = item.get("properties")
    if properties is None:
        return
    if not isinstance(properties, dict):
        yield "properties", properties, "must be an object"
        return
    if len(properties) > MAX_PROPERTIES:
        yield "properties", f"{len(properties)} properties", COUNT_RULE
    yield from _wrong_values("properties", properties, 1)


def _wrong_values(path: str, value: Any, level: int) -> Iterator[tuple[str, object, str]]:
    if isinstance(value, _BadNumber):
        yield path, value.text, value.rule
    elif isinstance(value, str):
        if _has_surrogate(value):
            yield path, value, SURROGATE_RULE
    elif isinstance(value, (dict, list)):
        if level > MAX_LEVELS:
            yield path, "…", LEVEL_RULE
            return
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(name, str) and _has_surrogate(name):
                yield f"{path}.(name)", name, SURROGATE_RULE
            yield from _wrong_values(
                f"{path}.{name}" if isinstance(value, dict) else f"{path}[{name}]", item, level + 1
            )


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _constant(text: str) -> Any:
    return _BadNumber(text, "must be a finite number")


def _integer(text: str) -> Any:
    return int(text) if len(text) <= MAX_DIGITS else _BadNumber(text, DIGIT_RULE)


def _float(text: str) -> Any:
    try:
        return number(text)
    except ValueError as error:
        return _BadNumber(text, str(error))
