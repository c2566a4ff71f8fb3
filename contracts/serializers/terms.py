"""Terms as they are sent: each shape becomes the input of a service."""

from typing import Any

from rest_framework import serializers

from billing_site.foundation.fields import CodeField, InstantField, NumberField, TextField, text_map, texts
from contracts import inputs
from contracts.services.schedules import DISTRIBUTIONS, FREQUENCIES
from pricing.serializers.common import OPTIONAL

BLANK: dict[str, Any] = {**OPTIONAL, "allow_blank": True}


class InputShape(serializers.Serializer):
    """Validates into `becomes`; null is the same as absent."""

    becomes: type

    def to_internal_value(self, data: Any) -> Any:
        sent = super().to_internal_value(data)
        return self.becomes(**plain(sent))


def plain(sent: dict[str, Any]) -> dict[str, Any]:
    """What was sent and is not null, lists as tuples."""
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in sent.items() if value is not None
    }


class SpecifierShape(InputShape):
    becomes = inputs.TargetInput

    product_id = serializers.UUIDField(**OPTIONAL)
    product_tags = texts(help_text="A product must have all of them.", **OPTIONAL)
    pricing_group_values = text_map(help_text="A subset of the values that choose the price.", **OPTIONAL)
    presentation_group_values = text_map(help_text="Values of the dimensions that split lines.", **OPTIONAL)


class OverwriteRateShape(InputShape):
    becomes = inputs.RateInput

    rate_type = CodeField(
        ("FLAT", "PERCENTAGE", "SUBSCRIPTION", "TIERED", "TIERED_PERCENTAGE", "CUSTOM"),
        help_text="FLAT; the others are not supported.",
    )
    price = NumberField(**OPTIONAL)
    credit_type_id = serializers.UUIDField(help_text="The rate card's unit, which is the default.", **OPTIONAL)


class OverrideShape(InputShape):
    becomes = inputs.OverrideInput

    starting_at = InstantField(help_text="On the hour.")
    ending_before = InstantField(help_text="On the hour; absent: open.", **OPTIONAL)
    type = CodeField(("MULTIPLIER", "OVERWRITE", "TIERED"), help_text="TIERED is not supported.", **OPTIONAL)
    multiplier = NumberField(help_text="0.5 is half the list price.", **OPTIONAL)
    overwrite_rate = OverwriteRateShape(**OPTIONAL)
    priority = NumberField(help_text="Where multipliers are ranked explicitly: the lowest holds.", **OPTIONAL)
    entitled = serializers.BooleanField(**OPTIONAL)
    product_id = serializers.UUIDField(**OPTIONAL)
    applicable_product_tags = texts(help_text="A product must have any of them.", **OPTIONAL)
    override_specifiers = SpecifierShape(
        many=True, help_text="Any of them. Without a target the override is on all products.", **OPTIONAL
    )


class SegmentShape(InputShape):
    becomes = inputs.SegmentInput

    amount = NumberField()
    starting_at = InstantField(help_text="On the hour.")
    ending_before = InstantField(help_text="On the hour.")


class AccessScheduleShape(InputShape):
    becomes = inputs.AccessScheduleInput

    schedule_items = SegmentShape(many=True)
    credit_type_id = serializers.UUIDField(help_text="The rate card's unit, which is the default.", **OPTIONAL)


class InvoiceItemShape(InputShape):
    becomes = inputs.InvoiceItemInput

    timestamp = InstantField()
    amount = NumberField(help_text="Or unit_price and quantity.", **OPTIONAL)
    unit_price = NumberField(**OPTIONAL)
    quantity = NumberField(**OPTIONAL)


class RecurringScheduleShape(InputShape):
    becomes = inputs.RecurringScheduleInput

    starting_at = InstantField()
    ending_before = InstantField()
    frequency = CodeField(FREQUENCIES)
    amount_distribution = CodeField(DISTRIBUTIONS)
    amount = NumberField(help_text="Or unit_price and quantity.", **OPTIONAL)
    unit_price = NumberField(**OPTIONAL)
    quantity = NumberField(**OPTIONAL)


class InvoiceScheduleShape(InputShape):
    becomes = inputs.InvoiceScheduleInput

    schedule_items = InvoiceItemShape(many=True, **OPTIONAL)
    recurring_schedule = RecurringScheduleShape(help_text="Instead of items.", **OPTIONAL)
    credit_type_id = serializers.UUIDField(help_text="The rate card's unit, which is the default.", **OPTIONAL)
    do_not_invoice = serializers.BooleanField(help_text="False; what is postpaid is invoiced.", **OPTIONAL)


class CommitShape(InputShape):
    becomes = inputs.CommitInput

    product_id = serializers.UUIDField(help_text="A FIXED product, which names the bill line.")
    type = CodeField(("PREPAID", "POSTPAID"), help_text="PREPAID is not supported yet.")
    access_schedule = AccessScheduleShape(help_text="Exactly one item.", **OPTIONAL)
    invoice_schedule = InvoiceScheduleShape(help_text="Exactly one item: the true-up.", **OPTIONAL)
    name = TextField(**BLANK)
    description = TextField(**BLANK)
    priority = NumberField(help_text="The lowest is drawn first; 100 by default.", **OPTIONAL)
    applicable_product_ids = serializers.ListField(child=serializers.UUIDField(), **OPTIONAL)
    applicable_product_tags = texts(**OPTIONAL)
    specifiers = SpecifierShape(many=True, **OPTIONAL)
    custom_fields = text_map(**OPTIONAL)


class ScheduledChargeShape(InputShape):
    becomes = inputs.ScheduledChargeInput

    product_id = serializers.UUIDField(help_text="A FIXED product, which names the bill line.")
    schedule = InvoiceScheduleShape()
    name = TextField(**BLANK)
    custom_fields = text_map(**OPTIONAL)


class StatementScheduleShape(InputShape):
    becomes = inputs.StatementScheduleInput

    frequency = CodeField(("WEEKLY", "MONTHLY", "QUARTERLY", "ANNUAL"))
    day = CodeField(("FIRST_OF_MONTH", "CONTRACT_START", "CUSTOM_DATE"), **OPTIONAL)
    billing_anchor_date = InstantField(help_text="For CUSTOM_DATE: billing periods are counted from here.", **OPTIONAL)


class IdShape(serializers.Serializer):
    """`{"id": …}`; validates into the id."""

    id = serializers.UUIDField()

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data)["id"]
