"""Choosing prices of a rate card: by a text, product, tag, and the value of a dimension, or one by one."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import BadRequest
from django.utils.http import urlencode

from billing_site.foundation.admin import Dressed
from pricing.models import RateCard
from pricing.queries import Key, keys_of_card, products_by_id, version_in_force

MOST_VALUES = 500  # in the choice of a dimension's value; more are found by the text


class CardFilter(Dressed, forms.Form):
    """Bound to the parameters of an address, all of which may be missing. Eight queries, whatever is chosen."""

    q = forms.CharField(required=False, label="Product or value", widget=forms.TextInput(attrs={"type": "search"}))
    product = forms.ChoiceField(required=False, label="Product")
    tag = forms.ChoiceField(required=False, label="Tag")
    value = forms.ChoiceField(required=False, label="Dimension")

    def __init__(self, card: RateCard, data: Any, *, at: datetime) -> None:
        super().__init__(data)
        self.card = card
        self.keys = keys_of_card(card)
        self.products = products_by_id(key.product_id for key in self.keys)
        self.tags = {product.pk: version_in_force(product, at).tags for product in self.products.values()}
        in_order = dict.fromkeys(key.product_id for key in self.keys if key.product_id in self.products)
        self._offer("product", "All products", [(str(each), self.products[each].name) for each in in_order])
        self._offer(
            "tag", "All tags", [(tag, tag) for tag in sorted({tag for tags in self.tags.values() for tag in tags})]
        )
        pairs = sorted({pair for key in self.keys for pair in key.values.items()})
        self._offer("value", "All values", [(pair_text(pair), f"{pair[0]}: {pair[1]}") for pair in pairs[:MOST_VALUES]])

    @property
    def is_any(self) -> bool:
        """Whether anything is chosen."""
        return any(self.data.get(name, "").strip() for name in self.fields)

    def chosen(self) -> list[Key]:
        """The keys that are chosen, in the order of the card. What is no choice chooses nothing."""
        if not self.is_valid():
            return []
        given = self.cleaned_data
        keys = keys_of_card(self.card, search=given["q"]) if given["q"] else self.keys
        return [
            key
            for key in keys
            if (not given["product"] or str(key.product_id) == given["product"])
            and (not given["tag"] or given["tag"] in self.tags.get(key.product_id, ()))
            and (not given["value"] or given["value"] in map(pair_text, key.values.items()))
        ]

    def query(self) -> str:
        """What is chosen, as the parameters of an address."""
        return urlencode([(name, self.data[name]) for name in self.fields if self.data.get(name)])

    def _offer(self, name: str, of_all: str, choices: Sequence[tuple[str, str]]) -> None:
        field: Any = self.fields[name]
        field.choices = [("", of_all), *choices]
        if not choices:
            field.widget = forms.HiddenInput()


def pair_text(pair: tuple[str, str]) -> str:
    return json.dumps(pair)


def key_as_text(key: Key) -> str:
    """As it stands in an address, or in a field."""
    return json.dumps([str(key.product_id), key.frequency, dict(key.values)], sort_keys=True)


def picked_keys(texts: Iterable[str]) -> list[Key]:
    """The keys that were picked one by one. Raises BadRequest for what is not one."""
    return [_key(text) for text in dict.fromkeys(texts)]


def _key(text: str) -> Key:
    try:
        product_id, frequency, values = json.loads(text)
        if not isinstance(values, Mapping) or not all(isinstance(each, str) for each in (frequency, *values.values())):
            raise ValueError
        return Key(UUID(product_id), values, frequency)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BadRequest("That is not a price of a rate card.") from error
