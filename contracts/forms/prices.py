"""Asking for a price, and for a price to be taken back."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict

from billing_site.foundation.admin import Dressed
from billing_site.foundation.display import unit_sign, unit_text
from billing_site.foundation.money import Unit, wire_amount
from billing_site.foundation.periods import DAY, floor_day
from billing_site.foundation.refusals import Refusal
from contracts.forms.instants import InstantField
from pricing.models import Rate
from pricing.queries import PricedKey
from pricing.services import NewRate
from pricing.wording import rate_text, sold_unit


class ShownRefusal(Dressed, forms.Form):
    """Says beside its fields what a service refused."""

    def show(self, refusal: Refusal) -> None:
        for error in refusal.errors:
            rule = error.rule.replace("starting_at", "the start")
            self.add_error(error.field if error.field in self.fields else None, f"{rule[:1].upper()}{rule[1:]}.")
        if not refusal.errors:
            self.add_error(None, refusal.message)

    def renew(self, **values: Any) -> None:
        """Ask again, with other values in hidden fields than were sent."""
        data = QueryDict(mutable=True)
        data.update(self.data)
        for name, value in values.items():
            data[name] = str(value)
        self.data = data


class PriceForm(ShownRefusal):
    """A new price of one key, in the major unit of the card's currency: dollars, where the API takes cents.

    `known` is the last publication that whoever fills it in has seen; `seen` are the fields as they were when the page
    said what they would do.
    """

    price = forms.DecimalField(label="New price", error_messages={"invalid": "Write a number, such as 30 or 0.0025."})
    starting_at = InstantField(label="From", required=True)
    ending_before = InstantField(label="Up to", help_text="Empty: for good. Then the one before again.")
    reason = forms.CharField(
        label="Reason", max_length=2000, help_text="Why; kept with the price change, for whoever asks later."
    )
    entitled = forms.BooleanField(
        required=False,
        label="Contracts on this card may use it",
        help_text="Without a tick, its usage is not billed unless a contract says so.",
    )
    known = forms.IntegerField(widget=forms.HiddenInput)
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, priced: PricedKey, unit: Unit, data: Any = None, *, known: int, at: datetime) -> None:
        now = priced.now
        initial = {
            "starting_at": floor_day(at) + DAY,
            "entitled": now.rate.entitled if now else True,
            "known": known,
        }
        super().__init__(data, initial=initial)
        self.key, self.unit = priced.key, unit
        held = rate_text(now.rate) if now else ""
        self.sign, self.sold_unit = unit_sign(unit), sold_unit(priced.version)
        self.fields["price"].help_text = f"In {unit_text(unit)}, {self.sold_unit}." + (f" Now {held}." if held else "")
        price = self.fields["price"].widget
        price.input_type = "text"  # a number field of the browser would hide what it cannot read
        price.attrs |= {"inputmode": "decimal", "autocomplete": "off", "autofocus": True}

    def clean_price(self) -> Decimal:
        """In wire units."""
        return wire_amount(self.cleaned_data["price"], self.unit)

    def to_rate(self) -> NewRate:
        values = self.cleaned_data
        return NewRate(
            product_id=self.key.product_id,
            starting_at=values["starting_at"],
            ending_before=values["ending_before"],
            entitled=values["entitled"],
            rate_type=Rate.Type.FLAT.value,
            price=values["price"],
            pricing_group_values=dict(self.key.values),
        )

    def wanted(self) -> str:
        """What decides the effect of a valid form, as it is compared with `seen`."""
        values = self.cleaned_data
        return "|".join(
            str(values[name].isoformat() if isinstance(values[name], datetime) else values[name])
            for name in ("price", "starting_at", "ending_before", "entitled")
        )

    def is_seen(self) -> bool:
        return bool(self.cleaned_data["seen"] == self.wanted())


class WithdrawalForm(ShownRefusal):
    """Why a published price is taken back."""

    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        widget=forms.TextInput(attrs={"autofocus": True}),
        help_text="Why; kept with the price change, for whoever asks later.",
    )
    known = forms.IntegerField(widget=forms.HiddenInput)
