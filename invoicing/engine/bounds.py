"""Whether a usage document is far above or below what the contract was billed lately.

Compared is what a document comes to before tax, by the hour, as first periods are short and months are not alike. Of
up to six usage documents before it the median counts, so that one odd month moves nothing; with fewer than three
nothing is usual yet. What is usual is never less than zero. With the bounds 3 and 1/3, and a least difference of 10:

    documents before it, 30 days each      this one              what it is
    100, 100                               9000 in 30 days       nothing is usual yet
    100, 100, 100                          300 in 30 days        usual: not more than three times as much
    100, 100, 100                          300.01 in 30 days     ABOVE 100
    100, 100, 100                          34 in 30 days         usual
    100, 100, 100                          33 in 30 days         BELOW 100
    100, 100, 100                          0 in 30 days          BELOW 100
    90, 100, 5000                          310 in 30 days        ABOVE 100: the odd month is not what is usual
    100, 100, 200, 300                     450 in 30 days        usual: between the two in the middle lies 150
    100, 100, 200, 300                     451 in 30 days        ABOVE 150
    3, 3, 3                                12.99 in 30 days      usual: it differs by less than 10
    3, 3, 3                                13 in 30 days         ABOVE 3
    0, 0, 0                                10 in 30 days         ABOVE 0
    -50, -50, -50                          0 in 30 days          usual: nothing is what is usual
    100, 100, 100                          100 in 5 days         ABOVE 16.67: a sixth of the time
    300, 300, 300                          50 in 5 days          usual
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from statistics import median

from billing_site.foundation.periods import HOUR, Period

LEAST_DOCUMENTS = 3
MOST_DOCUMENTS = 6

ABOVE, BELOW = "ABOVE", "BELOW"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Out of bounds is what is more than `above` times, or less than `below` times, what is usual, and differs from it
    by at least `least_difference` wire units."""

    above: Fraction
    below: Fraction
    least_difference: Decimal


@dataclass(frozen=True, slots=True)
class Billed:
    """What a usage document came to before tax, in wire units, for a closed period."""

    total: Decimal
    period: Period

    @property
    def hours(self) -> int:
        assert self.period.ending_before is not None
        return (self.period.ending_before - self.period.starting_at) // HOUR


@dataclass(frozen=True, slots=True)
class OutOfBounds:
    """`kind` is ABOVE or BELOW; `usual` is what the last `documents` documents make usual for as long a period."""

    kind: str
    usual: Fraction
    documents: int


def out_of_bounds(now: Billed, before: Sequence[Billed], bounds: Bounds) -> OutOfBounds | None:
    """How `now` is out of bounds, or None. `before` are the documents before it, the last one first."""
    recent = before[:MOST_DOCUMENTS]
    if len(recent) < LEAST_DOCUMENTS:
        return None
    usual = max(median(Fraction(each.total) / each.hours for each in recent) * now.hours, Fraction(0))
    total = Fraction(now.total)
    if abs(total - usual) < Fraction(bounds.least_difference):
        return None
    if total > bounds.above * usual:
        return OutOfBounds(ABOVE, usual, len(recent))
    if total < bounds.below * usual:
        return OutOfBounds(BELOW, usual, len(recent))
    return None
