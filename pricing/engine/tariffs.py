"""What a rate charges for a quantity, before anybody's override: a tariff. Values only; the arithmetic is in `charges`.

Prices are in wire units of the rate's pricing unit. The upper bound of a tier belongs to the tier.

    type               price                     tiers                             else
    FLAT               for one unit
    TIERED                                       each unit at its own tier         flat_fee of a tier once entered
    VOLUME                                       all units at the tier reached     flat_fee of the tier reached
    PACKAGE            for each started package                                    package_size
    PERCENTAGE         fraction of the base
    TIERED_PERCENTAGE                            fractions of slices of the base
    SUBSCRIPTION       for a period and unit                                       quantity, is_prorated
"""

from dataclasses import dataclass
from decimal import Decimal

FLAT = "FLAT"
TIERED = "TIERED"
VOLUME = "VOLUME"
PACKAGE = "PACKAGE"
PERCENTAGE = "PERCENTAGE"
TIERED_PERCENTAGE = "TIERED_PERCENTAGE"
SUBSCRIPTION = "SUBSCRIPTION"

RATE_TYPES = (FLAT, TIERED, VOLUME, PACKAGE, PERCENTAGE, TIERED_PERCENTAGE, SUBSCRIPTION)


@dataclass(frozen=True, slots=True)
class Tier:
    """`size` is the width in converted units (percentages: in spend); None, on the last tier alone: all the rest."""

    price: Decimal
    size: Decimal | None = None
    flat_fee: Decimal = Decimal(0)  # owed once a period when the tier holds at least one unit


@dataclass(frozen=True, slots=True)
class Tariff:
    """`type` is one of RATE_TYPES and says which of the other fields are there."""

    type: str
    price: Decimal | None = None
    tiers: tuple[Tier, ...] = ()
    package_size: Decimal | None = None
    quantity: Decimal | None = None
    is_prorated: bool | None = None


def flat(price: Decimal) -> Tariff:
    return Tariff(FLAT, price)
