from typing import Any

from rest_framework import serializers

from billing_site.foundation.fields import CodeField, InstantField, NumberField, TextField, text_map, texts
from pricing import services
from pricing.models import Product, ProductVersion
from pricing.serializers.common import OPTIONAL, as_of_field, given


class QuantityConversionShape(serializers.Serializer):
    conversion_factor = NumberField()
    operation = CodeField(ProductVersion.Operation.values)
    name = serializers.CharField(allow_blank=True, **OPTIONAL)


class QuantityRoundingShape(serializers.Serializer):
    decimal_places = serializers.IntegerField()
    rounding_method = CodeField(ProductVersion.Rounding.values)


class Definition(serializers.Serializer):
    """What a product is from some instant on."""

    billable_metric_id = serializers.UUIDField(help_text="For USAGE products, and needed there.", **OPTIONAL)
    pricing_group_key = texts(help_text="The properties whose values choose the price.", **OPTIONAL)
    presentation_group_key = texts(help_text="The properties whose values split invoice lines.", **OPTIONAL)
    quantity_conversion = QuantityConversionShape(**OPTIONAL)
    quantity_rounding = QuantityRoundingShape(**OPTIONAL)
    tags = texts(**OPTIONAL)
    composite_product_ids = serializers.ListField(
        child=serializers.UUIDField(),
        help_text="For COMPOSITE products: what they are a share of.",
        **OPTIONAL,
    )
    composite_tags = texts(help_text="For COMPOSITE products: or all products with any of these tags.", **OPTIONAL)
    exclude_free_usage = serializers.BooleanField(help_text="Leave lines of zero out of the base.", **OPTIONAL)
    include_composite_spend = serializers.BooleanField(help_text="Take composites into the base.", **OPTIONAL)
    is_refundable = serializers.BooleanField(**OPTIONAL)
    netsuite_internal_item_id = TextField(allow_blank=True, **OPTIONAL)
    netsuite_overage_item_id = TextField(allow_blank=True, **OPTIONAL)
    sql_breakdown_granularity = CodeField(
        ["HOUR", "SERVICE_PERIOD"],
        help_text="Of metrics defined by SQL, which there are none of: no effect.",
        **OPTIONAL,
    )

    def definition(self) -> dict[str, Any]:
        """What was sent, as the services take it; of conversion and rounding null is kept, which takes them away."""
        sent = {
            name: value
            for name, value in self.validated_data.items()
            if value is not None or name in ("quantity_conversion", "quantity_rounding")
        }
        sent.pop("sql_breakdown_granularity", None)
        if sent.get("quantity_conversion"):
            sent["quantity_conversion"] = services.QuantityConversion(**given(sent["quantity_conversion"]))
        if sent.get("quantity_rounding"):
            sent["quantity_rounding"] = services.QuantityRounding(**sent["quantity_rounding"])
        return sent


class ProductCreate(Definition):
    name = serializers.CharField()
    type = CodeField([*Product.Type.values, "PROFESSIONAL_SERVICE"])
    custom_fields = text_map(**OPTIONAL)

    def arguments(self) -> dict[str, Any]:
        """What was sent, as `create_product` takes it."""
        sent = self.definition()
        if sent["type"] == "PROFESSIONAL_SERVICE":
            sent["type"] = Product.Type.PRO_SERVICE.value
        return sent


class ProductUpdate(Definition):
    product_id = serializers.UUIDField()
    starting_at = InstantField(help_text="On the hour; past or future.")
    name = serializers.CharField(**OPTIONAL)


class ProductId(serializers.Serializer):
    product_id = serializers.UUIDField()


class ProductGet(serializers.Serializer):
    id = serializers.UUIDField()
    as_of = as_of_field()


class ProductList(serializers.Serializer):
    as_of = as_of_field()
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
    composite_product_ids = texts(required=False)
    composite_tags = texts(required=False)
    exclude_free_usage = serializers.BooleanField(required=False)
    include_composite_spend = serializers.BooleanField(required=False)
    is_refundable = serializers.BooleanField()
    netsuite_internal_item_id = serializers.CharField(required=False)
    netsuite_overage_item_id = serializers.CharField(required=False)
    tags = texts()


class ProductUpdateReply(ProductStateReply):
    """What an update named, also where that is empty."""

    name = serializers.CharField(required=False)
    quantity_conversion = QuantityConversionShape(required=False, allow_null=True)
    quantity_rounding = QuantityRoundingShape(required=False, allow_null=True)
    is_refundable = serializers.BooleanField(required=False)
    tags = texts(required=False)


class ProductReply(serializers.Serializer):
    id = serializers.UUIDField()
    type = serializers.ChoiceField(Product.Type.values)
    initial = ProductStateReply()
    current = ProductStateReply()
    updates = ProductUpdateReply(many=True)
    custom_fields = text_map()
    archived_at = InstantField(required=False)
