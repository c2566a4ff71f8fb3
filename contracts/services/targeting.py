"""What a term applies to: products, tags, group values; for overrides also billing frequencies and who pays."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from billing_site.foundation.problems import Problems
from contracts.inputs import OverrideInput, TargetInput
from contracts.models import Contract, Override
from contracts.models.term import PAYER_KEYS
from contracts.services.checks import Deal, priced_product
from contracts.services.payers import named_payers
from pricing.models import Product
from pricing.queries import version_in_force

MULTIPLIERS: Final = (Override.Type.MULTIPLIER, Override.Type.TIERED)


def specifiers(problems: Problems, name: str, given: Sequence[TargetInput], deal: Deal) -> list[dict[str, Any]]:
    """Specifiers as they are stored, each checked."""
    for index, target in enumerate(given):
        _check(problems.within(f"{name}[{index}]"), target, deal)
    return [_stored(target) for target in given]


def read_specifier(stored: Mapping[str, Any]) -> TargetInput:
    """A specifier as it was given, from how it is stored."""
    product_id = stored.get("product_id")
    return TargetInput(
        product_id=UUID(product_id) if product_id else None,
        product_tags=tuple(stored.get("product_tags", ())),
        pricing_group_values=stored.get("pricing_group_values", {}),
        presentation_group_values=stored.get("presentation_group_values", {}),
    )


def override_specifiers(problems: Problems, name: str, given: OverrideInput, deal: Deal) -> list[dict[str, Any]]:
    """The specifiers of an override as they are stored, each checked."""
    stored = specifiers(problems, name, given.override_specifiers, deal)
    for index, target in enumerate(given.override_specifiers):
        inner = problems.within(f"{name}[{index}]")
        _check_payers(inner, target, given)
        _check_frequency(inner, target.product_id, target.billing_frequency, deal)
        if target.presentation_group_values and given.type not in MULTIPLIERS:
            inner.add(
                "presentation_group_values",
                dict(target.presentation_group_values),
                "can be used with a multiplier only",
            )
        if target.billing_frequency:
            stored[index]["billing_frequency"] = target.billing_frequency
        stored[index] |= named_payers(inner, target, deal.payers)
    return stored


def whole_product(problems: Problems, product_id: UUID, deal: Deal) -> None:
    """A product that an override names by itself, without a specifier."""
    priced_product(problems, "product_id", product_id, deal)
    product = deal.products.get(product_id)
    if product is not None and product.type == Product.Type.SUBSCRIPTION:
        rule = "must be in override_specifiers, beside its billing_frequency: it is a SUBSCRIPTION product"
        problems.add("product_id", product_id, rule)


def tags(problems: Problems, name: str, given: Sequence[str]) -> list[str]:
    problems.keys(name, given)
    return list(given)


def exact_price_target(problems: Problems, name: str, target: TargetInput, at: datetime, deal: Deal) -> None:
    """An overwritten price is that of one product and one combination of its pricing group values."""
    product = deal.products.get(target.product_id) if target.product_id else None
    if target.product_tags:
        problems.add(f"{name}product_tags", list(target.product_tags), "cannot be used to overwrite a price")
    if target.product_id is None:
        problems.add(f"{name}product_id", None, "is required to overwrite a price")
    elif product is not None:
        declared = sorted(version_in_force(product, at).pricing_group_key)
        if sorted(target.pricing_group_values) != declared:
            rule = f"must give all of {', '.join(declared)}" if declared else "must be empty: the product has none"
            problems.add(f"{name}pricing_group_values", dict(target.pricing_group_values), rule)


def _check(problems: Problems, target: TargetInput, deal: Deal) -> None:
    if not _stored(target):
        problems.add("product_id", None, "is required, or product_tags, or group values")
    problems.keys("product_tags", target.product_tags)
    for kind in ("pricing_group_values", "presentation_group_values"):
        values: Mapping[str, str] = getattr(target, kind)
        for key, value in values.items():
            problems.key(kind, key)
            problems.key(f"{kind}.{key}", value, may_be_empty=True)
    if target.product_id is None:
        return
    priced_product(problems, "product_id", target.product_id, deal)
    product = deal.products.get(target.product_id)
    if product is not None:
        _check_keys(problems, "pricing_group_values", target.pricing_group_values, product)
        _check_keys(problems, "presentation_group_values", target.presentation_group_values, product)


def _check_keys(problems: Problems, kind: str, values: Mapping[str, str], product: Product) -> None:
    """A key that the product has never declared would never match."""
    declared = "pricing_group_key" if kind == "pricing_group_values" else "presentation_group_key"
    known = {key for version in product.versions.all() for key in getattr(version, declared)}
    for key in values:
        if key not in known:
            names = ", ".join(sorted(known)) or "none"
            problems.add(kind, key, f"must be among the keys that {product.name} declares ({names})")


def _check_payers(problems: Problems, target: TargetInput, given: OverrideInput) -> None:
    for key in PAYER_KEYS:
        if getattr(target, key) and not given.is_commit_specific:
            problems.add(key, list(getattr(target, key)), "can be used only where is_commit_specific is true")


def _check_frequency(problems: Problems, product_id: UUID | None, frequency: str, deal: Deal) -> None:
    """A subscription is priced by product and frequency; usage has no frequency."""
    if frequency and frequency not in Contract.Frequency.values:
        problems.add("billing_frequency", frequency, f"must be one of {', '.join(Contract.Frequency.values)}")
    product = deal.products.get(product_id) if product_id else None
    if product_id is None and frequency:
        problems.add("billing_frequency", frequency, "must be given together with the product_id of a subscription")
    elif product is None:
        return
    elif product.type == Product.Type.SUBSCRIPTION:
        if not frequency:
            rule = f"is required: {product.name} is a SUBSCRIPTION product, which has a price for each"
            problems.add("billing_frequency", None, rule)
    elif frequency:
        problems.add(
            "billing_frequency", frequency, f"must be that of a subscription; {product.name} is {product.type}"
        )


def _stored(target: TargetInput) -> dict[str, Any]:
    stored: dict[str, Any] = {}
    if target.product_id is not None:
        stored["product_id"] = str(target.product_id)
    if target.product_tags:
        stored["product_tags"] = list(target.product_tags)
    if target.pricing_group_values:
        stored["pricing_group_values"] = dict(target.pricing_group_values)
    if target.presentation_group_values:
        stored["presentation_group_values"] = dict(target.presentation_group_values)
    return stored
