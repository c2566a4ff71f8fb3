from rest_framework import serializers

from billing_site.foundation.fields import CodeField, InstantField, NumberField, Shape, TextField, text_map, texts
from pricing.engine.tariffs import RATE_TYPES
from pricing.models.rates import FREQUENCIES
from pricing.serializers.common import OPTIONAL, InputShape, UnitRefReply, as_of_field
from pricing.services.rate_checks import CommitRate
from pricing.services.tariffs import TierInput

TYPES_SENT = (*RATE_TYPES, "CUSTOM")


class TierShape(InputShape):
    becomes = TierInput

    price = NumberField(help_text="For one unit; of percentages a fraction.")
    size = NumberField(help_text="How many units the tier is wide; absent on the last.", **OPTIONAL)
    flat_fee = NumberField(help_text="Owed once a period when the tier is entered.", **OPTIONAL)


class CommitRateShape(InputShape):
    becomes = CommitRate

    rate_type = CodeField(TYPES_SENT, help_text="One for USAGE products.")
    price = NumberField(**OPTIONAL)
    tiers = TierShape(many=True, **OPTIONAL)
    package_size = NumberField(**OPTIONAL)


class RateItem(serializers.Serializer):
    product_id = serializers.UUIDField()
    rate_type = CodeField(TYPES_SENT, help_text="CUSTOM is not supported.")
    price = NumberField(help_text="In the pricing unit; USD in cents.", **OPTIONAL)
    starting_at = InstantField(help_text="On the hour.")
    ending_before = InstantField(help_text="On the hour; absent: open.", **OPTIONAL)
    entitled = serializers.BooleanField(help_text="Whether a contract bills the product without saying so.")
    pricing_group_values = text_map(help_text="A value for each of the product's pricing group keys.", **OPTIONAL)
    credit_type_id = serializers.UUIDField(
        help_text="By default the rate card's currency; a custom unit needs a conversion on the card.", **OPTIONAL
    )
    billing_frequency = CodeField(FREQUENCIES, help_text="For SUBSCRIPTION products.", **OPTIONAL)
    commit_rate = CommitRateShape(help_text="While a balance pays that asks for it.", **OPTIONAL)
    custom_rate = serializers.DictField(help_text="For CUSTOM, which is not supported.", **OPTIONAL)
    is_prorated = serializers.BooleanField(help_text="For SUBSCRIPTION: true.", **OPTIONAL)
    quantity = NumberField(help_text="For SUBSCRIPTION.", **OPTIONAL)
    tiers = TierShape(many=True, help_text="For TIERED, VOLUME and TIERED_PERCENTAGE.", **OPTIONAL)
    package_size = NumberField(help_text="For PACKAGE: how many units one price buys.", **OPTIONAL)


class RateAdd(RateItem):
    rate_card_id = serializers.UUIDField()


class RateAddMany(serializers.Serializer):
    rate_card_id = serializers.UUIDField()
    rates = RateItem(many=True)


class ScheduleSelectorShape(Shape):
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
    as_of = as_of_field()


class RateSchedule(serializers.Serializer):
    rate_card_id = serializers.UUIDField()
    starting_at = InstantField()
    ending_before = InstantField(**OPTIONAL)
    selectors = ScheduleSelectorShape(many=True, **OPTIONAL)
    as_of = as_of_field()


class PageQuery(serializers.Serializer):
    limit = serializers.IntegerField(min_value=1, max_value=100, default=100)
    next_page = TextField(required=False)


class TierReply(serializers.Serializer):
    price = NumberField()
    size = NumberField(required=False)
    flat_fee = NumberField(required=False)


class CommitRateReply(serializers.Serializer):
    rate_type = serializers.ChoiceField(RATE_TYPES)
    price = NumberField(required=False)
    tiers = TierReply(many=True, required=False)
    package_size = NumberField(required=False)


class RateReply(CommitRateReply):
    quantity = NumberField(required=False)
    is_prorated = serializers.BooleanField(required=False)
    credit_type = UnitRefReply()
    pricing_group_values = text_map(required=False)


class AddedRateReply(RateReply):
    commit_rate = CommitRateReply(required=False)
    rate_id = serializers.UUIDField(help_text="Ours: what to withdraw it by.")


class PriceRowReply(serializers.Serializer):
    entitled = serializers.BooleanField()
    product_id = serializers.UUIDField()
    product_name = serializers.CharField()
    product_tags = texts()
    product_custom_fields = text_map()
    rate = RateReply()
    commit_rate = CommitRateReply(required=False)
    rate_id = serializers.UUIDField(help_text="Ours: what to withdraw it by.")
    publication = serializers.IntegerField(help_text="Ours: by which the rate became known.")
    starting_at = InstantField()
    ending_before = InstantField(required=False)
    billing_frequency = serializers.ChoiceField(FREQUENCIES, required=False)
    pricing_group_values = text_map(required=False)


class RateScheduleReply(serializers.Serializer):
    data = PriceRowReply(many=True)  # type: ignore[assignment]  # a field, whatever Serializer.data is
    next_page = TextField(allow_null=True)
