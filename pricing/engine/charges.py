"""What a part of a period's quantity costs.

Every charge is a difference of a cumulative function of the period's quantity, `f(before + part) - f(before)`, so
that no way of splitting the usage can change the bill. FLAT: f(x) = price * x.
"""

from fractions import Fraction

from pricing.engine.prices import Price


def charge(price: Price, before: Fraction, part: Fraction) -> Fraction:
    """The exact charge for `part` after `before` units of the period.

    A flat price is linear: where the part begins does not matter to it.
    """
    return part * price.per_unit


def units_for(price: Price, before: Fraction, part: Fraction, amount: Fraction) -> Fraction:
    """How much of `part`, from its beginning, `amount` pays for; `amount` is less than its charge."""
    return part * (amount / charge(price, before, part))
