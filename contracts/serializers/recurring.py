"""Commits and credits that recur, as they are sent."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from rest_framework import serializers

from billing_site.foundation.fields import CodeField, InstantField, NumberField, Shape, TextField, texts
from contracts import inputs
from contracts.models import RecurringCommit
from contracts.models.recurring import ROUNDINGS
from contracts.serializers.terms import BLANK, ROLLS_OVER, SpecifierShape
from contracts.services.access import ACCESS_TYPES
from contracts.services.commits import RATES_CHARGED
from contracts.subscription_inputs import SubscriptionConfigInput
from pricing.serializers.common import OPTIONAL, InputShape


class RecurringAmountShape(InputShape):
    becomes = inputs.RecurringAmountInput

    unit_price = NumberField()
    quantity = NumberField(
        help_text="Of a whole period; with a subscription_config its subscription says it.", **OPTIONAL
    )
    credit_type_id = serializers.UUIDField(help_text="The rate card's unit by default, or a custom one.", **OPTIONAL)
    access_type = CodeField(ACCESS_TYPES, help_text="QUANTITY: amounts are units of what is sold.", **OPTIONAL)


class RecurringInvoiceAmountShape(InputShape):
    becomes = inputs.RecurringAmountInput

    unit_price = NumberField()
    quantity = NumberField()
    credit_type_id = serializers.UUIDField(help_text="The rate card's unit, which is the default.", **OPTIONAL)


class CommitDurationShape(Shape):
    """Validates into the number of periods."""

    value = NumberField(help_text="For so many periods can each instance be drawn on.")
    unit = CodeField(("PERIODS",), **OPTIONAL)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data)["value"]


class RoundingShape(InputShape):
    becomes = inputs.RoundingInput

    decimal_places = NumberField(help_text="Of the wire unit; below zero, to tens and hundreds of it.")
    rounding_method = CodeField(ROUNDINGS)


class CreditRoundingShape(InputShape):
    becomes = inputs.ProrationRoundingInput

    access = RoundingShape(**OPTIONAL)


class CommitRoundingShape(CreditRoundingShape):
    invoice = RoundingShape(**OPTIONAL)


class SeatIncreaseShape(Shape):
    is_prorated = serializers.BooleanField(help_text="What an increase adds within a period comes by time.")


class SubscriptionConfigShape(Shape):
    """Validates into the input of a service."""

    subscription_id = TextField(help_text="Of the contract, or the temporary_id of one of the same request.")
    allocation = CodeField(
        RecurringCommit.Allocation.values,
        help_text="POOLED, by default: all of them share one balance. INDIVIDUAL: each assigned seat has its own.",
        **OPTIONAL,
    )
    apply_seat_increase_config = SeatIncreaseShape()

    def to_internal_value(self, data: Any) -> Any:
        sent = super().to_internal_value(data)
        said = {"allocation": sent["allocation"]} if sent.get("allocation") else {}
        prorated = sent["apply_seat_increase_config"]["is_prorated"]
        return SubscriptionConfigInput(sent["subscription_id"], prorated, **said)


class RecurringShape(InputShape):
    """What commits and credits that recur have in common."""

    becomes: Callable[..., Any] = inputs.RecurringInput

    product_id = serializers.UUIDField(help_text="A FIXED product, which names the bill line.")
    access_amount = RecurringAmountShape(help_text="What each whole period grants.")
    commit_duration = CommitDurationShape()
    starting_at = InstantField(help_text="On the hour, within the contract.")
    ending_before = InstantField(help_text="On the hour; absent: as long as the contract runs.", **OPTIONAL)
    priority = NumberField(help_text="The lowest is drawn first.")
    recurrence_frequency = CodeField(
        RecurringCommit.Frequency.values,
        help_text="Counted from starting_at; absent: with the contract's usage documents.",
        **OPTIONAL,
    )
    proration = CodeField(
        RecurringCommit.Proration.values,
        help_text="Which of the first and last grant is by time where its period is cut short; FIRST_AND_LAST.",
        **OPTIONAL,
    )
    name = TextField(**BLANK)
    description = TextField(**BLANK)
    rate_type = CodeField(RATES_CHARGED, help_text="What of a rate is charged while it pays.", **OPTIONAL)
    rollover_fraction = NumberField(**ROLLS_OVER)
    applicable_product_ids = serializers.ListField(child=serializers.UUIDField(), **OPTIONAL)
    applicable_product_tags = texts(**OPTIONAL)
    specifiers = SpecifierShape(many=True, **OPTIONAL)
    netsuite_sales_order_id = TextField(**BLANK)
    temporary_id = TextField(help_text="What overrides of the same request may call it.", **BLANK)
    subscription_config: Any = SubscriptionConfigShape(
        help_text="The access amount is for each one that there is of a subscription.", **OPTIONAL
    )


class RecurringCommitShape(RecurringShape):
    becomes = partial(inputs.RecurringInput, type="PREPAID")

    invoice_amount = RecurringInvoiceAmountShape(help_text="Billed at the start of each; absent: nothing.", **OPTIONAL)
    proration_rounding = CommitRoundingShape(help_text="Of what is granted or billed by time.", **OPTIONAL)


class RecurringCreditShape(RecurringShape):
    becomes = partial(inputs.RecurringInput, type="CREDIT")

    proration_rounding = CreditRoundingShape(help_text="Of what is granted by time.", **OPTIONAL)


class AmountUpdateShape(InputShape):
    becomes = inputs.RecurringAmountInput

    unit_price = NumberField(**OPTIONAL)
    quantity = NumberField(**OPTIONAL)


class RoundingUpdateShape(Shape):
    """Null clears a rounding, absence leaves it. Validates into the input of a service."""

    access = RoundingShape(**OPTIONAL)
    invoice = RoundingShape(**OPTIONAL)

    def to_internal_value(self, data: Any) -> Any:
        sent = super().to_internal_value(data)
        unchanged = {name: inputs.UNCHANGED for name in self.fields if name not in sent}
        return inputs.ProrationRoundingInput(**{**unchanged, **sent})


class RecurringUpdateShape(Shape):
    """What is absent stays. Validates into the input of a service."""

    id_field: ClassVar[str]

    access_amount = AmountUpdateShape(**OPTIONAL)
    ending_before = InstantField(help_text="On the hour; null: as long as the contract runs.", **OPTIONAL)
    proration_rounding = RoundingUpdateShape(help_text="Null clears it.", **OPTIONAL)
    rate_type = CodeField(RATES_CHARGED, **OPTIONAL)

    def to_internal_value(self, data: Any) -> Any:
        sent = super().to_internal_value(data)
        kept = {name: value for name, value in sent.items() if value is not None and name != self.id_field}
        if "ending_before" in sent:
            kept["ending_before"] = sent["ending_before"]
        if "proration_rounding" in sent:
            kept["proration_rounding"] = sent["proration_rounding"] or inputs.ProrationRoundingInput()
        return inputs.RecurringUpdateInput(sent[self.id_field], **kept)


class RecurringCommitUpdateShape(RecurringUpdateShape):
    id_field = "recurring_commit_id"

    recurring_commit_id = serializers.UUIDField()
    invoice_amount = AmountUpdateShape(**OPTIONAL)


class RecurringCreditUpdateShape(RecurringUpdateShape):
    id_field = "recurring_credit_id"

    recurring_credit_id = serializers.UUIDField()
