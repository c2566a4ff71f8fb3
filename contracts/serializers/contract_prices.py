"""How prices of contracts are shown; for the OpenAPI document."""

from rest_framework import serializers

from billing_site.foundation.fields import InstantField, text_map, texts
from pricing.serializers.rates import CommitRateReply, RateReply


class ContractPriceReply(serializers.Serializer):
    product_id = serializers.UUIDField()
    product_name = serializers.CharField()
    product_tags = texts()
    product_custom_fields = text_map()
    rate_card_id = serializers.UUIDField()
    entitled = serializers.BooleanField(help_text="True: what is not part of the deal is not listed.")
    starting_at = InstantField(help_text="Of the list price.")
    ending_before = InstantField(required=False, help_text="Of the list price.")
    billing_frequency = serializers.CharField(required=False)
    pricing_group_values = text_map(required=False)
    list_rate = RateReply()
    commit_rate = CommitRateReply(required=False, help_text="While a commit or credit of rate type COMMIT_RATE pays.")
    override_rate = RateReply(required=False, help_text="What the contract makes of it, where one rate can say it.")
    override_id = serializers.UUIDField(required=False, help_text="The override that holds; absent: the list price.")
