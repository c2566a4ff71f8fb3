"""How subscriptions, their quantities and seats are shown; for the OpenAPI document."""

from rest_framework import serializers

from billing_site.foundation.fields import InstantField, NumberField, text_map, texts
from pricing.serializers.common import UnitRefReply


class InstantsReply(serializers.Serializer):
    starting_at = InstantField()
    ending_before = InstantField(required=False)


class BillingPeriodsReply(serializers.Serializer):
    previous = InstantsReply(required=False)
    current = InstantsReply(required=False)
    next = InstantsReply(required=False)


class QuantityReply(InstantsReply):
    quantity = NumberField()


class SubscriptionRateReply(serializers.Serializer):
    billing_frequency = serializers.CharField()
    product = UnitRefReply()


class SubscriptionReply(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField(required=False)
    description = serializers.CharField(required=False)
    created_at = InstantField()
    starting_at = InstantField()
    ending_before = InstantField(required=False)
    subscription_rate = SubscriptionRateReply()
    product_custom_fields = text_map()
    collection_schedule = serializers.CharField()
    proration = serializers.DictField(help_text="is_prorated, invoice_behavior, and the rounding, where there is one.")
    billing_cycle_config = serializers.DictField(help_text="anchor_date and invoice_placement.")
    quantity_management_mode = serializers.CharField()
    seat_config = serializers.DictField(required=False, help_text="The seat_group_key.")
    quantity_schedule = QuantityReply(many=True, help_text="What holds now, and what is to come.")
    billing_periods = BillingPeriodsReply()
    custom_fields = text_map()


class SeatsReply(InstantsReply):
    assigned_seat_ids = texts()
    total_quantity = serializers.IntegerField()


class PricedQuantityReply(serializers.Serializer):
    quantity = NumberField()
    unit_price = NumberField()
    total = NumberField()


class QuantityStepReply(serializers.Serializer):
    starting_at = InstantField()
    data = PricedQuantityReply(many=True)  # type: ignore[assignment]  # a field, whatever Serializer.data is


class QuantityHistoryReply(serializers.Serializer):
    subscription_id = serializers.UUIDField()
    fiat_credit_type_id = serializers.UUIDField()
    custom_credit_type_id = serializers.UUIDField(required=False)
    history = QuantityStepReply(many=True)
