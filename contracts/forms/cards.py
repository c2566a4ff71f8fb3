"""What the pages beside a rate card's prices ask for: what else to price, what a unit is worth, in which order."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms

from billing_site.foundation.admin import Dressed
from billing_site.foundation.display import day_text, unit_sign
from contracts.forms.amounts import MajorField
from contracts.forms.prices import ShownRefusal
from pricing.models import PricingUnit, Product, RateCard, RateCardConversion
from pricing.queries import Key, pricing_keys_from, products
from pricing.services import CreditTypeConversion, ProductMove
from pricing.services.tariffs import RATE_TYPES_OF
from pricing.wording import EVERY_TEXTS

MOVE = re.compile(r"product_moves\[(\d+)\]")
WHY = "Why; kept with the price change, for whoever asks later."


class ProductToPriceForm(Dressed, forms.Form):
    """Which product a price is for."""

    product = forms.ModelChoiceField(Product.objects.none(), empty_label="Choose a product")

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        choice: Any = self.fields["product"]
        choice.queryset = products().filter(type__in=RATE_TYPES_OF).order_by("name", "id")


class KeyForm(Dressed, forms.Form):
    """Which of a product's prices: a value for each of its pricing group keys, or a billing frequency.

    Where other keys are to come, it asks first for which of them; `data` without `next` is not an answer yet.
    """

    def __init__(self, product: Product, data: Any, *, at: datetime) -> None:
        stages = {"" if start == at else start.isoformat(): key for start, key in pricing_keys_from(product, at)}
        chosen = data.get("sold", "")
        self.product, self.keys = product, stages.get(chosen, stages[""])
        asked: dict[str, forms.Field] = {}
        if len(stages) > 1:
            labels = [(start, self._label(start, key)) for start, key in stages.items()]
            asked["sold"] = forms.ChoiceField(label="As it is sold", choices=labels, required=False, initial=chosen)
        asked |= {f"value-{number}": forms.CharField(label=key) for number, key in enumerate(self.keys)}
        if product.type == Product.Type.SUBSCRIPTION:
            billed = [(code, text.capitalize()) for code, text in EVERY_TEXTS.items()]
            asked["billing_frequency"] = forms.ChoiceField(label="Billed", choices=billed)
        answers = [name for name in asked if name != "sold"]
        is_chosen = len(stages) == 1 or "sold" in data
        is_answered = is_chosen and (not answers or any(name in data for name in answers))
        super().__init__(data if is_answered and "next" in data else None)
        self.fields |= asked
        self.dress()

    def _label(self, start: str, key: Sequence[str]) -> str:
        when = f"From {day_text(datetime.fromisoformat(start))} on" if start else "Now"
        return f"{when}: priced by {', '.join(key) or 'nothing else'}"

    def key(self) -> Key:
        """What a valid form asks for."""
        values = self.cleaned_data
        named = {key: values[f"value-{number}"] for number, key in enumerate(self.keys)}
        return Key(self.product.pk, named, values.get("billing_frequency", ""))


class ConversionForm(ShownRefusal):
    """What one of a custom unit is worth in the card's currency, typed in its major unit."""

    unit = forms.ModelChoiceField(PricingUnit.objects.none(), empty_label="Choose a unit", label="Custom unit")
    worth = MajorField(label="One is worth", required=True, help_text="It never changes, once it is published.")
    reason = forms.CharField(label="Reason", max_length=2000, help_text=WHY)
    shown_as = {
        "add_credit_type_conversions[0].custom_credit_type_id": "unit",
        "add_credit_type_conversions[0].fiat_per_custom_credit": "worth",
    }

    def __init__(self, card: RateCard, data: Any = None) -> None:
        super().__init__(data)
        choice: Any = self.fields["unit"]
        converted = RateCardConversion.objects.filter(rate_card=card).values("unit")
        custom = PricingUnit.objects.filter(is_currency=False, archived_at=None).exclude(pk__in=converted)
        choice.queryset = custom.order_by("name")
        unit = card.fiat_unit.to_unit()
        worth: Any = self.fields["worth"]
        worth.in_unit(unit)
        self.sign = unit_sign(unit)

    def to_conversion(self) -> CreditTypeConversion:
        """What a valid form asks for."""
        return CreditTypeConversion(self.cleaned_data["unit"].pk, self.cleaned_data["worth"])


class OrderForm(ShownRefusal):
    """The place of each product on a card, counted from 1. Those whose number is changed move there, the others keep
    their order among themselves.

    `shown` is the order that whoever fills it in has seen.
    """

    reason = forms.CharField(label="Reason", max_length=2000, help_text=WHY)
    shown = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, order: Sequence[Product], data: Any = None) -> None:
        self.order = order
        self.signature = ",".join(str(product.pk) for product in order)
        numbers = {str(product.pk): place for place, product in enumerate(order, 1)}
        super().__init__(data, initial={"shown": self.signature, **numbers})
        self.fields |= {str(product.pk): self._place(product, len(order)) for product in order}
        self.dress()

    def places(self) -> Iterator[forms.BoundField]:
        return (self[str(product.pk)] for product in self.order)

    def is_outdated(self) -> bool:
        """Whether somebody else has changed the order since it was shown."""
        return self.is_bound and self.data.get("shown") != self.signature

    def moves(self) -> list[ProductMove]:
        """What a valid form asks for."""
        numbered = [(product.pk, self.cleaned_data[str(product.pk)]) for product in self.order]
        return [ProductMove(pk, Decimal(to - 1)) for place, (pk, to) in enumerate(numbered, 1) if to != place]

    def show_at(self, path: str, sentence: str) -> None:
        moved = MOVE.match(path)
        super().show_at(str(self.moves()[int(moved[1])].product_id) if moved else path, sentence)

    def _place(self, product: Product, count: int) -> forms.Field:
        rule = f"Write a number from 1 to {count}."
        widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "size": 4})
        said = dict.fromkeys(("invalid", "min_value", "max_value", "required"), rule)
        return forms.IntegerField(label=product.name, min_value=1, max_value=count, widget=widget, error_messages=said)
