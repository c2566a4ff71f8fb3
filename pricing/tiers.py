"""Tiers as they are stored, on rates and on overrides: JSON objects with every number as text, so that none is rounded.

A tariff's tier is {"price", "size", "flat_fee"}: the size is left out on the last tier, the fee where there is none.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from pricing.engine.tariffs import Tier

NO_FEE = Decimal(0)


def stored_tiers(tiers: Iterable[Tier]) -> list[dict[str, str]]:
    return [
        stored_numbers({"price": tier.price, "size": tier.size, "flat_fee": tier.flat_fee or None}) for tier in tiers
    ]


def read_tiers(stored: Iterable[Mapping[str, str]]) -> tuple[Tier, ...]:
    return tuple(
        Tier(
            price=Decimal(each["price"]),
            size=Decimal(each["size"]) if "size" in each else None,
            flat_fee=Decimal(each.get("flat_fee", NO_FEE)),
        )
        for each in stored
    )


def stored_numbers(numbers: Mapping[str, Decimal | None]) -> dict[str, str]:
    """Numbers that are not negative, as text with all of their digits and no exponent; None is left out."""
    return {name: f"{number.copy_abs():f}" for name, number in numbers.items() if number is not None}
