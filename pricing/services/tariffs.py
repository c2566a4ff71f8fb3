"""What a tariff may say, wherever it stands: on a rate of a card, or on a contract that overwrites one.

    rate_type          for products           needs
    FLAT               USAGE, SUBSCRIPTION    price, not negative
    TIERED, VOLUME     USAGE                  tiers of price and size, each with a flat fee if it likes
    PACKAGE            USAGE                  price, package_size above zero
    PERCENTAGE         COMPOSITE              price, a fraction from 0 to 1
    TIERED_PERCENTAGE  COMPOSITE              tiers of fractions, without fees
    SUBSCRIPTION       SUBSCRIPTION           price, quantity, is_prorated true

Every tier but the last has a size above zero; the last has none and takes all the rest. What a type does not need is
refused beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import NotSupported
from pricing.engine.tariffs import (
    FLAT,
    PACKAGE,
    PERCENTAGE,
    RATE_TYPES,
    SUBSCRIPTION,
    TIERED,
    TIERED_PERCENTAGE,
    VOLUME,
    Tariff,
    Tier,
)
from pricing.models import Product

CUSTOM = "CUSTOM"
IN_TIERS = (TIERED, VOLUME, TIERED_PERCENTAGE)
FRACTIONS = (PERCENTAGE, TIERED_PERCENTAGE)
RATE_TYPES_OF: Final = {
    Product.Type.USAGE: (FLAT, TIERED, VOLUME, PACKAGE),
    Product.Type.COMPOSITE: FRACTIONS,
    Product.Type.SUBSCRIPTION: (FLAT, SUBSCRIPTION),
}
# The fields of a tariff, and the types that need each.
NEEDED_BY: Final = {
    "price": (FLAT, PACKAGE, PERCENTAGE, SUBSCRIPTION),
    "tiers": IN_TIERS,
    "package_size": (PACKAGE,),
    "quantity": (SUBSCRIPTION,),
    "is_prorated": (SUBSCRIPTION,),
}


@dataclass(frozen=True, slots=True)
class TierInput:
    """One tier as it is sent."""

    price: Decimal
    size: Decimal | None = None
    flat_fee: Decimal | None = None


class TariffInput(Protocol):
    """Whatever is sent with a tariff in it; names are those of the API, None and empty were not given."""

    @property
    def rate_type(self) -> str: ...
    @property
    def price(self) -> Decimal | None: ...
    @property
    def tiers(self) -> Sequence[TierInput]: ...
    @property
    def package_size(self) -> Decimal | None: ...
    @property
    def quantity(self) -> Decimal | None: ...
    @property
    def is_prorated(self) -> bool | None: ...


def checked_tariff(problems: Problems, given: TariffInput) -> Tariff | None:
    """The tariff that was sent, or None where something is wrong with it: that is in `problems` then.

    Raises NotSupported for CUSTOM, which nothing here can rate.
    """
    kind = given.rate_type
    if kind == CUSTOM:
        raise NotSupported.of(f"{problems.path}rate_type", kind, "is not supported: there is no processor to rate it")
    if kind not in RATE_TYPES:
        problems.add("rate_type", kind, f"must be one of {', '.join(RATE_TYPES)}")
        return None
    found = len(problems.errors)
    _check_presence(problems, given)
    if given.price is not None and kind in NEEDED_BY["price"]:
        _check_price(problems, "price", given.price, kind)
    if kind in IN_TIERS:
        for index, tier in enumerate(given.tiers):
            _check_tier(problems, f"tiers[{index}].", tier, kind, is_last=index == len(given.tiers) - 1)
    if given.package_size is not None and kind == PACKAGE:
        above_zero(problems, "package_size", given.package_size)
    if given.quantity is not None and kind == SUBSCRIPTION:
        not_negative(problems, "quantity", given.quantity)
    if given.is_prorated is False and kind == SUBSCRIPTION:
        problems.add("is_prorated", False, "must be true: a rate of the type SUBSCRIPTION is always prorated")
    if len(problems.errors) > found:
        return None
    return Tariff(
        type=kind,
        price=given.price,
        tiers=tuple(Tier(tier.price, tier.size, tier.flat_fee or Decimal(0)) for tier in given.tiers),
        package_size=given.package_size,
        quantity=given.quantity,
        is_prorated=given.is_prorated or None,
    )


def check_suits_product(problems: Problems, rate_type: str, product: Product) -> None:
    """Whether a product of this type can be charged in this way."""
    suitable = RATE_TYPES_OF.get(Product.Type(product.type), ())
    if rate_type in RATE_TYPES and rate_type not in suitable:
        rule = f"must be one of {', '.join(suitable)} for the {product.type} product {product.name}"
        problems.add("rate_type", rate_type, rule)


def not_negative(problems: Problems, name: str, value: Decimal) -> None:
    if problems.number(name, value) and value < 0:
        problems.add(name, value, "must not be negative")


def above_zero(problems: Problems, name: str, value: Decimal) -> None:
    if problems.number(name, value) and value <= 0:
        problems.add(name, value, "must be greater than 0")


def check_sizes(problems: Problems, path: str, size: Decimal | None, *, is_last: bool, last_may_end: bool) -> None:
    """The size of one of a list of tiers. `last_may_end` where something else holds beyond the last."""
    if size is not None:
        above_zero(problems, f"{path}size", size)
        if is_last and not last_may_end:
            problems.add(f"{path}size", size, "must not be given on the last tier: it takes all the rest")
    elif not is_last:
        problems.add(f"{path}size", None, "is required on every tier but the last")


def _check_presence(problems: Problems, given: TariffInput) -> None:
    for name, types in NEEDED_BY.items():
        value = getattr(given, name)
        is_given = bool(value) if name == "tiers" else value is not None
        if given.rate_type in types:
            if not is_given:
                problems.add(name, None, f"is required for the rate type {given.rate_type}")
        elif is_given and value is not False:
            shown = f"{len(value)} tiers" if name == "tiers" else value
            problems.add(name, shown, f"belongs to the rate type {' or '.join(types)}")


def _check_price(problems: Problems, name: str, price: Decimal, kind: str) -> None:
    if kind not in FRACTIONS:
        not_negative(problems, name, price)
    elif problems.number(name, price) and not 0 <= price <= 1:
        problems.add(name, price, "must be a fraction from 0 to 1: 0.1 is ten percent")


def _check_tier(problems: Problems, path: str, tier: TierInput, kind: str, *, is_last: bool) -> None:
    _check_price(problems, f"{path}price", tier.price, kind)
    check_sizes(problems, path, tier.size, is_last=is_last, last_may_end=False)
    if tier.flat_fee is None:
        return
    if kind == TIERED_PERCENTAGE and tier.flat_fee:
        problems.add(f"{path}flat_fee", tier.flat_fee, "belongs to the rate type TIERED or VOLUME")
    else:
        not_negative(problems, f"{path}flat_fee", tier.flat_fee)
