from rest_framework import serializers

from billing_site.foundation.fields import InstantField, NumberField, text_map
from pricing.serializers.common import OPTIONAL, UnitRefReply


class AliasShape(serializers.Serializer):
    name = serializers.CharField()
    starting_at = InstantField(help_text="On the hour; absent: since ever.", **OPTIONAL)
    ending_before = InstantField(help_text="On the hour; absent: open.", **OPTIONAL)


class ConversionShape(serializers.Serializer):
    custom_credit_type_id = serializers.UUIDField()
    fiat_per_custom_credit = NumberField()


class RateCardCreate(serializers.Serializer):
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True, **OPTIONAL)
    fiat_credit_type_id = serializers.UUIDField(help_text="A currency; USD by default.", **OPTIONAL)
    aliases = AliasShape(many=True, **OPTIONAL)
    credit_type_conversions = ConversionShape(many=True, help_text="Not supported unless empty.", **OPTIONAL)
    custom_fields = text_map(**OPTIONAL)


class ConversionReply(serializers.Serializer):
    custom_credit_type = UnitRefReply()
    fiat_per_custom_credit = serializers.CharField()


class RateCardReply(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    created_at = InstantField()
    created_by = serializers.CharField()
    fiat_credit_type = UnitRefReply()
    aliases = AliasShape(many=True)
    credit_type_conversions = ConversionReply(many=True)
    custom_fields = text_map()
