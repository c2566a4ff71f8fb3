"""Tiers as they are stored, on rates and on overrides: JSON objects with every number as text, so that none is rounded.

A tariff's tier is {"price", "size", "flat_fee"}: the size is left out on the last tier, the fee where there is none.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from pricing.engine.tariffs import Tariff, Tier

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


def stored_tariff(tariff: Tariff) -> dict[str, Any]:
    """A whole tariff as one JSON object: a commit rate beside the rate that it belongs to."""
    tiers = {"tiers": stored_tiers(tariff.tiers)} if tariff.tiers else {}
    numbers = stored_numbers({"price": tariff.price, "package_size": tariff.package_size})
    return {"rate_type": tariff.type, **numbers, **tiers}


def read_tariff(stored: Mapping[str, Any]) -> Tariff:
    def number(name: str) -> Decimal | None:
        return Decimal(stored[name]) if name in stored else None

    return Tariff(
        stored["rate_type"],
        price=number("price"),
        tiers=read_tiers(stored.get("tiers", ())),
        package_size=number("package_size"),
    )


def stored_numbers(numbers: Mapping[str, Decimal | None]) -> dict[str, str]:
    """Numbers that are not negative, as text with all of their digits and no exponent; None is left out."""
    return {name: f"{number.copy_abs():f}" for name, number in numbers.items() if number is not None}
