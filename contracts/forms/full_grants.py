"""What a page asks on which a commit or credit is granted in full, whoever's it is to be.

    it is a           to draw on           paid for it
    prepaid commit    from one row on      any rows, or regular instalments; none: nothing
    postpaid commit   one row              at the most one; empty: what is missing is billed at the end of access
    credit            from one row on      none

A row in which nothing is typed is none. What it amounts to is decided by the service; its refusals stand beside the
fields.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet

from billing_site.foundation.admin import Dressed
from billing_site.foundation.ids import uuid7
from billing_site.foundation.money import Unit
from billing_site.foundation.refusals import Refusal
from contracts.commit_wording import NOUNS
from contracts.forms.amounts import NumberField
from contracts.forms.choices import RATES, ProductChoice, billed_as_last_time
from contracts.forms.instalments import OftenField, ShareField, schedule_of
from contracts.forms.instants import InstantField
from contracts.forms.rows import ITEM, NEEDED, SEGMENT, Section
from contracts.forms.targets import SPECIFIER, TargetFields
from contracts.inputs import (
    AccessScheduleInput,
    CommitInput,
    InvoiceItemInput,
    InvoiceScheduleInput,
    SegmentInput,
)
from contracts.models import Commit
from contracts.terms import QUANTITY, SPEND, UNITS
from pricing.models import PricingUnit

PLAN_DATES = ("frequency", "starting_at", "ending_before")
PLAN_AMOUNTS = ("amount_distribution", "amount", "unit_price", "quantity")
PLAN = (*PLAN_DATES, *PLAN_AMOUNTS)
# What the service calls a field, and which one it is here.
SHOWN_AS = (
    ("access_schedule.credit_type_id", "held_in"),
    ("access_schedule.access_type", "held_in"),
    ("access_schedule", "segment_0_amount"),
    ("invoice_schedule.do_not_invoice", "do_not_invoice"),
    ("invoice_schedule", "item_0_timestamp"),
    ("product_id", "product"),
    ("uniqueness_key", ""),
)
ORDER = "netsuite_sales_order_id"
ROW = re.compile(r"(access_schedule|invoice_schedule)\.schedule_items\[(\d+)\]\.(\w+)")
OF_PLAN = "invoice_schedule.recurring_schedule."


class FullGrantForm(Dressed, TargetFields):
    """`money` is that in which it is billed. Its key keeps a form that is sent twice from granting twice."""

    use_required_attribute = False  # rows may be left empty

    key = forms.CharField(widget=forms.HiddenInput)
    kind = forms.ChoiceField(
        label="It is a", choices=[(code, NOUNS[code]) for code in ("PREPAID", "CREDIT", "POSTPAID")]
    )
    name = forms.CharField(required=False, max_length=160, help_text="Empty: the product's name.")
    product = ProductChoice("FIXED", label="Billed as", help_text="The product that names the line on the bill.")
    held_in = forms.ChoiceField(required=False, label="Held in", help_text="What the amounts to draw on are.")
    priority = NumberField(help_text="The lowest is drawn on first; empty: 100.")
    rate_type = forms.ChoiceField(
        label="Pays at",
        choices=RATES,
        help_text="What of a rate is charged while it pays.",
    )
    description = forms.CharField(required=False, max_length=10_000, help_text="For you; on no invoice.")
    netsuite_sales_order_id = forms.CharField(required=False, max_length=160, label="NetSuite sales order")

    do_not_invoice = forms.BooleanField(
        required=False, label="Paid elsewhere", help_text="What is paid is kept, and no invoice asks for it."
    )
    reason = forms.CharField(max_length=2_000, help_text="Why; kept with the edit and shown in the history.")

    KINDS = ("segment", "item", SPECIFIER)
    HELD_BY_DEFAULT = "Money of the contract"

    def __init__(self, money: PricingUnit, data: Any = None) -> None:
        super().__init__(data, initial={"key": str(uuid7()), "product": billed_as_last_time(Commit)})
        self.rows: dict[str, list[int]] = {}  # the places of the rows of which the service is told
        self._offer_units(money)
        for index in self.places("segment"):
            self.add_segment_row(f"segment_{index}_", self.held)
        for index in self.places("item"):
            self.add_item_row(f"item_{index}_", self.money)
        self.fields["plan_frequency"] = OftenField("No: on the dates above", label="Or regularly")
        self.fields["plan_amount_distribution"] = ShareField()
        self.fields["plan_starting_at"] = InstantField(label="For the first time on", help_text="UTC; any time.")
        self.fields["plan_ending_before"] = InstantField(
            label="Up to (not including)", help_text="Empty: up to the end of what there is to draw on."
        )
        self.add_payment("plan_", self.money)
        self.add_targets()
        self.dress()

    def sections(self) -> Iterator[Section]:
        first = ("kind", "name", "product", "held_in", "priority", "rate_type", "description", ORDER)
        yield Section("What is granted", [[self[name] for name in (*first, *self.of_its_own())]])
        yield Section(
            "To draw on",
            self.in_rows("segment", SEGMENT),
            "A row for each stretch of time; a postpaid commit has one: what the customer commits to spend in it.",
        )
        yield Section(
            "Paid for it",
            [
                [self[name] for name in self.of_payment()],
                *self.in_rows("item", ITEM),
                *([self[f"plan_{name}"] for name in row] for row in (PLAN_DATES, PLAN_AMOUNTS)),
            ],
            "Nothing for a credit. Of a postpaid commit what is missing is billed: on the first date here, or at the"
            " end.",
        )
        yield from self.more_sections()
        yield from self.target_sections()

    def units(self) -> QuerySet[PricingUnit]:
        """What it may be held in beside `money`."""
        return PricingUnit.objects.filter(archived_at=None)

    def of_its_own(self) -> Sequence[str]:
        """Fields that only some of these pages ask, beside the name."""
        return ()

    def of_payment(self) -> Sequence[str]:
        return ("do_not_invoice",)

    def more_sections(self) -> Iterator[Section]:
        yield from ()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("product") is None and "product" not in self.errors:
            self.add_error("product", NEEDED)
        self.clean_access()
        items = self.rows_of("item", ITEM)
        for index in items:
            self.need(f"item_{index}_", ["timestamp"])
        self._clean_plan(has_rows=bool(items))
        return values

    def clean_access(self) -> None:
        for index in self.rows_of("segment", SEGMENT) or [0]:
            self.need(f"segment_{index}_", SEGMENT)

    def has_access(self) -> bool:
        """Whether anything at all is said of what is to draw on."""
        return bool(self.rows_of("segment", SEGMENT))

    def is_paid_for(self) -> bool:
        """Whether anything at all is said of payments."""
        return bool(self.rows_of("item", ITEM) or self.cleaned_data.get("plan_frequency"))

    def to_commit(self) -> CommitInput:
        """What a valid form grants."""
        values = self.cleaned_data
        self.rows = {
            "access_schedule": self.rows_of("segment", SEGMENT),
            "invoice_schedule": self.rows_of("item", ITEM),
        }
        segments = tuple(
            SegmentInput(*self.values_of(f"segment_{index}_", SEGMENT)) for index in self.rows["access_schedule"]
        )
        return CommitInput(
            type=values["kind"],
            access_schedule=AccessScheduleInput(segments, *self.held_as(values)),
            invoice_schedule=self._invoiced(segments),
            **self.attributes(),
        )

    def held_as(self, values: Mapping[str, Any]) -> tuple[UUID | None, str]:
        """The unit that is named, none for money and for units of what is sold, and the type of access."""
        held, is_quantity = values["held_in"], values["held_in"] == QUANTITY
        return UUID(held) if held and not is_quantity else None, QUANTITY if is_quantity else SPEND

    def attributes(self) -> dict[str, Any]:
        """What does not depend on how it is granted, by the names of CommitInput."""
        values = self.cleaned_data
        return {
            "product_id": values["product"].pk,
            "name": values["name"],
            "description": values["description"],
            "priority": values["priority"],
            "rate_type": values["rate_type"],
            ORDER: values[ORDER],
            **self.targets(),
        }

    def show(self, refusal: Refusal) -> None:
        """Put what a service refused beside the fields it is about."""
        for error in refusal.errors:
            field = self._field_of(error.field)
            self.add_error(field if field in self.fields else None, error.rule)
        if not refusal.errors:
            self.add_error(None, refusal.message)

    def _field_of(self, path: str) -> str:
        if targeted := self.field_of_target(path):
            return targeted
        if found := ROW.match(path):
            kind, place, name = found.groups()
            row = self.rows[kind][int(place)] if int(place) < len(self.rows[kind]) else 0
            return f"{'segment' if kind == 'access_schedule' else 'item'}_{row}_{name}"
        if path.startswith(OF_PLAN):
            return f"plan_{path.removeprefix(OF_PLAN)}"
        if path.startswith("invoice_schedule") and self.cleaned_data.get("plan_frequency"):
            return "plan_frequency"
        return next((field for start, field in SHOWN_AS if path.startswith(start)), path.split("[")[0])

    def _clean_plan(self, *, has_rows: bool) -> None:
        """All of it or nothing, and nothing beside dates of their own."""
        says = [name for name in PLAN if self.cleaned_data.get(f"plan_{name}") not in (None, "")]
        if "frequency" in says:
            if has_rows:
                self.add_error("plan_frequency", "Leave this, or the dates above: both are too much.")
            self.need("plan_", ["starting_at"])
        elif says:
            self.add_error("plan_frequency", "Needed: how often it is billed. Or leave all of this empty.")

    def _invoiced(self, segments: Sequence[SegmentInput]) -> InvoiceScheduleInput | None:
        values, rows = self.cleaned_data, self.rows["invoice_schedule"]
        if values["plan_frequency"]:
            end = values["plan_ending_before"] or max(each.ending_before for each in segments)
            plan = {name: values[f"plan_{name}"] for name in PLAN} | {"ending_before": end}
            return schedule_of(plan, do_not_invoice=values["do_not_invoice"])
        items = [InvoiceItemInput(*self.values_of(f"item_{index}_", ITEM)) for index in rows]
        if values["kind"] == Commit.Type.POSTPAID:
            asked = segments[0].amount
            items = [
                InvoiceItemInput(each.timestamp, asked) if each == InvoiceItemInput(each.timestamp) else each
                for each in items
            ] or [InvoiceItemInput(segments[0].ending_before, asked)]
        if not items:
            return None
        return InvoiceScheduleInput(tuple(items), do_not_invoice=values["do_not_invoice"])

    def _offer_units(self, money: PricingUnit) -> None:
        """What it may be held in, and which of these is chosen."""
        units = {str(each.pk): each for each in self.units().order_by("name")}
        choice: Any = self.fields["held_in"]
        choice.choices = [
            ("", self.HELD_BY_DEFAULT),
            *((pk, str(each)) for pk, each in units.items()),
            (QUANTITY, "Units of what is sold"),
        ]
        typed = self.typed("held_in")
        self.money: Unit = money.to_unit()
        self.held: Unit = UNITS if typed == QUANTITY else units[typed].to_unit() if typed in units else self.money
