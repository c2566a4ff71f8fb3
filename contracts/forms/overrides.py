"""Prices of a contract's own as they are typed: what an edit's form asks for, as the services are told of it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Context, Decimal, localcontext
from typing import Any
from uuid import UUID

from django import forms

from billing_site.foundation.display import plain_text
from billing_site.foundation.money import PRECISION
from contracts.inputs import MultiplierTierInput, OverrideInput, TargetInput

PAYERS = "any_commit_or_credit_ids"
STEP = re.compile(r"(?P<units>[\d,]+(\.\d+)?|rest)\s*:\s*(?P<percent>-?\d+(\.\d+)?)\s*%?", re.IGNORECASE)
STEPS_HELP = (
    "One a line: units, a colon, percent off the list price. “1,000: 50” is half price for the first (or next) 1,000"
    " units of each billing period; “rest: 20” for all that follow. Without a rest the list price holds beyond."
)


class StepsField(forms.CharField):
    """Percent off by quantity, a step a line; its clean value is tiers of multipliers, None where nothing is typed."""

    widget = forms.Textarea

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, help_text=STEPS_HELP, **options)
        self.widget.attrs |= {"rows": 3, "cols": 40, "placeholder": "1,000: 50"}

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(_step_text, value)) if isinstance(value, tuple) else value

    def to_python(self, value: Any) -> Any:
        lines = [line.strip() for line in (value or "").splitlines() if line.strip()]
        return tuple(self._step(line) for line in lines) or None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((data or "").strip())

    def _step(self, line: str) -> MultiplierTierInput:
        found = STEP.fullmatch(line)
        if found is None:
            raise forms.ValidationError(f"Write “1,000: 50” or “rest: 20”, not “{line}”.")
        units = found["units"].lower()
        size = None if units == "rest" else Decimal(units.replace(",", ""))
        return MultiplierTierInput(multiplier_of(Decimal(found["percent"])), size)


def _step_text(step: MultiplierTierInput) -> str:
    return f"{'rest' if step.size is None else plain_text(step.size)}: {plain_text(percent_off(step.multiplier))}"


class GroupValuesField(forms.JSONField):
    """Names of group keys with a value each, as an object."""

    def __init__(self, **options: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 2, "cols": 40})
        super().__init__(required=False, initial=dict, widget=widget, help_text='{"model": "xl"}', **options)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """A row that was not there when the form was sent has none, and no null."""
        return super().bound_data("{}" if data is None else data, initial)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(initial, data or "{}")

    def clean(self, value: Any) -> dict[str, Any]:
        values = super().clean(value) or {}
        if not isinstance(values, dict):
            raise forms.ValidationError('Write an object: {"model": "xl"}.')
        return values


def override_of(kind: str, values: Mapping[str, Any]) -> OverrideInput:
    """What a section of the form asks for, by its kind: discount, tiered, price or entitled."""
    start, end = values[f"{kind}_starting_at"], values[f"{kind}_ending_before"]
    if kind == "discount":
        multiplier = multiplier_of(values["discount"])
        return OverrideInput(start, end, type="MULTIPLIER", multiplier=multiplier, **_ranked_target(kind, values))
    if kind == "tiered":
        return OverrideInput(start, end, type="TIERED", tiers=values["tiered"], **_ranked_target(kind, values))
    product = values[f"{kind}_product"]
    product_id = product.pk if product else None
    if kind == "entitled":
        return OverrideInput(start, end, entitled=values["entitled"], product_id=product_id)
    target = TargetInput(
        product_id,
        pricing_group_values=values["price_group_values"],
        billing_frequency=values["price_billing_frequency"],
        any_commit_or_credit_ids=tuple(values.get("price_payers", ())),
    )
    given = OverrideInput(start, end, type="OVERWRITE", overwrite_rate=values["price"], override_specifiers=(target,))
    return replace(given, **_while_paying(kind, values))


def percent_off(multiplier: Decimal) -> Decimal:
    with localcontext(Context(prec=PRECISION)):
        return (1 - multiplier) * 100


def multiplier_of(percent_off: Decimal) -> Decimal:
    with localcontext(Context(prec=PRECISION)):
        return 1 - percent_off / 100


def _ranked_target(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The priority, and what it is on: products, or tags, or all; each with the group values where there are any."""
    products, tags, group_values = (values[f"{kind}_{name}"] for name in ("products", "tags", "group_values"))
    payers = tuple(values.get(f"{kind}_payers", ()))
    held = {"priority": values.get(f"{kind}_priority"), **_while_paying(kind, values)}
    of_each: dict[str, Any] = {"pricing_group_values": group_values, PAYERS: payers}
    product_ids = [product.pk for product in products]
    if not (group_values or payers) or (products and tags):
        named = tuple(TargetInput(product_id, **of_each) for product_id in product_ids)
        return {**held, "applicable_product_tags": tuple(tags), "override_specifiers": named}
    return {**held, "override_specifiers": each_target(product_ids, tags, **of_each)}


def each_target(product_ids: Iterable[UUID], tags: Iterable[str], **of_each: Any) -> tuple[TargetInput, ...]:
    """A specifier for each product and each tag, or for all of them, with what holds for each."""
    named = [TargetInput(product_id, **of_each) for product_id in product_ids]
    named += [TargetInput(product_tags=(tag,), **of_each) for tag in tags]
    return tuple(named or [TargetInput(**of_each)])


def _while_paying(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Whether it holds only while a balance pays, and what it is of then."""
    target = values.get(f"{kind}_target")
    return {
        "is_commit_specific": bool(values.get(f"{kind}_payers", ())),
        **({"target": target} if target else {}),
    }
