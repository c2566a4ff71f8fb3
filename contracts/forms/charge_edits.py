"""The page on which the dates and amounts of a scheduled charge are changed."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django import forms

from billing_site.foundation.admin import Dressed
from billing_site.foundation.display import day_text
from billing_site.foundation.refusals import Refusal
from contracts.forms.instants import InstantField
from contracts.forms.rows import ITEM, RowsForm, Section, payment_shown
from contracts.inputs import (
    UNCHANGED,
    ChargeChangeInput,
    EditInput,
    InvoiceItemChangeInput,
    InvoiceItemInput,
    InvoicesChangeInput,
)
from contracts.queries import AgreedCharge

NEW_ITEM = "new_item"
SCHEDULE = "update_scheduled_charges[0].invoice_schedule."


class ChargeEditForm(Dressed, RowsForm):
    """What is left as it is shown changes nothing. `at` is now: what has fallen due by then is not offered."""

    KINDS = (NEW_ITEM,)

    based_on_edit = forms.IntegerField(required=False, widget=forms.HiddenInput)
    netsuite_sales_order_id = forms.CharField(required=False, max_length=160, label="NetSuite sales order")
    reason = forms.CharField(max_length=2_000, help_text="Why; kept with the edit and shown in the history.")

    def __init__(self, charged: AgreedCharge, *args: Any, at: datetime, based_on_edit: int = 0, **kwargs: Any) -> None:
        self.charged, self.items = charged, [item for item in charged.items if item.issued_at > at]
        self.has_come = len(charged.items) - len(self.items)
        self.changed: list[int] = []  # by their places in what the service is told
        self.added: list[int] = []  # likewise
        order = charged.charge.netsuite_sales_order_id
        kwargs["initial"] = {"based_on_edit": based_on_edit, "netsuite_sales_order_id": order}
        super().__init__(*args, **kwargs)
        money = charged.charge.unit.to_unit()
        for index, item in enumerate(self.items):
            start = f"item_{index}_"
            self.add_item_row(start, money)
            self.fields[f"{start}timestamp"] = InstantField(
                label="Billed on", help_text="Any time of the day, UTC.", required=True, initial=item.issued_at
            )
            self.initial.update(payment_shown(start, item))
            self.fields[f"{start}gone"] = forms.BooleanField(required=False, label="Take it out")
        for index in self.places(NEW_ITEM):
            self.add_item_row(f"{NEW_ITEM}_{index}_", money)
        self.dress()

    def sections(self) -> Iterator[Section]:
        yield Section("What it is sold by", [[self["netsuite_sales_order_id"]]])
        for index, item in enumerate(self.items):
            fields = [self[name] for name in self.fields if name.startswith(f"item_{index}_")]
            yield Section(f"Billed on {day_text(item.issued_at)}", [fields])
        rows, is_used = self.in_rows(NEW_ITEM, ITEM), bool(self.filled(NEW_ITEM)) or not self.items
        yield Section("More dates", rows, "A row for each.", is_aside=True, is_used=is_used)

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        for index in self.rows_of(NEW_ITEM, ITEM):
            self.need(f"{NEW_ITEM}_{index}_", ["timestamp"])
        for index, _ in enumerate(self.items):
            self.need_payment(f"item_{index}_")
        return values

    def to_input(self) -> EditInput:
        """The edit that a valid form asks for."""
        values, updates = self.cleaned_data, []
        self.changed, self.added = [], self.rows_of(NEW_ITEM, ITEM)
        for index, item in enumerate(self.items):
            start = f"item_{index}_"
            paid, is_moved = self.changed_payment(start), f"{start}timestamp" in self.changed_data
            if not values[f"{start}gone"] and (paid or is_moved):
                self.changed.append(index)
                when = values[f"{start}timestamp"] if is_moved else None
                updates.append(InvoiceItemChangeInput(item.item_id, when, **paid))
        schedule = InvoicesChangeInput(
            add_schedule_items=tuple(
                InvoiceItemInput(*self.values_of(f"{NEW_ITEM}_{index}_", ITEM)) for index in self.added
            ),
            update_schedule_items=tuple(updates),
            remove_schedule_items=tuple(
                item.item_id for index, item in enumerate(self.items) if values[f"item_{index}_gone"]
            ),
        )
        order = values["netsuite_sales_order_id"] if "netsuite_sales_order_id" in self.changed_data else UNCHANGED
        change = ChargeChangeInput(self.charged.charge.pk, schedule, order)
        return EditInput(
            update_scheduled_charges=() if change == ChargeChangeInput(self.charged.charge.pk) else (change,),
            reason=values["reason"],
            based_on_edit=values["based_on_edit"],
        )

    def show(self, refusal: Refusal) -> None:
        """Put what a service refused beside the fields it is about."""
        for error in refusal.errors:
            field = self._field_of(error.field.removeprefix(SCHEDULE))
            self.add_error(field if field in self.fields else None, error.rule)
        if not refusal.errors:
            self.add_error(None, refusal.message)

    def _field_of(self, path: str) -> str | None:
        if path.endswith("netsuite_sales_order_id"):
            return "netsuite_sales_order_id"
        for head, kind, places in (
            ("update_schedule_items[", "item", self.changed),
            ("add_schedule_items[", NEW_ITEM, self.added),
        ):
            if path.startswith(head):
                place, _, name = path.removeprefix(head).partition("].")
                return f"{kind}_{places[int(place)]}_{'amount' if name == 'id' else name}"
        named = [*(f"item_{index}" for index in self.changed), *(f"{NEW_ITEM}_{index}" for index in self.added)]
        return f"{named[0]}_timestamp" if named else None
