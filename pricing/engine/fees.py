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
from pricing.engine.steps import steps_of
from pricing.engine.tariffs import FLAT, SUBSCRIPTION


def period_fee(price: Price, quantity: Fraction) -> Fraction:
    """The exact fee for a full period of `quantity`; a SUBSCRIPTION rate goes by a quantity of its own."""
    if price.tariff.type == SUBSCRIPTION:
        steps = steps_of(replace(price.tariff, type=FLAT), price.multiples)
        return charge(steps, Fraction(0), Fraction(price.tariff.quantity or 0))
    return charge(price.steps(quantity), Fraction(0), quantity)
