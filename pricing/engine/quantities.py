"""From what a metric counted to what is sold: convert first, then round the period's quantity.

Rounding is not additive, so it is applied to the running total of the period: what a part of the usage adds to the
bill is `f(before + part) - f(before)`. The parts of any split add up to the rounded whole.

Rounded up to whole units, three parts of 0.4:

    before  after   f(before)  f(after)   billed for the part
    0       0.4     0          1          1
    0.4     0.8     1          1          0
    0.8     1.2     1          2          1

A running total below zero (more was reversed than used so far) sells nothing; what follows fills it up first.
"""

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from billing_site.foundation.money import ratio
from pricing.engine.catalog import Conversion, Rounding

ZERO = Fraction(0)


def billable(metered: Decimal, conversion: Conversion | None, rounding: Rounding | None) -> Fraction:
    """The sold quantity of a period in which `metered` has been counted so far; never negative."""
    quantity = converted(max(metered, Decimal(0)), conversion)
    return quantity if rounding is None else _rounded(quantity, rounding)


def billable_part(before: Decimal, part: Decimal, conversion: Conversion | None, rounding: Rounding | None) -> Fraction:
    """What counting `part` after `before` adds to the sold quantity; negative where it takes away."""
    if rounding is None and before >= 0 and part >= 0:
        return converted(part, conversion)  # the same, as conversion alone is linear
    return billable(before + part, conversion, rounding) - billable(before, conversion, rounding)


def converted(metered: Decimal, conversion: Conversion | None) -> Fraction:
    """Metric units as sold units, exact."""
    if conversion is None:
        return ratio(metered)
    if conversion.operation == "DIVIDE":
        return ratio(metered) / ratio(conversion.factor)
    return ratio(metered) * ratio(conversion.factor)


def _rounded(quantity: Fraction, rounding: Rounding) -> Fraction:
    step = Fraction(10) ** -rounding.decimal_places
    count = quantity / step
    if rounding.method == "ROUND_UP":
        return ceil(count) * step
    if rounding.method == "ROUND_DOWN":
        return floor(count) * step
    return floor(count + Fraction(1, 2)) * step  # quantities are not negative: half up is half away from zero
