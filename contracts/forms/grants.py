"""The part of an edit that grants a balance, once or anew each period: a prepaid commit where something is paid for it,
else a credit."""

from decimal import Decimal
from typing import Any

from django import forms

from contracts.forms.amounts import MajorField
from contracts.forms.choices import ProductChoice, ProductsChoice
from contracts.forms.instalments import OftenField, ShareField, payments
from contracts.forms.instants import InstantField
from contracts.inputs import (
    AccessScheduleInput,
    CommitInput,
    RecurringAmountInput,
    RecurringInput,
    SegmentInput,
)
from contracts.models import RecurringCommit
from contracts.recurring_wording import PERIODS
from contracts.services.commits import DEFAULT_PRIORITY

# What the service calls a field of the commit or credit, and which one it is here.
SHOWN_AS = (
    ("access_schedule.schedule_items[0].starting_at", "grant_starting_at"),
    ("access_schedule.schedule_items[0].ending_before", "grant_ending_before"),
    ("access_schedule", "grant_amount"),
    ("invoice_schedule.schedule_items[0].amount", "grant_price"),
    ("invoice_schedule.recurring_schedule.amount_distribution", "grant_paid_share"),
    ("invoice_schedule.recurring_schedule.amount", "grant_price"),
    ("invoice_schedule.recurring_schedule.ending_before", "grant_paid_until"),
    ("invoice_schedule", "grant_paid_at"),
    ("starting_at", "grant_starting_at"),
    ("ending_before", "grant_ending_before"),
    ("access_amount", "grant_amount"),
    ("invoice_amount", "grant_price"),
    ("recurrence_frequency", "grant_each"),
    ("priority", "grant_priority"),
    ("applicable_product_ids", "grant_products"),
    ("name", "grant_name"),
)
WITH_USAGE = "USAGE"  # its periods are those of the usage documents
HOW_OFTEN = (
    ("", "Once"),
    (WITH_USAGE, f"Each {PERIODS['']}"),
    *((code, f"Each {PERIODS[code]}") for code in RecurringCommit.Frequency.values),
)


class GrantFields(forms.Form):
    grant_amount = MajorField(label="Amount to draw on", help_text="Pays for usage until it is used up or has expired.")
    grant_each = forms.ChoiceField(
        required=False,
        choices=HOW_OFTEN,
        label="Granted",
        help_text="What is granted anew can be drawn on in its period; a first or last one cut short is by time.",
    )
    grant_starting_at = InstantField(label="From")
    grant_ending_before = InstantField(label="Up to (not including)", help_text="What is left then expires.")
    grant_price = MajorField(label="Paid for it", help_text="Empty: nothing; it is a credit.")
    grant_paid_each = OftenField("Once", label="Billed")
    grant_paid_at = InstantField(
        label="Billed on", help_text="For the first time; empty: when it begins. Any time of the day, UTC."
    )
    grant_paid_until = InstantField(
        label="Billed up to (not including)", help_text="Of what is billed more than once. Empty: up to the end of it."
    )
    grant_paid_share = ShareField()
    grant_priority = forms.DecimalField(
        required=False, label="Priority", help_text="The lowest is drawn on first; empty: 100."
    )
    grant_products = ProductsChoice()
    grant_name = forms.CharField(required=False, max_length=160, label="Name", help_text="Empty: the product's name.")
    grant_product = ProductChoice("FIXED", label="Billed as", help_text="The product that names the line on the bill.")

    GRANT = (
        "A balance to draw on: a prepaid commit, or a credit",
        (
            "grant_amount",
            "grant_each",
            "grant_starting_at",
            "grant_ending_before",
            "grant_price",
            "grant_paid_each",
            "grant_paid_at",
            "grant_paid_until",
            "grant_paid_share",
            "grant_priority",
            "grant_products",
            "grant_name",
            "grant_product",
        ),
    )

    def clean_grant_paid_each(self) -> Any:
        often = self.cleaned_data["grant_paid_each"]
        if often and self.cleaned_data.get("grant_each"):
            raise forms.ValidationError("Leave this: what is granted anew is billed when it begins.")
        return often

    def clean_grant_paid_at(self) -> Any:
        paid_at = self.cleaned_data["grant_paid_at"]
        if paid_at is not None and self.cleaned_data.get("grant_each"):
            raise forms.ValidationError("Leave this empty: what is granted anew is billed when it begins.")
        return paid_at

    def grants(self, type_: str) -> tuple[CommitInput, ...]:
        """What a valid form grants once of this type, PREPAID or CREDIT: one or none."""
        values = self.cleaned_data
        price, start = values["grant_price"], values["grant_starting_at"]
        if values["grant_each"] or not self._is_of_type(type_):
            return ()
        end = values["grant_ending_before"]
        schedule = None
        if price is not None:
            schedule = payments(
                price,
                values["grant_paid_at"] or start,
                values["grant_paid_each"],
                values["grant_paid_until"] or end,
                values["grant_paid_share"],
            )
        segment = SegmentInput(values["grant_amount"], start, end)
        return (
            CommitInput(
                product_id=values["grant_product"].pk,
                type=type_,
                access_schedule=AccessScheduleInput((segment,)),
                invoice_schedule=schedule,
                priority=values["grant_priority"],
                applicable_product_ids=tuple(product.pk for product in values["grant_products"]),
                name=values["grant_name"],
            ),
        )

    def recurring_grants(self, type_: str) -> tuple[RecurringInput, ...]:
        """What a valid form grants anew each period of this type, PREPAID or CREDIT: one or none."""
        values = self.cleaned_data
        price, often, priority = values["grant_price"], values["grant_each"], values["grant_priority"]
        if not often or not self._is_of_type(type_):
            return ()
        return (
            RecurringInput(
                product_id=values["grant_product"].pk,
                type=type_,
                access_amount=RecurringAmountInput(values["grant_amount"], Decimal(1)),
                commit_duration=Decimal(1),
                starting_at=values["grant_starting_at"],
                priority=DEFAULT_PRIORITY if priority is None else priority,
                ending_before=values["grant_ending_before"],
                invoice_amount=None if price is None else RecurringAmountInput(price, Decimal(1)),
                recurrence_frequency="" if often == WITH_USAGE else often,
                applicable_product_ids=tuple(product.pk for product in values["grant_products"]),
                name=values["grant_name"],
            ),
        )

    def _is_of_type(self, type_: str) -> bool:
        values = self.cleaned_data
        is_paid = values["grant_price"] is not None
        return values["grant_amount"] is not None and type_ == ("PREPAID" if is_paid else "CREDIT")


def field_of_grant(name: str) -> str:
    """The field here that stands for what a service calls `name`."""
    return next((field for start, field in SHOWN_AS if name.startswith(start)), "grant_product")
