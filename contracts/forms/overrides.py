"""Prices of a contract's own as they are typed: what an edit's form asks for, as the services are told of it."""

from collections.abc import Mapping
from decimal import Context, localcontext
from typing import Any

from django import forms

from billing_site.foundation.money import PRECISION
from contracts.inputs import OverrideInput, RateInput, TargetInput


class GroupValuesField(forms.JSONField):
    """Names of group keys with a value each, as an object."""

    def __init__(self, **options: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 2, "cols": 40})
        super().__init__(required=False, initial=dict, widget=widget, help_text='{"model": "xl"}', **options)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(initial, data or "{}")

    def clean(self, value: Any) -> dict[str, Any]:
        values = super().clean(value) or {}
        if not isinstance(values, dict):
            raise forms.ValidationError('Write an object: {"model": "xl"}.')
        return values


def override_of(kind: str, values: Mapping[str, Any]) -> OverrideInput:
    """What a section of the form asks for, by its kind: discount, price or entitled."""
    start, end = values[f"{kind}_starting_at"], values[f"{kind}_ending_before"]
    if kind == "discount":
        with localcontext(Context(prec=PRECISION)):
            multiplier = 1 - values["discount"] / 100
        return OverrideInput(start, end, type="MULTIPLIER", multiplier=multiplier, **_ranked_target(kind, values))
    product = values[f"{kind}_product"]
    product_id = product.pk if product else None
    if kind == "entitled":
        return OverrideInput(start, end, entitled=values["entitled"], product_id=product_id)
    target = TargetInput(product_id, pricing_group_values=values["price_group_values"])
    rate = RateInput("FLAT", values["price"])
    return OverrideInput(start, end, type="OVERWRITE", overwrite_rate=rate, override_specifiers=(target,))


def _ranked_target(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The priority, and what it is on: products, or tags, or all; each with the group values where there are any."""
    products, tags, group_values = (values[f"{kind}_{name}"] for name in ("products", "tags", "group_values"))
    priority = {"priority": values.get(f"{kind}_priority")}
    named = [TargetInput(product.pk, pricing_group_values=group_values) for product in products]
    if not group_values or (products and tags):
        return {**priority, "applicable_product_tags": tuple(tags), "override_specifiers": tuple(named)}
    named += [TargetInput(product_tags=(tag,), pricing_group_values=group_values) for tag in tags]
    return {**priority, "override_specifiers": tuple(named or [TargetInput(pricing_group_values=group_values)])}
