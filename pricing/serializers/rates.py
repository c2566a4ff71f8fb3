from rest_framework import serializers

from billing_site.foundation.fields import CodeField, InstantField, NumberField, TextField, text_map, texts
from pricing.serializers.common import OPTIONAL, UnitRefReply

RATE_TYPES = ("FLAT", "PERCENTAGE", "SUBSCRIPTION", "TIERED", "TIERED_PERCENTAGE", "CUSTOM")
FREQUENCIES = ("WEEKLY", "MONTHLY", "QUARTERLY", "ANNUAL")


class RateItem(serializers.Serializer):
    product_id = serializers.UUIDField()
    rate_type = CodeField(RATE_TYPES, help_text="FLAT; the others are not supported.")
    price = NumberField(help_text="In the rate card's currency; USD in cents.", **OPTIONAL)
    starting_at = InstantField(help_text="On the hour.")
    ending_before = InstantField(help_text="On the hour; absent: open.", **OPTIONAL)
    entitled = serializers.BooleanField(help_text="Whether a contract bills the product without saying so.")
    pricing_group_values = text_map(help_text="A value for each of the product's pricing group keys.", **OPTIONAL)
    credit_type_id = serializers.UUIDField(help_text="By default the rate card's currency.", **OPTIONAL)
    billing_frequency = CodeField(FREQUENCIES, help_text="Not supported.", **OPTIONAL)
    commit_rate = serializers.DictField(help_text="Not supported.", **OPTIONAL)
    custom_rate = serializers.DictField(help_text="Not supported.", **OPTIONAL)
    is_prorated = serializers.BooleanField(help_text="Not supported.", **OPTIONAL)
    quantity = NumberField(help_text="Not supported.", **OPTIONAL)
    tiers = serializers.ListField(child=serializers.DictField(), help_text="Not supported.", **OPTIONAL)


class RateAdd(RateItem):
    rate_card_id = serializers.UUIDField()


class RateAddMany(serializers.Serializer):
    rate_card_id = serializers.UUIDField()
    rates = RateItem(many=True)


class ScheduleSelectorShape(serializers.Serializer):
    product_id = serializers.UUIDField(**OPTIONAL)
    pricing_group_values = text_map(**OPTIONAL)
    partial_pricing_group_values = text_map(**OPTIONAL)
    billing_frequency = CodeField(FREQUENCIES, **OPTIONAL)


class RateSelectorShape(ScheduleSelectorShape):
    product_tags = texts(**OPTIONAL)


class RateList(serializers.Serializer):
    rate_card_id = serializers.UUIDField()
    at = InstantField()
    selectors = RateSelectorShape(many=True, help_text="A rate is listed if any of them fits.", **OPTIONAL)


class RateSchedule(serializers.Serializer):
    rate_card_id = serializers.UUIDField()
    starting_at = InstantField()
    ending_before = InstantField(**OPTIONAL)
    selectors = ScheduleSelectorShape(many=True, **OPTIONAL)


class PageQuery(serializers.Serializer):
    limit = serializers.IntegerField(min_value=1, max_value=100, default=100)
    next_page = TextField(required=False)


class RateReply(serializers.Serializer):
    rate_type = serializers.ChoiceField(RATE_TYPES)
    price = NumberField()
    credit_type = UnitRefReply()
    pricing_group_values = text_map(required=False)


class PriceRowReply(serializers.Serializer):
    entitled = serializers.BooleanField()
    product_id = serializers.UUIDField()
    product_name = serializers.CharField()
    product_tags = texts()
    product_custom_fields = text_map()
    rate = RateReply()
    starting_at = InstantField()
    ending_before = InstantField(required=False)
    billing_frequency = serializers.ChoiceField(FREQUENCIES, required=False)
    pricing_group_values = text_map(required=False)


class RateScheduleReply(serializers.Serializer):
    data = PriceRowReply(many=True)  # type: ignore[assignment]  # a field, whatever Serializer.data is
    next_page = TextField(allow_null=True)
