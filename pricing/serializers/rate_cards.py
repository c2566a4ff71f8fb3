from rest_framework import serializers

from billing_site.foundation.fields import InstantField, NumberField, Shape, text_map
from pricing.serializers.common import OPTIONAL, UnitRefReply


class AliasShape(Shape):
    name = serializers.CharField()
    starting_at = InstantField(help_text="On the hour; absent: since ever.", **OPTIONAL)
    ending_before = InstantField(help_text="On the hour; absent: open.", **OPTIONAL)


class ConversionShape(Shape):
    custom_credit_type_id = serializers.UUIDField(help_text="A custom pricing unit.")
    fiat_per_custom_credit = NumberField(help_text="In the rate card's currency; USD in cents. Above 0.")


class RateCardCreate(serializers.Serializer):
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True, **OPTIONAL)
    fiat_credit_type_id = serializers.UUIDField(help_text="A currency; USD by default.", **OPTIONAL)
    aliases = AliasShape(many=True, **OPTIONAL)
    credit_type_conversions = ConversionShape(many=True, help_text="What custom pricing units are worth.", **OPTIONAL)
    custom_fields = text_map(**OPTIONAL)


class RateCardGet(serializers.Serializer):
    id = serializers.UUIDField()
    as_of = InstantField(
        help_text="What was known then of aliases and conversions; not later than now, which is the default.",
        **OPTIONAL,
    )


class RateCardUpdate(serializers.Serializer):
    rate_card_id = serializers.UUIDField()
    name = serializers.CharField(**OPTIONAL)
    description = serializers.CharField(allow_blank=True, **OPTIONAL)
    aliases = AliasShape(many=True, help_text="More names; another card that has one loses it.", **OPTIONAL)
    add_credit_type_conversions = ConversionShape(many=True, help_text="Added, never changed.", **OPTIONAL)


class ProductOrderSet(serializers.Serializer):
    rate_card_id = serializers.UUIDField()
    product_order = serializers.ListField(child=serializers.UUIDField(), help_text="Each product of the card, once.")


class ProductMoveShape(serializers.Serializer):
    product_id = serializers.UUIDField()
    position = NumberField(help_text="From 0; where the product stands when all moves are done.")


class ProductOrderUpdate(serializers.Serializer):
    rate_card_id = serializers.UUIDField()
    product_moves = ProductMoveShape(many=True)


class ConversionReply(serializers.Serializer):
    custom_credit_type = UnitRefReply()
    fiat_per_custom_credit = serializers.CharField(help_text="A number, as text.")


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
