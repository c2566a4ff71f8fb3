"""The page on which a commit or credit of a single contract is granted in full, once or anew each period.

granted           to draw on, paid for it      granted anew each period
once              as the rows say              nothing
anew              nothing                      an amount each, from a start; what is billed for each, if anything
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet

from contracts.forms import anew
from contracts.forms.amounts import NumberField, PercentField
from contracts.forms.choices import ROLLOVER, ROLLOVER_HELP
from contracts.forms.full_grants import FullGrantForm
from contracts.forms.grants import HOW_OFTEN, WITH_USAGE
from contracts.forms.instants import InstantField
from contracts.forms.roundings import USUAL
from contracts.forms.rows import NEEDED, Section
from contracts.gate_inputs import GateInput
from contracts.inputs import CommitInput, EditInput, ProrationRoundingInput, RecurringAmountInput, RecurringInput
from contracts.models import Commit, PaymentGate, RecurringCommit
from contracts.queries import Agreement
from contracts.services.checks import fiat_of
from contracts.services.commits import DEFAULT_PRIORITY
from contracts.subscription_inputs import SubscriptionConfigInput
from contracts.subscription_wording import subscription_text
from pricing.models import PricingUnit

ADDED = re.compile(r"add_(?P<anew>recurring_)?(?:commits|credits)\[0\]\.")
# What the service calls a field of what is granted anew, and which one it is here.
SHOWN_AS = {
    **anew.SHOWN_AS,
    "access_amount.credit_type_id": "held_in",
    "access_amount.access_type": "held_in",
    "starting_at": "anew_starting_at",
    "commit_duration.value": "anew_lasts",
    "proration": "anew_proration",
    "recurrence_frequency": "anew_each",
    "subscription_config.subscription_id": "anew_of",
    "subscription_config.allocation": "anew_shared",
}
ANEW = (
    ("anew_each", "anew_starting_at", "anew_ending_before"),
    anew.AMOUNTS,
    ("anew_of", "anew_shared", "anew_added"),
    ("anew_lasts", "anew_proration"),
    anew.ROUNDED,
)
WHOLLY_BY_TIME = RecurringCommit.Proration.FIRST_AND_LAST
BY_TIME = (
    (WHOLLY_BY_TIME, "is granted and billed by time"),
    (RecurringCommit.Proration.FIRST, "is by time if it is the first, whole if it is the last"),
    (RecurringCommit.Proration.LAST, "is whole if it is the first, by time if it is the last"),
    (RecurringCommit.Proration.NONE, "is granted and billed whole"),
)
SHARED = (
    (RecurringCommit.Allocation.POOLED, "all share one balance"),
    (RecurringCommit.Allocation.INDIVIDUAL, "each seat that somebody has, has a balance of its own"),
)
ADDED_BY_TIME, ADDED_IN_FULL = "by_time", "in_full"
INCREASES = ((ADDED_BY_TIME, "comes by time"), (ADDED_IN_FULL, "comes in full"))
# By who leaves the choices as they are.
NOT_SAID = (None, "", WHOLLY_BY_TIME, USUAL, RecurringCommit.Allocation.POOLED, ADDED_BY_TIME)


class ContractGrantForm(anew.AnewFields, FullGrantForm):
    """`agreed` is the contract that is granted something."""

    rollover = PercentField(label=ROLLOVER, help_text=ROLLOVER_HELP)
    payment_gate_type = forms.ChoiceField(
        required=False,
        choices=[
            ("", "As soon as access begins"),
            *((each.value, f"Once it is paid, {each.label}") for each in PaymentGate.Type),
        ],
        label="Can be used",
        help_text="A prepaid commit with one payment. Whoever hears that it is paid records it on its page.",
    )
    anew_each = forms.ChoiceField(
        required=False, choices=(("", "No: once, as above"), *HOW_OFTEN[1:]), label="Granted anew"
    )
    anew_starting_at = InstantField(label="From", help_text="Its periods are counted from here. On the hour, UTC.")
    anew_lasts = NumberField(label="Each lasts for, in periods", help_text="Empty: 1, its own.")
    anew_proration = forms.ChoiceField(required=False, choices=BY_TIME, label="A period that is cut short")

    anew_of = forms.ChoiceField(
        required=False, label="For each one of", help_text="A subscription of the contract, which says the quantity."
    )
    anew_shared = forms.ChoiceField(required=False, choices=SHARED, label="Then")
    anew_added = forms.ChoiceField(required=False, choices=INCREASES, label="What is added within a period")

    def __init__(self, agreed: Agreement, data: Any = None) -> None:
        super().__init__(fiat_of(agreed.contract), data)
        subscribed = [(str(each.subscription.pk), subscription_text(each)) for each in agreed.subscriptions]
        self.fields["anew_of"].choices = [("", "None: an amount as it is"), *subscribed]  # type: ignore[attr-defined]
        self.add_anew(self.held, self.money)
        self.dress()

    def units(self) -> QuerySet[PricingUnit]:
        """Custom ones: another currency than that of the contract is refused."""
        return super().units().filter(is_currency=False)

    def of_its_own(self) -> Sequence[str]:
        return ("rollover",)

    def of_payment(self) -> Sequence[str]:
        return (*super().of_payment(), "payment_gate_type")

    def more_sections(self) -> Iterator[Section]:
        names = [name for row in ANEW for name in row]
        yield Section(
            "Or granted anew each period",
            [[self[name] for name in row] for row in ANEW],
            "In place of what is to draw on and paid above. Each is billed when it begins.",
            is_aside=True,
            is_used=bool(self.typed("anew_each")) or any(name in self.errors for name in names),
        )

    def clean_access(self) -> None:
        values = self.cleaned_data
        typed = [name for row in ANEW for name in row if values.get(name) not in NOT_SAID]
        if not values.get("anew_each"):
            if typed:
                self.add_error("anew_each", "Needed: how often. Or leave all of this empty.")
            super().clean_access()
            return
        if values.get("kind") == Commit.Type.POSTPAID:
            self.add_error("anew_each", "Only a prepaid commit or a credit can be granted anew.")
        if self.has_access() or self.is_paid_for():
            self.add_error("anew_each", "Leave this, or what is to draw on and paid above: both are too much.")
        if values.get("payment_gate_type"):
            self.add_error("payment_gate_type", "What is granted anew can be used as soon as its access begins.")
        self.need("anew_", ["starting_at", "amount"])
        if values.get("anew_of") and values.get("anew_quantity") is not None:
            self.add_error("anew_quantity", "Leave this empty: the subscription says how many there are.")
        if values.get("anew_billed") is None and values.get("anew_billed_quantity") is not None:
            self.add_error("anew_billed", NEEDED)

    def to_input(self) -> EditInput:
        """The edit of the contract that a valid form asks for."""
        values = self.cleaned_data
        is_credit = values["kind"] == Commit.Type.CREDIT
        given = self._recurring() if values["anew_each"] else self._once()
        anew = "recurring_" if values["anew_each"] else ""
        added: dict[str, Any] = {f"add_{anew}{'credits' if is_credit else 'commits'}": (given,)}
        return EditInput(**added, reason=values["reason"], uniqueness_key=values["key"])

    def _once(self) -> CommitInput:
        gate = self.cleaned_data["payment_gate_type"]
        return replace(self.to_commit(), payment_gate_config=GateInput(gate) if gate else None)

    def attributes(self) -> dict[str, Any]:
        return super().attributes() | {"rollover_fraction": self.cleaned_data["rollover"]}

    def _recurring(self) -> RecurringInput:
        values = self.cleaned_data
        priority = values["priority"]
        return RecurringInput(
            type=values["kind"],
            access_amount=self._granted(),
            invoice_amount=self.billed_each(),
            commit_duration=Decimal(1) if values["anew_lasts"] is None else values["anew_lasts"],
            starting_at=values["anew_starting_at"],
            ending_before=values["anew_ending_before"],
            recurrence_frequency="" if values["anew_each"] == WITH_USAGE else values["anew_each"],
            proration=values["anew_proration"] or WHOLLY_BY_TIME,
            proration_rounding=ProrationRoundingInput(self.rounded("anew"), self.rounded("anew_billed")),
            subscription_config=self._linked(),
            **self.attributes() | {"priority": DEFAULT_PRIORITY if priority is None else priority},
        )

    def _granted(self) -> RecurringAmountInput:
        """For each one of a subscription, or as it is."""
        values = self.cleaned_data
        each = self.granted_each(*self.held_as(values))
        return replace(each, quantity=None) if values["anew_of"] else each

    def _linked(self) -> SubscriptionConfigInput | None:
        values = self.cleaned_data
        if not values["anew_of"]:
            return None
        shared = values["anew_shared"] or RecurringCommit.Allocation.POOLED
        return SubscriptionConfigInput(values["anew_of"], values["anew_added"] != ADDED_IN_FULL, shared)

    def _field_of(self, path: str) -> str:
        found = ADDED.match(path)
        if found is None:
            return path
        own = path[found.end() :]
        if own == "rollover_fraction":
            return "rollover"
        if own.startswith("payment_gate_config"):
            return "payment_gate_type"
        return (SHOWN_AS.get(own) if found["anew"] else None) or super()._field_of(own)
