"""Asking by how much prices of a card change or to what, from when, and how they are rounded."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms

from contracts.forms.amounts import NumberField
from contracts.forms.card_filter import CardFilter, key_as_text, picked_keys
from contracts.forms.instants import HourField
from contracts.forms.prices import ShownRefusal
from pricing.queries import Key
from pricing.services import Raise

PLACES = (0, 1, 2, 3, 4, 6, 8, 10)
LOWEST, HIGHEST = -100, 1_000  # percent; all of a price may be taken off
PICKED = "picked"  # the name of each checkbox of the card's page
OF = "of"  # what the card's page says of which prices it sends: those with a tick


class RaiseForm(ShownRefusal):
    """`seen` names the plan that the page said it would publish. The prices are those that were picked one by one, or
    those that the filter chooses."""

    percent = NumberField(required=False, label="Percent", help_text="5 is 5 % more, -5 is 5 % less.")
    price = NumberField(
        required=False, label="Or one price", help_text="Instead of a percentage: what each of them costs then."
    )
    places = forms.TypedChoiceField(
        label="Rounded to",
        coerce=int,
        choices=[(places, f"{places} decimal places") for places in PLACES],
        initial=6,
        help_text="Of the major unit, such as dollars; halves away from zero. One price is taken as it is.",
    )
    starting_at = HourField(label="From", required=True)
    later = forms.ChoiceField(
        label="Prices that begin later",
        choices=[
            ("KEEP", "stay or are withdrawn, as is asked below"),
            ("RAISE", "change as well, from where they begin"),
        ],
    )
    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        required=False,
        help_text="Why; kept with the price change, for whoever asks later.",
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    shown_as = {"rates[0].price": "price"}

    def __init__(self, chosen: CardFilter, picked: Sequence[str], data: Any = None, *, starting_at: datetime) -> None:
        super().__init__(data, initial={"starting_at": starting_at})
        self.filter = chosen
        self.picked = [key_as_text(key) for key in picked_keys(picked)]

    def is_valid(self) -> bool:
        return all([super().is_valid(), self.filter.is_valid()])

    def clean_percent(self) -> Any:
        percent = self.cleaned_data["percent"]
        if percent == 0:
            raise forms.ValidationError("0 % changes nothing.")
        if percent is not None and not LOWEST <= percent <= HIGHEST:
            raise forms.ValidationError(f"From {LOWEST} to {HIGHEST:,} percent.")
        return percent

    def clean_price(self) -> Any:
        price = self.cleaned_data["price"]
        if price is not None and price < 0:
            raise forms.ValidationError("Must not be negative.")
        return price

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if {"percent", "price"} <= given.keys() and (given["percent"] is None) == (given["price"] is None):
            self.add_error("percent", "Say by how many percent, or what they cost: one of the two.")
        return given

    def to_raise(self) -> Raise:
        """What a valid form asks for."""
        given = self.cleaned_data
        if given["price"] is not None:
            return Raise(price=given["price"])
        return Raise(given["percent"], given["places"])

    def keys(self) -> list[Key] | None:
        """Those that are chosen; None is all of the card."""
        if self.picked:
            return picked_keys(self.picked)
        return self.filter.chosen() if self.filter.is_any else None
