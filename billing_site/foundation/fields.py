"""Serializer fields of the compatible API: what its clients send, read exactly and told apart from mistakes."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing_site.foundation.periods import parse_instant


class Shape(serializers.Serializer):
    """What comes in. A list of them may be null where it says so; none of its items may."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is None and isinstance(self.parent, serializers.ListSerializer):  # which shares its options with us
            self.fail("null")
        return super().run_validation(data)


@extend_schema_field({"type": "string", "format": "date-time"})
class InstantField(serializers.Field):
    """RFC 3339; no zone means UTC, a bare date its first instant."""

    def to_internal_value(self, data: Any) -> datetime:
        try:
            if isinstance(data, str):
                return parse_instant(data)
        except ValueError:
            pass
        raise serializers.ValidationError("must be an RFC 3339 instant such as 2025-10-01T00:00:00Z")

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "number"})
class NumberField(serializers.Field):
    """A JSON number, or its digits as text, without passing through a float."""

    def to_internal_value(self, data: Any) -> Decimal:
        try:
            if isinstance(data, (int, Decimal, str)) and not isinstance(data, bool):
                number = Decimal(data)
                if number.is_finite():
                    return number
        except InvalidOperation:
            pass
        raise serializers.ValidationError("must be a number")

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "integer", "minimum": 1})
class LimitField(serializers.Field):
    """How many rows a page has; 20.0 is 20."""

    default_error_messages = {"invalid": "must be a whole number from 1 to {maximum}"}

    def __init__(self, *, default: int, maximum: int = 100) -> None:
        self.maximum = maximum
        super().__init__(default=default)

    def to_internal_value(self, data: Any) -> int:
        number = NumberField().run_validation(data)
        if number != int(number) or not 1 <= number <= self.maximum:
            self.fail("invalid", maximum=self.maximum)
        return int(number)

    def to_representation(self, value: int) -> int:
        return value


class CodeField(serializers.ChoiceField):
    """One of a few capital words, accepted in any case."""

    def __init__(self, choices: Iterable[str], **options: Any) -> None:
        self.codes = tuple(choices)
        super().__init__(choices=self.codes, **options)

    def to_internal_value(self, data: Any) -> str:
        code = data.upper() if isinstance(data, str) else data
        if isinstance(code, str) and code in self.codes:
            return code
        raise serializers.ValidationError(f"must be one of {', '.join(self.codes)}")


class TextField(serializers.CharField):
    """Text as it was sent: spaces count, numbers are not text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("must be text")
        return super().to_internal_value(data)


def texts(**options: Any) -> serializers.ListField:
    """A list of texts."""
    return serializers.ListField(child=TextField(), **options)


def text_map(**options: Any) -> serializers.DictField:
    """An object of texts: custom fields, group values."""
    return serializers.DictField(child=TextField(allow_blank=True), **options)
