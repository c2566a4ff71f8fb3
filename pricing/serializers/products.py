from typing import Any

from rest_framework import serializers

from billing_site.foundation.fields import CodeField, InstantField, NumberField, TextField, text_map, texts
from pricing import services
from pricing.models import Product, ProductVersion
from pricing.serializers.common import OPTIONAL, given

# What the compatible API lets a product have beyond this server, unless it is given at its default.
UNSUPPORTED_UNLESS: dict[str, Any] = {
    "composite_product_ids": [],
    "composite_tags": [],
    "exclude_free_usage": False,
    "include_composite_spend": False,
    "is_refundable": True,
    "netsuite_internal_item_id": "",
    "netsuite_overage_item_id": "",
}


class QuantityConversionShape(serializers.Serializer):
    conversion_factor = NumberField()
    operation = CodeField(ProductVersion.Operation.values)
    name = serializers.CharField(allow_blank=True, **OPTIONAL)


class QuantityRoundingShape(serializers.Serializer):
    decimal_places = serializers.IntegerField()
    rounding_method = CodeField(ProductVersion.Rounding.values)


class ProductCreate(serializers.Serializer):
    name = serializers.CharField()
    type = CodeField([*Product.Type.values, "PROFESSIONAL_SERVICE"])
    billable_metric_id = serializers.UUIDField(help_text="For USAGE products, and needed there.", **OPTIONAL)
    pricing_group_key = texts(help_text="The properties whose values choose the price.", **OPTIONAL)
    presentation_group_key = texts(help_text="The properties whose values split invoice lines.", **OPTIONAL)
    quantity_conversion = QuantityConversionShape(**OPTIONAL)
    quantity_rounding = QuantityRoundingShape(**OPTIONAL)
    tags = texts(**OPTIONAL)
    custom_fields = text_map(**OPTIONAL)
    composite_product_ids = texts(help_text="Not supported.", **OPTIONAL)
    composite_tags = texts(help_text="Not supported.", **OPTIONAL)
    exclude_free_usage = serializers.BooleanField(help_text="Not supported unless false.", **OPTIONAL)
    include_composite_spend = serializers.BooleanField(help_text="Not supported unless false.", **OPTIONAL)
    is_refundable = serializers.BooleanField(help_text="Not supported unless true.", **OPTIONAL)
    netsuite_internal_item_id = TextField(allow_blank=True, help_text="Not supported.", **OPTIONAL)
    netsuite_overage_item_id = TextField(allow_blank=True, help_text="Not supported.", **OPTIONAL)

    def arguments(self) -> dict[str, Any]:
        """What was sent, as `create_product` takes it."""
        sent = given(self.validated_data)
        asked_for = {name: sent.pop(name) for name in UNSUPPORTED_UNLESS if name in sent}
        if "quantity_conversion" in sent:
            sent["quantity_conversion"] = services.QuantityConversion(**given(sent["quantity_conversion"]))
        if "quantity_rounding" in sent:
            sent["quantity_rounding"] = services.QuantityRounding(**sent["quantity_rounding"])
        if sent["type"] == "PROFESSIONAL_SERVICE":
            sent["type"] = Product.Type.PRO_SERVICE.value
        unsupported = {name: value for name, value in asked_for.items() if value != UNSUPPORTED_UNLESS[name]}
        return {**sent, "unsupported": unsupported}


class ProductId(serializers.Serializer):
    product_id = serializers.UUIDField()


class ProductList(serializers.Serializer):
    archive_filter = CodeField(["NOT_ARCHIVED", "ARCHIVED", "ALL"], default="NOT_ARCHIVED")


class ProductStateReply(serializers.Serializer):
    created_at = InstantField()
    created_by = serializers.CharField()
    name = serializers.CharField()
    starting_at = InstantField(required=False)
    billable_metric_id = serializers.UUIDField(required=False)
    pricing_group_key = texts(required=False)
    presentation_group_key = texts(required=False)
    quantity_conversion = QuantityConversionShape(required=False)
    quantity_rounding = QuantityRoundingShape(required=False)
    tags = texts()


class ProductUpdateReply(ProductStateReply):
    """What an update named."""

    name = serializers.CharField(required=False)
    tags = texts(required=False)


class ProductReply(serializers.Serializer):
    id = serializers.UUIDField()
    type = serializers.ChoiceField(Product.Type.values)
    initial = ProductStateReply()
    current = ProductStateReply()
    updates = ProductUpdateReply(many=True)
    custom_fields = text_map()
    archived_at = InstantField(required=False)
