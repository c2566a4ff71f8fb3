"""What is charged for a period whatever is used: the rates of subscriptions.

Such a rate is found by how often it is due (`Offer.billing_frequency`), and its price by `price_at` like any other.
This is the charge for a full period; what of it falls into a shorter one is for the subscription to say.

    rate                      quantity      override   fee
    FLAT 100 a month          3 seats       -          300
    FLAT 100 a month          3 seats       half       150
    TIERED 100 for 2, then 80 3 seats       -          280
    SUBSCRIPTION 100 for 5    5 of its own  -          500
"""

from dataclasses import replace
from fractions import Fraction

from pricing.engine.charges import charge
from pricing.engine.prices import Price
from pricing.engine.tariffs import FLAT, SUBSCRIPTION, Tariff


def period_fee(price: Price, quantity: Fraction) -> Fraction:
    """The exact fee for a full period of `quantity`; a SUBSCRIPTION rate goes by a quantity of its own."""
    own = own_quantity(price)
    charged = quantity if own is None else own
    return charge(by_the_unit(price).steps(charged), Fraction(0), charged)


def own_quantity(price: Price) -> Fraction | None:
    """What a SUBSCRIPTION rate says is charged for, whatever the subscription's quantity."""
    return Fraction(price.tariff.quantity or 0) if price.tariff.type == SUBSCRIPTION else None


def by_the_unit(price: Price) -> Price:
    """The price with its fees as what one of a quantity costs for a full period."""
    return replace(price, tariff=_flat(price.tariff), rate=replace(price.rate, tariff=_flat(price.rate.tariff)))


def _flat(tariff: Tariff) -> Tariff:
    return replace(tariff, type=FLAT) if tariff.type == SUBSCRIPTION else tariff
