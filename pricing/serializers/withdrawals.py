from rest_framework import serializers

from billing_site.foundation.fields import TextField
from pricing.serializers.common import OPTIONAL


class RateWithdraw(serializers.Serializer):
    rate_card_id = serializers.UUIDField()
    rate_ids = serializers.ListField(
        child=serializers.UUIDField(), help_text="The `rate_id` of rates of this card; all of them or none."
    )
    reason = TextField(allow_blank=True, help_text="Kept with the price change.", **OPTIONAL)


class WithdrawalReply(serializers.Serializer):
    id = serializers.UUIDField(help_text="Of the rate card.")
    publication = serializers.IntegerField(help_text="From which on the rates were never there.")
