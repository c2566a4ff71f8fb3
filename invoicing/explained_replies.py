"""What the explanation of a document gives: each line down to arithmetic, rate, overrides and balances."""

from typing import Any

from rest_framework import serializers

from billing_site.foundation.fields import InstantField, NumberField, text_map, texts
from invoicing.serializers import STATUSES, LineReply
from pricing.serializers.formulas import MadeOfReply

INTERNAL: dict[str, Any] = {"required": False, "help_text": "Internal: absent where the customer is told."}


class ExplainedRateReply(serializers.Serializer):
    id = serializers.UUIDField()
    rate_card_id = serializers.UUIDField()
    rate_card_name = serializers.CharField(**INTERNAL)
    starting_at = InstantField()
    ending_before = InstantField(allow_null=True)
    publication = serializers.IntegerField(**INTERNAL)
    published_at = InstantField(**INTERNAL)
    published_by = serializers.CharField(**INTERNAL)
    reason = serializers.CharField(**INTERNAL)
    formula = MadeOfReply(
        allow_null=True, required=False, help_text="What made its price, where it is stated as a formula; internal."
    )


class ExplainedOverrideReply(serializers.Serializer):
    id = serializers.UUIDField()
    description = serializers.CharField()
    edit_number = serializers.IntegerField(**INTERNAL)
    edited_at = InstantField()
    edited_by = serializers.CharField(**INTERNAL)
    edit_reason = serializers.CharField(**INTERNAL)


class LosingOverrideReply(ExplainedOverrideReply):
    reason = serializers.CharField(help_text="Why it does not hold.")


class TurnReply(serializers.Serializer):
    commit_id = serializers.UUIDField()
    commit_segment_id = serializers.UUIDField()
    name = serializers.CharField()
    type = serializers.ChoiceField(("PREPAID", "POSTPAID", "CREDIT"))
    priority = NumberField()
    pays = serializers.BooleanField(help_text="One before it had nothing left for this part.")
    before_the_next_by = serializers.CharField(allow_null=True, help_text="The rule that puts it before the next one.")


class PartTierReply(serializers.Serializer):
    level = serializers.IntegerField()
    starting_at = NumberField()
    size = NumberField(allow_null=True)


class PartReply(serializers.Serializer):
    starting_at = InstantField()
    ending_before = InstantField()
    billable_metric_id = serializers.UUIDField(allow_null=True)
    metric_quantity = NumberField(help_text="As metered, before conversion.")
    quantity = NumberField()
    amount = NumberField()
    unit_price = NumberField(help_text="Of what `quantity` counts.")
    list_price = NumberField(allow_null=True, help_text="Null where no one price of the list holds for all of it.")
    list_amount = NumberField(allow_null=True, help_text="What the list would have charged.")
    rate_type = serializers.CharField()
    rate_charged = serializers.ChoiceField(("LIST_RATE", "COMMIT_RATE"))
    units_above = NumberField(help_text="Its units are those of the period above this one …")
    units_up_to = NumberField(help_text="… and up to this one.")
    tier = PartTierReply(allow_null=True)
    flat_fee = NumberField(help_text="What of the amount is for entering the tier.")
    package_size = NumberField(allow_null=True)
    period_quantity = NumberField(allow_null=True, help_text="Of the whole period, where the price depends on it.")
    rate_id = serializers.UUIDField()
    publication = serializers.IntegerField(**INTERNAL)
    published_by = serializers.CharField(**INTERNAL)
    override_id = serializers.UUIDField(allow_null=True)
    commit_segment_id = serializers.UUIDField(allow_null=True, help_text="Who pays.")
    arithmetic = serializers.CharField()
    explanation = texts(help_text="The same in plain English.")
    rate = ExplainedRateReply()
    override = ExplainedOverrideReply(allow_null=True)
    losing_overrides = LosingOverrideReply(many=True, **INTERNAL)
    balances = TurnReply(many=True, help_text="That are open to it, in the order in which they pay.")


class ShareOfReply(serializers.Serializer):
    name = serializers.CharField()
    amount = NumberField()


class ExplainedLineReply(LineReply):
    unrounded_total = NumberField()
    counts_toward_total = serializers.BooleanField()
    share_of = ShareOfReply(many=True, help_text="What a composite is a percentage of.")
    explanation = texts(help_text="In plain English.")
    parts = PartReply(many=True)


class FindingReply(serializers.Serializer):
    kind = serializers.CharField()
    blocking = serializers.BooleanField()
    message = serializers.CharField()
    starting_at = InstantField()
    ending_before = InstantField(allow_null=True)
    product_id = serializers.UUIDField(allow_null=True)
    group_values = text_map()
    quantity = NumberField()


class ExplanationReply(serializers.Serializer):
    invoice_id = serializers.UUIDField()
    status = serializers.ChoiceField(STATUSES)
    number = serializers.CharField(allow_null=True)
    total = NumberField()
    unrounded_total = NumberField()
    finalizes_at = InstantField(allow_null=True)
    waits_for = serializers.ListField(child=serializers.UUIDField())
    explanation = texts(help_text="In plain English.")
    line_items = ExplainedLineReply(many=True)
    findings = FindingReply(many=True, help_text="Internal: the customer is told none.")


class BehindReply(serializers.Serializer):
    subject = serializers.CharField(help_text="The customer_id that it was sent with.")
    transaction_id = serializers.CharField()
    event_type = serializers.CharField()
    timestamp = InstantField()
    received_at = InstantField()
    properties = serializers.DictField()
    correction = serializers.IntegerField(help_text="How often it was corrected.")
    quantity = NumberField(help_text="Its part of the line; below zero where it was taken back.")
    metric_quantity = NumberField(help_text="Its part of all lines that share what was metered.")


class EventsPageReply(serializers.Serializer):
    data = BehindReply(many=True)  # type: ignore[assignment]  # a field, whatever Serializer.data is
    metric_quantity = NumberField(help_text="What was metered for the line: all quantities together.")
    dropped_months = texts(help_text="Months in which events were received whose bodies are gone: 2025-10.")
    next_page = serializers.CharField(allow_null=True)
