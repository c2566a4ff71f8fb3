"""The page on which a customer is granted a commit or credit of its own.

    it is a           to draw on           paid for it
    prepaid commit    from one row on      any rows; none: nothing
    postpaid commit   one row              at the most one; empty: what is missing is billed at the end of access
    credit            from one row on      none

A row in which nothing is typed is none. What it amounts to is decided by the service; its refusals stand beside the
fields.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django import forms

from billing_site.foundation.admin import Dressed
from billing_site.foundation.ids import uuid7
from billing_site.foundation.money import Unit
from billing_site.foundation.refusals import Refusal
from contracts.commit_wording import NOUNS
from contracts.forms.amounts import MajorField, NumberField
from contracts.forms.choices import (
    RATES,
    ContractsChoice,
    ProductChoice,
    ProductsChoice,
    billed_as_last_time,
    contract_name,
)
from contracts.forms.instants import InstantField
from contracts.forms.overrides import GroupValuesField
from contracts.inputs import (
    AccessScheduleInput,
    CommitInput,
    InvoiceItemInput,
    InvoiceScheduleInput,
    SegmentInput,
    SharedCommitInput,
    TargetInput,
)
from contracts.models import Commit, Contract
from contracts.queries import Agreement
from contracts.services.checks import fiat_of
from contracts.terms import QUANTITY, SPEND, UNITS
from pricing.forms import LinesField
from pricing.models import PricingUnit
from pricing.queries import default_unit

NEEDED = "Needed."
SPARE_ROWS = 2
SEGMENT = ("amount", "starting_at", "ending_before")
ITEM = ("timestamp", "amount", "unit_price", "quantity")
SPECIFIER = ("product", "tags", "group_values", "presentation")
# What the service calls a field, and which one it is here.
SHOWN_AS = (
    ("access_schedule.credit_type_id", "held_in"),
    ("access_schedule.access_type", "held_in"),
    ("access_schedule", "segment_0_amount"),
    ("invoice_schedule.do_not_invoice", "do_not_invoice"),
    ("invoice_schedule", "item_0_timestamp"),
    ("invoice_contract_id", "biller"),
    ("applicable_contract_ids", "contracts"),
    ("applicable_product_ids", "products"),
    ("applicable_product_tags", "tags"),
    ("specifiers", "specifier_0_product"),
    ("product_id", "product"),
    ("uniqueness_key", ""),
)
ROW = re.compile(r"(access_schedule|invoice_schedule|specifiers)(?:\.schedule_items)?\[(\d+)\]\.(\w+)")
OF_SPECIFIER = {
    "product_id": "product",
    "product_tags": "tags",
    "pricing_group_values": "group_values",
    "presentation_group_values": "presentation",
}


class Section(NamedTuple):
    title: str
    rows: list[list[forms.BoundField]]
    help: str = ""
    is_aside: bool = False
    is_used: bool = True


class SharedGrantForm(Dressed, forms.Form):
    """`agreed` are the customer's contracts. Its key keeps a form that is sent twice from granting twice."""

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

    biller = forms.ChoiceField(
        required=False, label="On invoices of", help_text="The contract that bills it, in the money of that contract."
    )
    do_not_invoice = forms.BooleanField(
        required=False, label="Paid elsewhere", help_text="What is paid is kept, and no invoice asks for it."
    )
    contracts = ContractsChoice()
    products = ProductsChoice()
    tags = LinesField(label="Or products with a tag", help_text="One a line; any of them.")
    reason = forms.CharField(max_length=2_000, help_text="Why; kept with the edit and shown in the history.")

    def __init__(self, agreed: Sequence[Agreement], data: Any = None) -> None:
        super().__init__(data, initial={"key": str(uuid7()), "product": billed_as_last_time(Commit)})
        self.rows: dict[str, list[int]] = {}  # the places of the rows of which the service is told
        standing = [each for each in agreed if not each.is_archived]
        names = [(str(each.contract.pk), contract_name(each)) for each in standing]
        choice: Any = self.fields["contracts"]
        choice.choices = names
        choice = self.fields["biller"]
        choice.choices = [("", "No contract: nothing is invoiced"), *names]
        biller_id = self._typed("biller")
        biller = next((each.contract for each in standing if str(each.contract.pk) == biller_id), None)
        self._offer_units(biller)
        for index in self._places("segment"):
            self._add_amount(f"segment_{index}_amount", "Amount", self.held)
            self.fields[f"segment_{index}_starting_at"] = InstantField(label="From")
            self.fields[f"segment_{index}_ending_before"] = InstantField(
                label="Up to (not including)", help_text="On the hour, UTC. What is left then expires."
            )
        for index in self._places("item"):
            self.fields[f"item_{index}_timestamp"] = InstantField(
                label="Billed on", help_text="Any time of the day, UTC."
            )
            self._add_amount(f"item_{index}_amount", "Amount", self.money)
            self._add_amount(f"item_{index}_unit_price", "Or a price", self.money)
            self.fields[f"item_{index}_quantity"] = NumberField(label="times a quantity")
        for index in self._places("specifier"):
            self.fields[f"specifier_{index}_product"] = ProductChoice(
                "USAGE", "COMPOSITE", "SUBSCRIPTION", label="Product"
            )
            self.fields[f"specifier_{index}_tags"] = LinesField(label="All of these tags", help_text="One a line.")
            self.fields[f"specifier_{index}_group_values"] = GroupValuesField(label="Pricing group values")
            self.fields[f"specifier_{index}_presentation"] = GroupValuesField(label="Presentation group values")
        self.dress()

    def sections(self) -> Iterator[Section]:
        first = ("kind", "name", "product", "held_in", "priority", "rate_type", "description")
        yield Section("What is granted", [[self[name] for name in first]])
        yield Section(
            "To draw on",
            self._in_rows("segment", SEGMENT),
            "A row for each stretch of time; a postpaid commit has one: what the customer commits to spend in it.",
        )
        yield Section(
            "Paid for it",
            [[self["biller"], self["do_not_invoice"]], *self._in_rows("item", ITEM)],
            "Nothing for a credit. Of a postpaid commit what is missing is billed: on the first date here, or at the"
            " end.",
        )
        yield Section("Shared by", [[self["contracts"]]])
        yield Section("What it pays for", [[self["products"], self["tags"]]])
        yield Section(
            "Only some usage of a product",
            self._in_rows("specifier", SPECIFIER),
            "In place of the products and tags above. Usage counts that meets all of any one row.",
            is_aside=True,
            is_used=bool(self._filled("specifier")),
        )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("product") is None and "product" not in self.errors:
            self.add_error("product", NEEDED)
        for index in self._rows_of("segment", SEGMENT) or [0]:
            self._need(f"segment_{index}_", SEGMENT)
        items = self._rows_of("item", ITEM)
        for index in items:
            self._need(f"item_{index}_", ["timestamp"])
        is_billed = values.get("kind") == Commit.Type.PREPAID and items and not values.get("do_not_invoice")
        if is_billed and not values.get("biller") and "biller" not in self.errors:
            self.add_error("biller", "Needed: which contract bills it, unless it is paid elsewhere.")
        return values

    def to_input(self) -> SharedCommitInput:
        """What a valid form grants."""
        values = self.cleaned_data
        held, is_quantity = values["held_in"], values["held_in"] == QUANTITY
        self.rows = {
            "access_schedule": self._rows_of("segment", SEGMENT),
            "invoice_schedule": self._rows_of("item", ITEM),
            "specifiers": self._rows_of("specifier", SPECIFIER),
        }
        segments = tuple(
            SegmentInput(*(values[f"segment_{index}_{name}"] for name in SEGMENT))
            for index in self.rows["access_schedule"]
        )
        return SharedCommitInput(
            CommitInput(
                product_id=values["product"].pk,
                type=values["kind"],
                access_schedule=AccessScheduleInput(
                    segments, UUID(held) if held and not is_quantity else None, QUANTITY if is_quantity else SPEND
                ),
                invoice_schedule=self._invoiced(segments),
                name=values["name"],
                description=values["description"],
                priority=values["priority"],
                rate_type=values["rate_type"],
                applicable_product_ids=tuple(product.pk for product in values["products"]),
                applicable_product_tags=tuple(values["tags"]),
                specifiers=tuple(map(self._specifier, self.rows["specifiers"])),
            ),
            applicable_contract_ids=tuple(map(UUID, values["contracts"])),
            invoice_contract_id=UUID(values["biller"]) if values["biller"] else None,
            uniqueness_key=values["key"],
        )

    def show(self, refusal: Refusal) -> None:
        """Put what a service refused beside the fields it is about."""
        for error in refusal.errors:
            field = self._field_of(error.field)
            self.add_error(field if field in self.fields else None, error.rule)
        if not refusal.errors:
            self.add_error(None, refusal.message)

    def _field_of(self, path: str) -> str:
        if found := ROW.match(path):
            kind, place, name = found.groups()
            row = self.rows[kind][int(place)] if int(place) < len(self.rows[kind]) else 0
            if kind == "specifiers":
                return f"specifier_{row}_{OF_SPECIFIER.get(name, 'product')}"
            return f"{'segment' if kind == 'access_schedule' else 'item'}_{row}_{name}"
        return next((field for start, field in SHOWN_AS if path.startswith(start)), path.split("[")[0])

    def _invoiced(self, segments: Sequence[SegmentInput]) -> InvoiceScheduleInput | None:
        values, rows = self.cleaned_data, self.rows["invoice_schedule"]
        items = [
            InvoiceItemInput(
                values[f"item_{index}_timestamp"],
                values[f"item_{index}_amount"],
                values[f"item_{index}_unit_price"],
                values[f"item_{index}_quantity"],
            )
            for index in rows
        ]
        if values["kind"] == Commit.Type.POSTPAID:
            asked = segments[0].amount
            items = [
                InvoiceItemInput(each.timestamp, asked) if each == InvoiceItemInput(each.timestamp) else each
                for each in items
            ] or [InvoiceItemInput(segments[0].ending_before, asked)]
        if not items:
            return None
        return InvoiceScheduleInput(tuple(items), do_not_invoice=values["do_not_invoice"])

    def _specifier(self, index: int) -> TargetInput:
        values, start = self.cleaned_data, f"specifier_{index}_"
        product = values[f"{start}product"]
        return TargetInput(
            product_id=None if product is None else product.pk,
            product_tags=tuple(values[f"{start}tags"]),
            pricing_group_values=values[f"{start}group_values"],
            presentation_group_values=values[f"{start}presentation"],
        )

    def _offer_units(self, biller: Contract | None) -> None:
        """What it may be held in, and which of these is chosen."""
        money = default_unit() if biller is None else fiat_of(biller)
        units = {str(each.pk): each for each in PricingUnit.objects.filter(archived_at=None).order_by("name")}
        choice: Any = self.fields["held_in"]
        choice.choices = [
            ("", "Money of the contract that bills it; without one US dollars"),
            *((pk, str(each)) for pk, each in units.items()),
            (QUANTITY, "Units of what is sold"),
        ]
        typed = self._typed("held_in")
        self.money: Unit = money.to_unit()
        self.held: Unit = UNITS if typed == QUANTITY else units[typed].to_unit() if typed in units else self.money

    def _typed(self, name: str) -> str:
        return str(self.data.get(name, "")) if self.is_bound else ""

    def _places(self, kind: str) -> range:
        """Rows up to the last in which anything is typed, and spare ones."""
        filled = self._filled(kind)
        return range((filled[-1] + 1 if filled else 0) + (SPARE_ROWS if kind != "specifier" or filled else 1))

    def _filled(self, kind: str) -> list[int]:
        """The places of rows in which anything is typed."""
        start = f"{kind}_"
        names = [name for name, value in self.data.items() if name.startswith(start) and value not in ("", "{}")]
        return sorted({int(each[1]) for each in (name.split("_") for name in names) if each[1].isdigit()})

    def _rows_of(self, kind: str, names: Sequence[str]) -> list[int]:
        """The places of rows that a cleaned form has anything in, or refuses anything of."""
        count = sum(name.startswith(f"{kind}_") for name in self.fields) // len(names)

        def says(name: str) -> bool:
            return name in self.errors or self.cleaned_data.get(name) not in (None, "", [], {})

        return [index for index in range(count) if any(says(f"{kind}_{index}_{name}") for name in names)]

    def _need(self, start: str, names: Sequence[str]) -> None:
        for name in names:
            field = f"{start}{name}"
            if self.cleaned_data.get(field) is None and field not in self.errors:
                self.add_error(field, NEEDED)

    def _in_rows(self, kind: str, names: Sequence[str]) -> list[list[forms.BoundField]]:
        return [[self[f"{kind}_{index}_{name}"] for name in names] for index in self._places(kind)]

    def _add_amount(self, name: str, label: str, unit: Unit) -> None:
        field = MajorField(label=label)
        field.in_unit(unit)
        self.fields[name] = field
