"""The page on which a commit or credit is changed: amounts and dates, what is invoiced for it, what it pays for, and
what it is called and ranked by."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms

from billing_site.foundation.admin import Dressed
from billing_site.foundation.display import exact_text, plain_text
from billing_site.foundation.refusals import Refusal
from contracts.commit_wording import span
from contracts.forms.amounts import NumberField, PercentField
from contracts.forms.choices import RATES, ROLLOVER, ROLLOVER_HELP, ContractsChoice, ProductChoice, contract_name
from contracts.forms.instants import InstantField
from contracts.forms.rows import ITEM, MOST_ROWS, NEEDED, SEGMENT, Section, payment_shown
from contracts.forms.targets import SPECIFIER, TargetFields, targets_shown
from contracts.inputs import (
    UNCHANGED,
    AccessChangeInput,
    CommitChangeInput,
    InvoiceItemChangeInput,
    InvoiceItemInput,
    InvoicesChangeInput,
    SegmentChangeInput,
    SegmentInput,
)
from contracts.models import Commit, SegmentUse
from contracts.queries import AgreedCommit, Agreement
from contracts.services import MoreWasTaken

ORDER = "netsuite_sales_order_id"
ATTRIBUTES = ("name", "description", "product", "priority", "rate_type", "rollover", ORDER)
NEW_SEGMENT, NEW_ITEM = "new_segment", "new_item"
SHARING = ("contracts", "biller")  # of one of the customer
# What the service calls an attribute, where the field here is called otherwise.
SHOWN_AS = {
    "product_id": "product",
    "rollover_fraction": "rollover",
    "applicable_contract_ids": "contracts",
    "invoice_contract_id": "biller",
}


class CommitEditForm(Dressed, TargetFields):
    """What is left as it is shown changes nothing. `at` is now: what has fallen due by then is not offered.
    `agreed` are the customer's contracts, which share one of its own."""

    KINDS = (NEW_SEGMENT, NEW_ITEM, SPECIFIER)

    based_on_edit = forms.IntegerField(required=False, widget=forms.HiddenInput)
    reason = forms.CharField(max_length=2_000, help_text="Why; kept with the edit and shown in the history.")

    name = forms.CharField(required=False, max_length=160, help_text="Empty: the product's name.")
    description = forms.CharField(required=False, max_length=10_000)
    priority = NumberField(help_text="The lowest is drawn on first; empty: 100.")
    rate_type = forms.ChoiceField(choices=RATES, label="Pays at", help_text="What of a rate is charged while it pays.")
    product = ProductChoice("FIXED", label="Billed as", help_text="The product that names the line on the bill.")
    rollover = PercentField(label=ROLLOVER, help_text=ROLLOVER_HELP)
    netsuite_sales_order_id = forms.CharField(required=False, max_length=160, label="NetSuite sales order")
    contracts = ContractsChoice()
    biller = forms.ChoiceField(label="On invoices of", help_text="The contract that bills it.")

    def __init__(
        self,
        committed: AgreedCommit,
        *args: Any,
        at: datetime,
        agreed: Sequence[Agreement] = (),
        based_on_edit: int = 0,
        **kwargs: Any,
    ) -> None:
        self.committed, commit = committed, committed.commit
        self.is_postpaid = commit.type == Commit.Type.POSTPAID
        self.items = [item for item in committed.invoice_items if item.issued_at > at]
        uses = SegmentUse.objects.in_bulk([segment.segment_id for segment in committed.segments])
        self.taken: dict[str, str] = {}  # by the field of an amount, in words
        self.changed_segments: list[int] = []  # by their places in what the service is told
        self.changed_items: list[int] = []
        self.added: dict[str, list[int]] = {}  # by kind, likewise
        kwargs["initial"] = {
            "based_on_edit": based_on_edit,
            "name": commit.name,
            "description": commit.description,
            "priority": Decimal(plain_text(commit.priority)),
            "rate_type": commit.rate_type,
            "contracts": list(commit.applicable_contract_ids),
            "biller": str(commit.invoice_contract_id or ""),
            "product": commit.product_id,
            "rollover": commit.rollover_fraction,
            ORDER: commit.netsuite_sales_order_id,
            **targets_shown(commit),
        }
        super().__init__(*args, **kwargs)
        self.may_retarget = len(commit.specifiers) < MOST_ROWS  # more are left to the API
        if self.may_retarget:
            self.add_targets(commit)
        else:
            del self.fields["products"], self.fields["tags"]
        if commit.contract_id is None:
            del self.fields["rollover"]  # a renewal takes over what is of its contract
        self._offer_contracts(agreed, is_billed_already=any(item.issued_at <= at for item in committed.invoice_items))
        for index, segment in enumerate(committed.segments):
            name, use = f"segment_{index}_amount", uses.get(segment.segment_id)
            self.add_amount(name, "Amount", commit.held_in, required=True, initial=segment.amount)
            if use is not None and use.posted < 0:
                self.taken[name] = exact_text(-use.posted, commit.held_in)
                self.fields[name].help_text = f"{self.taken[name]} have been taken, and stay taken."
            self._add_instant(f"segment_{index}_starting_at", "From", segment.starting_at)
            self._add_instant(f"segment_{index}_ending_before", "Up to (not including)", segment.ending_before)
            if not self.is_postpaid:
                self._add_box(f"segment_{index}_gone")
        billed_in = (commit.invoice_unit or commit.unit).to_unit()
        for index, item in enumerate(self.items):
            billed_on = {"label": "Billed on", "help_text": "Any time of the day, UTC."}
            self.fields[f"item_{index}_timestamp"] = InstantField(required=True, initial=item.issued_at, **billed_on)
            if not self.is_postpaid:  # whose true-up is of the amount above
                self.add_payment(f"item_{index}_", billed_in)
                self.initial.update(payment_shown(f"item_{index}_", item))
                self._add_box(f"item_{index}_gone")
        self.may_add_segments = not self.is_postpaid  # which has one, and one true-up
        self.may_add_items = not self.is_postpaid and not commit.is_credit
        if self.may_add_segments:
            for index in self.places(NEW_SEGMENT):
                self.add_segment_row(f"{NEW_SEGMENT}_{index}_", commit.held_in)
        if self.may_add_items:
            for index in self.places(NEW_ITEM):
                self.add_item_row(f"{NEW_ITEM}_{index}_", billed_in)
        self.dress()

    def sections(self) -> Iterator[Section]:
        for index, segment in enumerate(self.committed.segments):
            title = f"To draw on {span(segment.starting_at, segment.ending_before)}"
            yield Section(title, [self._of(f"segment_{index}_")])
        if self.may_add_segments:
            yield self._to_add("More to draw on", NEW_SEGMENT, SEGMENT, "A row for each stretch of time.")
        for index, _ in enumerate(self.items):
            title = "What is missing is billed" if self.is_postpaid else "Paid for it"
            yield Section(title, [self._of(f"item_{index}_")])
        if self.may_add_items:
            yield self._to_add("More that is paid for it", NEW_ITEM, ITEM, "A row for each payment.")
        if self.may_retarget:
            yield from self.target_sections()
        yield Section("Name and order", [[self[name] for name in ATTRIBUTES if name in self.fields]])
        if sharing := [self[name] for name in SHARING if name in self.fields]:
            yield Section("Shared by", [sharing])

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self.may_add_segments:
            for index in self.rows_of(NEW_SEGMENT, SEGMENT):
                self.need(f"{NEW_SEGMENT}_{index}_", SEGMENT)
        if self.may_add_items:
            for index in self.rows_of(NEW_ITEM, ITEM):
                self.need(f"{NEW_ITEM}_{index}_", ["timestamp"])
            for index, _ in enumerate(self.items):
                self.need_payment(f"item_{index}_")
        if values.get("product") is None and "product" not in self.errors:
            self.add_error("product", NEEDED)
        return values

    def to_input(self) -> CommitChangeInput:
        """The change that a valid form asks for."""
        values, changed = self.cleaned_data, set(self.changed_data)

        def new(name: str) -> Any:
            return values[name] if name in changed else None

        segments, items = [], []
        self.changed_segments, self.changed_items = [], []
        self.added = {
            "segment": self.rows_of(NEW_SEGMENT, SEGMENT) if self.may_add_segments else [],
            "item": self.rows_of(NEW_ITEM, ITEM) if self.may_add_items else [],
        }
        for index, segment in enumerate(self.committed.segments):
            start = f"segment_{index}_"
            if not values.get(f"{start}gone") and any(name.startswith(start) for name in changed):
                self.changed_segments.append(index)
                segments.append(
                    SegmentChangeInput(
                        segment.segment_id,
                        new(f"{start}amount"),
                        new(f"{start}starting_at"),
                        new(f"{start}ending_before"),
                    )
                )
        for index, item in enumerate(self.items):
            start = f"item_{index}_"
            paid = self._paid(start)
            if not values.get(f"{start}gone") and (paid or f"{start}timestamp" in changed):
                self.changed_items.append(index)
                items.append(InvoiceItemChangeInput(item.item_id, new(f"{start}timestamp"), **paid))
        return CommitChangeInput(
            self.committed.commit.pk,
            AccessChangeInput(
                add_schedule_items=tuple(
                    SegmentInput(*self.values_of(f"{NEW_SEGMENT}_{index}_", SEGMENT)) for index in self.added["segment"]
                ),
                update_schedule_items=tuple(segments),
                remove_schedule_items=self._gone("segment", [each.segment_id for each in self.committed.segments]),
            ),
            InvoicesChangeInput(
                add_schedule_items=tuple(
                    InvoiceItemInput(*self.values_of(f"{NEW_ITEM}_{index}_", ITEM)) for index in self.added["item"]
                ),
                update_schedule_items=tuple(items),
                remove_schedule_items=self._gone("item", [each.item_id for each in self.items]),
            ),
            name=values["name"] if "name" in changed else UNCHANGED,
            description=values["description"] if "description" in changed else UNCHANGED,
            priority=values["priority"] if "priority" in changed else UNCHANGED,
            product_id=values["product"].pk if "product" in changed else UNCHANGED,
            rate_type=values["rate_type"] if "rate_type" in changed else UNCHANGED,
            rollover_fraction=values["rollover"] if "rollover" in changed else UNCHANGED,
            netsuite_sales_order_id=values[ORDER] if ORDER in changed else UNCHANGED,
            applicable_contract_ids=tuple(map(UUID, values["contracts"])) if "contracts" in changed else UNCHANGED,
            invoice_contract_id=UUID(values["biller"]) if "biller" in changed else UNCHANGED,
            **self.changed_targets(self.committed.commit) if self.may_retarget else {},
        )

    def show(self, refusal: Refusal) -> None:
        """Put what a service refused beside the fields it is about."""
        for error in refusal.errors:
            field, rule = self._field_of(error.field), error.rule
            if isinstance(refusal, MoreWasTaken) and field in self.taken:
                rule = f"must not be less than {self.taken[field]}: so much of it has been taken"
            self.add_error(field if field in self.fields else None, rule)
        if not refusal.errors:
            self.add_error(None, refusal.message)

    def _field_of(self, path: str) -> str | None:
        if self.may_retarget and (targeted := self.field_of_target(path)):
            return targeted
        schedule, _, rest = path.partition(".")
        kind, changed = (
            ("segment", self.changed_segments) if schedule == "access_schedule" else ("item", self.changed_items)
        )
        if rest.startswith("update_schedule_items["):
            place, _, name = rest.removeprefix("update_schedule_items[").partition("].")
            return f"{kind}_{changed[int(place)]}_{'amount' if name == 'id' else name}"
        if rest.startswith("add_schedule_items["):
            place, _, name = rest.removeprefix("add_schedule_items[").partition("].")
            return f"new_{kind}_{self.added[kind][int(place)]}_{name}"
        if schedule == "access_schedule":
            return "segment_0_amount"
        if schedule == "invoice_schedule":
            named = [*(f"item_{index}" for index in changed), *(f"{NEW_ITEM}_{index}" for index in self.added["item"])]
            return f"{named[0] if named else 'item_0'}_timestamp"
        name = path.partition("[")[0]
        return SHOWN_AS.get(name, name)

    def _offer_contracts(self, agreed: Sequence[Agreement], *, is_billed_already: bool) -> None:
        """Those that may be named, and those that are; no field where the service would refuse every change."""
        commit = self.committed.commit
        for name, named, is_fixed in (
            ("contracts", commit.applicable_contract_ids, self.is_postpaid),
            ("biller", [str(commit.invoice_contract_id)], commit.invoice_contract_id is None or is_billed_already),
        ):
            if commit.contract_id is not None or is_fixed:
                del self.fields[name]
                continue
            choice: Any = self.fields[name]
            choice.choices = [
                (str(each.contract.pk), contract_name(each))
                for each in agreed
                if not each.is_archived or str(each.contract.pk) in named
            ]

    def _paid(self, start: str) -> dict[str, Any]:
        """What is to be paid, where it is not as it was."""
        if self.is_postpaid:
            is_changed = "segment_0_amount" in self.changed_data
            return {"amount": self.cleaned_data["segment_0_amount"]} if is_changed else {}
        return self.changed_payment(start)

    def _of(self, start: str) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(start)]

    def _gone(self, kind: str, ids: Sequence[UUID]) -> tuple[UUID, ...]:
        values = self.cleaned_data
        return tuple(row_id for index, row_id in enumerate(ids) if values.get(f"{kind}_{index}_gone"))

    def _to_add(self, title: str, kind: str, names: Sequence[str], help_text: str) -> Section:
        is_used = bool(self.filled(kind))
        return Section(title, self.in_rows(kind, names), help_text, is_aside=True, is_used=is_used)

    def _add_instant(self, name: str, label: str, instant: datetime) -> None:
        self.fields[name] = InstantField(label=label, required=True, initial=instant)

    def _add_box(self, name: str) -> None:
        self.fields[name] = forms.BooleanField(required=False, label="Take it out")
