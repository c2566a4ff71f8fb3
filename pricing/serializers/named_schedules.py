from typing import Any

from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from billing_site.foundation.fields import InstantField, TextField
from pricing.serializers.common import OPTIONAL, as_of_field


@extend_schema_field({})
class AnyField(serializers.Field):
    """Any JSON value, as it was sent."""

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class NamedScheduleGet(serializers.Serializer):
    rate_card_id = serializers.UUIDField()
    schedule_name = TextField()
    covering_date = InstantField(help_text="Only what holds then.", **OPTIONAL)
    as_of = as_of_field()


class NamedScheduleUpdate(serializers.Serializer):
    rate_card_id = serializers.UUIDField()
    schedule_name = TextField()
    value = AnyField(allow_null=True)
    starting_at = InstantField(help_text="On the hour.")
    ending_before = InstantField(help_text="On the hour; absent: open.", **OPTIONAL)


class NamedValueReply(serializers.Serializer):
    value = AnyField()
    starting_at = InstantField()
    ending_before = InstantField(required=False)


SCHEDULE_REPLY = inline_serializer("NamedScheduleEnvelope", {"data": NamedValueReply(many=True)})
