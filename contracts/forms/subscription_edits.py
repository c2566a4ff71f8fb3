"""The page on which a subscription is changed: how many from a date on, who has which seat, an end, the name."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms

from billing_site.foundation.admin import Dressed
from billing_site.foundation.display import plain_text
from billing_site.foundation.refusals import Refusal
from contracts.forms.amounts import NumberField
from contracts.forms.instants import InstantField
from contracts.forms.roundings import USUAL, RoundingMethodField, decimals_shown, rounding_of
from contracts.forms.rows import NEEDED, RowsForm, Section
from contracts.forms.subscriptions import ROUNDED_HELP
from contracts.inputs import UNCHANGED, EditInput
from contracts.queries import AgreedSubscription
from contracts.subscription_inputs import (
    QuantityUpdateInput,
    SeatIdsInput,
    SeatUpdatesInput,
    SubscriptionUpdateInput,
    UnassignedSeatsInput,
)
from pricing.queries import unit_of_product

OF_SEATS = ("add_seat_ids", "remove_seat_ids", "add_unassigned_seats", "remove_unassigned_seats")
ROWS = (("from_at", "quantity"), OF_SEATS[:2], OF_SEATS[2:])
# What the service calls a field, and which one it is here.
SHOWN_AS = {
    "starting_at": "from_at",
    "quantity": "quantity",
    "seat_ids": "add_seat_ids",
    "decimal_places": "decimals",
    "rounding_method": "rounding",
    "quantity_management_mode": "by_seats_of",
    "seat_group_key": "by_seats_of",
}
SEATS = forms.Textarea(attrs={"rows": 3})


class SubscriptionEditForm(Dressed, RowsForm):
    """What is left as it is shown changes nothing."""

    use_required_attribute = False  # what is missing is said beside its field

    based_on_edit = forms.IntegerField(required=False, widget=forms.HiddenInput)
    from_at = InstantField(label="From")
    quantity = NumberField(label="Quantity from then on")
    add_seat_ids = forms.CharField(required=False, label="Give a seat to", widget=SEATS, help_text="One id a line.")
    remove_seat_ids = forms.CharField(required=False, label="Take the seat of", widget=SEATS, help_text="An id a line.")
    add_unassigned_seats = NumberField(label="More seats that nobody has yet")
    remove_unassigned_seats = NumberField(label="Fewer seats that nobody has")
    ending_before = InstantField(label="Up to (not including)", help_text="Empty: as long as the contract.")
    name = forms.CharField(required=False, max_length=160, help_text="Of the line; empty: the product's.")
    decimals = NumberField(label="Parts of periods in decimals", help_text=ROUNDED_HELP)
    rounding = RoundingMethodField()
    by_seats_of = forms.CharField(
        required=False,
        label="From now on by the seat of each",
        help_text="A property of events, as user. Its seats get ids then, and it stays so for good.",
    )
    reason = forms.CharField(max_length=2_000, help_text="Why; kept with the edit and shown in the history.")

    def __init__(
        self, agreed: AgreedSubscription, *args: Any, at: datetime, based_on_edit: int = 0, **kwargs: Any
    ) -> None:
        self.agreed = agreed
        self.unit = unit_of_product(agreed.subscription.contract.rate_card, agreed.subscription.product_id).to_unit()
        held = [row.quantity for row in agreed.quantities if row.starting_at <= at] or [agreed.quantities[0].quantity]
        kwargs["initial"] = {
            "based_on_edit": based_on_edit,
            "quantity": Decimal(plain_text(held[-1])),
            "ending_before": agreed.terms.ending_before,
            "name": agreed.terms.name,
            "decimals": decimals_shown(agreed.terms.decimal_places, self.unit),
            "rounding": agreed.terms.rounding_method or USUAL,
        }
        super().__init__(*args, **kwargs)
        for name in ("quantity", "by_seats_of") if agreed.terms.is_by_seat else OF_SEATS:
            del self.fields[name]
        self.dress()

    def sections(self) -> Iterator[Section]:
        yield Section(
            "How many",
            [row for names in ROWS if (row := [self[name] for name in names if name in self.fields])],
            "More is charged from then on; fewer from the next period on, and nothing is given back.",
        )
        yield Section("As a whole", [[self["ending_before"], self["name"]], [self["decimals"], self["rounding"]]])
        if "by_seats_of" in self.fields:
            yield Section(
                "By the seat",
                [[self["by_seats_of"]]],
                is_aside=True,
                is_used=self.is_bound and any(name == "by_seats_of" for name in (*self.changed_data, *self.errors)),
            )

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        is_changed = any(name in self.changed_data for name in ("quantity", *OF_SEATS))
        if is_changed and values.get("from_at") is None and "from_at" not in self.errors:
            self.add_error("from_at", NEEDED)
        if "quantity" in self.fields and values.get("quantity") is None and "quantity" not in self.errors:
            self.add_error("quantity", NEEDED)
        return values

    def to_input(self) -> EditInput:
        """The edit of the contract that a valid form asks for."""
        values = self.cleaned_data
        update = SubscriptionUpdateInput(
            self.agreed.subscription.pk,
            name=values["name"] if "name" in self.changed_data else UNCHANGED,
            ending_before=values["ending_before"] if "ending_before" in self.changed_data else UNCHANGED,
            rounding=rounding_of(values["decimals"], values["rounding"], self.unit)
            if {"decimals", "rounding"} & set(self.changed_data)
            else UNCHANGED,
            by_seats_of=values.get("by_seats_of") or None,
            quantity_updates=self._quantities(),
            seat_updates=self._seats(),
        )
        is_empty = update == SubscriptionUpdateInput(self.agreed.subscription.pk)
        return EditInput(
            update_subscriptions=() if is_empty else (update,),
            reason=values["reason"],
            based_on_edit=values["based_on_edit"],
        )

    def show(self, refusal: Refusal) -> None:
        """Put what a service refused beside the fields it is about."""
        for error in refusal.errors:
            own = error.field.partition("].")[2]
            last = own.rpartition(".")[2]
            listed = own.removeprefix("seat_updates.").partition("[")[0]
            field = listed if listed in self.fields and last != "starting_at" else SHOWN_AS.get(last, own)
            self.add_error(field if field in self.fields else None, error.rule)
        if not refusal.errors:
            self.add_error(None, refusal.message)

    def _quantities(self) -> tuple[QuantityUpdateInput, ...]:
        values = self.cleaned_data
        if "quantity" not in self.fields or not {"quantity", "from_at"} & set(self.changed_data):
            return ()
        return (QuantityUpdateInput(values["from_at"], values["quantity"]),)

    def _seats(self) -> SeatUpdatesInput:
        values = self.cleaned_data
        given: dict[str, Any] = {}
        for name in OF_SEATS:
            if name not in self.changed_data or not values.get(name):
                continue
            if name.endswith("_ids"):
                ids = tuple(line.strip() for line in values[name].splitlines() if line.strip())
                given[name] = (SeatIdsInput(values["from_at"], ids),)
            else:
                given[name] = (UnassignedSeatsInput(values["from_at"], values[name]),)
        return SeatUpdatesInput(**given)
