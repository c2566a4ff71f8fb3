"""The tables in the docstring of `invoicing.engine.reasons`: who has to act, and how far a review reaches."""

from decimal import Decimal as D
from fractions import Fraction

import pytest

from billing_site.foundation.periods import Period
from invoicing.engine.bounds import ABOVE, BELOW, Billed, Bounds, OutOfBounds
from invoicing.engine.findings import NEGATIVE_PERIOD, TOO_LARGE
from invoicing.engine.reasons import (
    BY_HAND,
    FINANCE,
    NO_TAX_RATE,
    OPERATIONS,
    QUIET,
    REVENUE_OPERATIONS,
    Reason,
    Seen,
    of_bounds,
    who_mends,
)
from invoicing.engine.stretches import NO_CONVERSION, TWO_CONTRACTS
from pricing.engine.prices import Unpriced
from tests.invoicing.engine.world import NOVEMBER, OCTOBER

RULE = Bounds(Fraction(3), Fraction(1, 3), D(1))


def bounds(kind: str, total: str, rule: Bounds = RULE) -> Reason:
    """100 is usual."""
    now = Billed(D(total), Period(OCTOBER, NOVEMBER))
    return of_bounds(OutOfBounds(kind, Fraction(100), 3), now, rule, "far from it")


def quiet(source: str) -> Reason:
    return Reason(QUIET, "no usage", OPERATIONS, about=source)


def by_hand(hold: str) -> Reason:
    return Reason(BY_HAND, "wait", FINANCE, about=hold)


@pytest.mark.parametrize(
    ("reviewed", "now", "is_held"),
    [
        (bounds(ABOVE, "400"), bounds(ABOVE, "400"), False),
        (bounds(ABOVE, "400"), bounds(ABOVE, "310"), False),
        (bounds(ABOVE, "400"), bounds(ABOVE, "410"), False),
        (bounds(ABOVE, "400"), bounds(ABOVE, "411"), True),
        (bounds(ABOVE, "400"), bounds(BELOW, "10"), True),
        (quiet("tokens of acme"), quiet("tokens of acme"), False),
        (quiet("tokens of acme"), quiet("calls of acme"), True),
        (by_hand("Monday"), by_hand("Monday"), False),
        (by_hand("Monday"), by_hand("Tuesday"), True),
        (Reason(NO_TAX_RATE, "none", FINANCE), Reason(NO_TAX_RATE, "none", FINANCE), True),
    ],
)
def test_how_far_a_review_reaches(reviewed, now, is_held):
    seen = [Seen("OTHER", "", None), Seen(reviewed.kind, reviewed.about, reviewed.measure)]
    assert now.is_covered_by(seen) != is_held
    assert not now.is_covered_by([])


def test_the_least_difference_that_matters_may_come_on_top():
    wide = Bounds(Fraction(3), Fraction(1, 3), D(50))
    seen = [Seen(ABOVE, "", D(400))]
    assert [bounds(ABOVE, total, wide).is_covered_by(seen) for total in ("450", "451")] == [True, False]


def test_another_amount_is_another_key():
    assert [bounds(ABOVE, "400.00").key, bounds(ABOVE, "411").key, by_hand("7").key] == [
        "ABOVE  400",
        "ABOVE  411",
        "BY_HAND 7 ",
    ]


@pytest.mark.parametrize("kind", [Unpriced.NO_RATE, NO_CONVERSION, TWO_CONTRACTS, TOO_LARGE])
def test_who_mends_a_price(kind):
    assert who_mends(kind) == REVENUE_OPERATIONS


@pytest.mark.parametrize("kind", [NEGATIVE_PERIOD, "UNREAD_VALUE"])
def test_who_mends_what_was_measured(kind):
    assert who_mends(kind) == OPERATIONS
