"""Prices and what they are for, in words."""

from collections.abc import Mapping
from decimal import Decimal

from billing_site.foundation.display import exact_text, quantity_text
from billing_site.foundation.money import Unit
from pricing.models import ProductVersion


def sold_unit(version: ProductVersion) -> str:
    """What a price is for: "per million tokens", "per 1,000 units", "each"."""
    if version.conversion_factor is None:
        return "each"
    if version.conversion_name:
        return f"per {version.conversion_name}"
    if version.conversion_operation == ProductVersion.Operation.DIVIDE:
        return f"per {quantity_text(version.conversion_factor)} units"
    return "per unit"


def price_text(price: Decimal, unit: Unit, version: ProductVersion) -> str:
    """With every digit: "$40.00 per million tokens"."""
    return f"{exact_text(price, unit)} {sold_unit(version)}"


def values_text(values: Mapping[str, str]) -> str:
    """Pricing group values: "model: xl, region: eu"."""
    return ", ".join(f"{name}: {value}" for name, value in sorted(values.items()))
