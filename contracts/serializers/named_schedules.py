"""Requests about named schedules of customers and contracts, and how they are shown."""

from rest_framework import serializers

from billing_site.foundation.fields import InstantField, LimitField, TextField, text_map
from pricing.serializers.common import OPTIONAL, as_of_field
from pricing.serializers.named_schedules import AnyField, NamedValueReply


class CustomerScheduleGet(serializers.Serializer):
    customer_id = serializers.UUIDField()
    schedule_name = TextField()
    covering_date = InstantField(help_text="Only what holds then.", **OPTIONAL)
    as_of = as_of_field()


class ContractScheduleGet(CustomerScheduleGet):
    contract_id = serializers.UUIDField()
    properties = text_map(help_text="All of the schedule's properties; none by default.", **OPTIONAL)


class CustomerScheduleUpdate(serializers.Serializer):
    customer_id = serializers.UUIDField()
    schedule_name = TextField()
    value = AnyField(allow_null=True)
    starting_at = InstantField(help_text="On the hour.")
    ending_before = InstantField(help_text="On the hour; absent: open.", **OPTIONAL)


class ContractScheduleUpdate(CustomerScheduleUpdate):
    contract_id = serializers.UUIDField()
    properties = text_map(help_text="What tells schedules of one name apart; none by default.", **OPTIONAL)


class ContractScheduleList(serializers.Serializer):
    customer_id = serializers.UUIDField()
    contract_id = serializers.UUIDField(**OPTIONAL)
    schedule_name = TextField(**OPTIONAL)
    properties = text_map(help_text="Schedules that have at least these.", **OPTIONAL)
    covering_date = InstantField(help_text="Only what holds then.", **OPTIONAL)
    as_of = as_of_field()
    limit = LimitField(default=25)
    next_page = TextField(**OPTIONAL)


class ContractScheduleReply(serializers.Serializer):
    contract_id = serializers.UUIDField()
    schedule_name = serializers.CharField()
    properties = text_map()
    segments = NamedValueReply(many=True)
