"""Asking by how much all prices of a card are raised or lowered, from when, and how they are rounded."""

from datetime import datetime
from typing import Any

from django import forms

from contracts.forms.amounts import NumberField
from contracts.forms.instants import HourField
from contracts.forms.prices import ShownRefusal
from pricing.models import Product, RateCard

PLACES = (0, 1, 2, 3, 4, 6, 8, 10)
LOWEST, HIGHEST = -100, 1_000  # percent; all of a price may be taken off


class RaiseForm(ShownRefusal):
    """`seen` names the plan that the page said it would publish."""

    percent = NumberField(required=True, label="Percent", help_text="5 is 5 % more, -5 is 5 % less.")
    places = forms.TypedChoiceField(
        label="Rounded to",
        coerce=int,
        choices=[(places, f"{places} decimal places") for places in PLACES],
        initial=6,
        help_text="Of the major unit, such as dollars; halves away from zero.",
    )
    product = forms.ModelChoiceField(
        Product.objects.none(), required=False, empty_label="All products", help_text="Whose prices on the card."
    )
    starting_at = HourField(label="From", required=True)
    later = forms.ChoiceField(
        label="Prices that begin later",
        choices=[("KEEP", "stay as they are published"), ("RAISE", "change as well, from where they begin")],
    )
    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        required=False,
        help_text="Why; kept with the price change, for whoever asks later.",
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, card: RateCard, data: Any = None, *, starting_at: datetime) -> None:
        super().__init__(data, initial={"starting_at": starting_at})
        products: Any = self.fields["product"]
        products.queryset = Product.objects.filter(rates__rate_card=card).distinct().order_by("name", "pk")

    def clean_percent(self) -> Any:
        percent = self.cleaned_data["percent"]
        if percent == 0:
            raise forms.ValidationError("0 % changes nothing.")
        if not LOWEST <= percent <= HIGHEST:
            raise forms.ValidationError(f"From {LOWEST} to {HIGHEST:,} percent.")
        return percent
