"""Shapes that many calls share."""

from collections.abc import Callable
from functools import cache
from typing import Any

from drf_spectacular.utils import extend_schema_serializer, inline_serializer
from rest_framework import serializers

from billing_site.foundation.fields import InstantField, Shape

OPTIONAL: dict[str, Any] = {"required": False, "allow_null": True}


@extend_schema_serializer(component_name="Id")
class IdRequest(serializers.Serializer):
    id = serializers.UUIDField()


def as_of_field() -> InstantField:
    return InstantField(help_text="What was known then; not later than now, which is the default.", **OPTIONAL)


class IdReply(serializers.Serializer):
    id = serializers.UUIDField()


class UnitRefReply(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()


@cache
def enveloped(reply: type[serializers.Serializer]) -> serializers.Serializer:
    """`{"data": …}`, for the OpenAPI document."""
    return inline_serializer(f"{reply.__name__}Envelope", {"data": reply()})


def page_of(reply: type[serializers.Serializer], *, cursor: str = "next_page") -> serializers.Serializer:
    """A page of a list, for the OpenAPI document. The cursor is null on the last page."""
    fields = {"data": reply(many=True), cursor: serializers.CharField(allow_null=True)}
    return inline_serializer(f"{reply.__name__}Page", fields)


def given(validated: dict[str, Any]) -> dict[str, Any]:
    """What was sent and is not null."""
    return {name: value for name, value in validated.items() if value is not None}


class InputShape(Shape):
    """Validates into `becomes`; null is the same as absent."""

    becomes: Callable[..., Any]

    def to_internal_value(self, data: Any) -> Any:
        sent = super().to_internal_value(data)
        return self.becomes(**plain(sent))


def plain(sent: dict[str, Any]) -> dict[str, Any]:
    """What was sent and is not null, lists as tuples."""
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in sent.items() if value is not None
    }
