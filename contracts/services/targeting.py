"""What a term applies to: products, tags, group values."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from billing_site.foundation.problems import Problems
from contracts.inputs import TargetInput
from contracts.services.checks import Deal, priced_product, within
from pricing.models import Product
from pricing.queries import version_in_force


def specifiers(problems: Problems, name: str, given: Sequence[TargetInput], deal: Deal) -> list[dict[str, Any]]:
    """Specifiers as they are stored, each checked."""
    for index, target in enumerate(given):
        _check(within(problems, f"{name}[{index}]"), target, deal)
    return [_stored(target) for target in given]


def tags(problems: Problems, name: str, given: Sequence[str]) -> list[str]:
    problems.keys(name, given)
    return list(given)


def exact_price_target(problems: Problems, name: str, target: TargetInput, at: datetime, deal: Deal) -> None:
    """An overwritten price is that of one product and one combination of its pricing group values."""
    product = deal.products.get(target.product_id) if target.product_id else None
    if target.product_tags:
        problems.add(f"{name}product_tags", list(target.product_tags), "cannot be used to overwrite a price")
    if target.presentation_group_values:
        problems.add(
            f"{name}presentation_group_values",
            dict(target.presentation_group_values),
            "can be used with a multiplier only",
        )
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
