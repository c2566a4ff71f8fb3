"""Asking for a price, and for a price to be taken back."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict

from billing_site.foundation.admin import Dressed
from billing_site.foundation.display import unit_sign, unit_text
from billing_site.foundation.periods import DAY, floor_day
from billing_site.foundation.refusals import Refusal
from contracts.forms.instants import InstantField
from contracts.forms.tariffs import TariffForm
from pricing.models import PricingUnit, Product, RateCard
from pricing.queries import PricedKey, pricing_keys_from
from pricing.services import CommitRate, NewRate
from pricing.services.tariffs import RATE_TYPES_OF
from pricing.wording import price_text, sold_unit


class ShownRefusal(Dressed, forms.Form):
    """Says beside its fields what a service refused."""

    shown_as: dict[str, str] = {}  # what the service calls a field, where the form calls it otherwise

    def show(self, refusal: Refusal) -> None:
        for error in refusal.errors:
            rule = error.rule.replace("starting_at", "the start")
            self.show_at(error.field, f"{rule[:1].upper()}{rule[1:]}.")
        if not refusal.errors:
            self.add_error(None, refusal.message)

    def show_at(self, path: str, sentence: str) -> None:
        name = self.shown_as.get(path, path)
        self.add_error(name if name in self.fields else None, sentence)

    def renew(self, **values: Any) -> None:
        """Ask again, with other values in hidden fields than were sent."""
        data = QueryDict(mutable=True)
        data.update(self.data)
        for name, value in values.items():
            data[name] = str(value)
        self.data = data


class PriceForm(ShownRefusal):
    """A new price of one key, in the major unit of what it is priced in: dollars, where the API takes cents.

    It begins with what holds now. `units` are those in which the product may be priced on the card, the likeliest
    first. `known` is the last publication that whoever fills it in has seen; `seen` stands for the fields as they were
    when the page said what they would do.
    """

    unit = forms.ChoiceField(label="Priced in", help_text="From its first price on, for good.")
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
    shown_as = {"credit_type_id": "unit"}

    def __init__(
        self,
        card: RateCard,
        priced: PricedKey,
        units: Sequence[PricingUnit],
        data: Any = None,
        *,
        known: int,
        at: datetime,
    ) -> None:
        now = priced.now
        initial = {
            "starting_at": max(floor_day(at) + DAY, _sold_so_from(priced, at)),
            "entitled": now.rate.entitled if now else True,
            "known": known,
            "unit": str(units[0].pk),
        }
        super().__init__(data, initial=initial)
        self.key, self.card = priced.key, card
        self.units = {str(unit.pk): unit.to_unit() for unit in units}
        if len(units) > 1:
            self.fields["unit"].choices = [  # type: ignore[attr-defined]
                (unit_id, unit_text(unit)) for unit_id, unit in self.units.items()
            ]
        else:
            del self.fields["unit"]
        unit = units[0].to_unit()
        self.unit_text, self.sign = (unit_text(unit), unit_sign(unit) or unit.name) if len(units) == 1 else ("", "")
        self.sold_unit = sold_unit(priced.version)
        self.now_text = price_text(now.rate, now.version) if now else ""
        types = RATE_TYPES_OF[Product.Type(priced.product.type)]
        tariff = now.rate.to_tariff() if now else None
        self.tariff = TariffForm(types, data, tariff=tariff, unit=unit)
        self.commit: TariffForm | None = None
        if priced.product.type == Product.Type.USAGE:
            self.commit = TariffForm(
                types,
                data,
                prefix="commit",
                without="None: a balance pays the price above",
                tariff=now.rate.to_commit_tariff() if now else None,
                unit=unit,
            )
        if "price" in self.tariff.fields:
            self.tariff.fields["price"].label = "New price"
            self.tariff.fields["price"].widget.attrs["autofocus"] = True

    @property
    def parts(self) -> list[TariffForm]:
        return [self.tariff] if self.commit is None else [self.tariff, self.commit]

    def is_valid(self) -> bool:
        return all([super().is_valid(), *(part.is_valid() for part in self.parts)])

    def show_at(self, path: str, sentence: str) -> None:
        head, _, inner = path.partition(".")
        if head == "commit_rate" and self.commit is not None:
            self.commit.show(inner, sentence)
        elif head.partition("[")[0] in ("rate_type", *TariffForm.TYPES_OF):
            self.tariff.show(path, sentence)
        else:
            super().show_at(path, sentence)

    def complaints(self) -> Iterator[str]:
        """Every error with what it is about."""
        yield from self.tariff.complaints()
        if self.commit is not None:
            yield from (f"Commit rate, {complaint}" for complaint in self.commit.complaints())
        for field in self:
            yield from (f"{field.label}: {error}" for error in field.errors)
        yield from map(str, self.non_field_errors())

    def to_rate(self) -> NewRate:
        """What a valid form asks for."""
        values = self.cleaned_data
        unit = self.units[values["unit"]] if "unit" in values else next(iter(self.units.values()))
        tariff = self.tariff.to_input(unit)
        commit = self.commit.to_input(unit) if self.commit is not None else None
        assert tariff is not None  # its type is needed
        return NewRate(
            product_id=self.key.product_id,
            starting_at=values["starting_at"],
            ending_before=values["ending_before"],
            entitled=values["entitled"],
            **tariff,
            pricing_group_values=dict(self.key.values),
            credit_type_id=None if unit.id == self.card.fiat_unit_id else unit.id,
            billing_frequency=self.key.frequency or None,
            commit_rate=CommitRate(**commit) if commit else None,
        )

    def mark(self, withdrawn: Sequence[UUID] = ()) -> str:
        """Of what a valid form asks for, and of the later prices that would be withdrawn with it, as it is compared
        with `seen`."""
        return hashlib.sha256(repr((self.to_rate(), withdrawn)).encode()).hexdigest()


def _sold_so_from(priced: PricedKey, at: datetime) -> datetime:
    """From when on the product has the pricing group key that this price is for."""
    stages = pricing_keys_from(priced.product, at)
    return next((start for start, key in stages if set(key) == set(priced.key.values)), at)


class WithdrawalForm(ShownRefusal):
    """Why a published price is taken back."""

    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        widget=forms.TextInput(attrs={"autofocus": True}),
        help_text="Why; kept with the price change, for whoever asks later.",
    )
    known = forms.IntegerField(widget=forms.HiddenInput)
