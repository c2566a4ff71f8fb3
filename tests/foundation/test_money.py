from decimal import Decimal as D
from decimal import Inexact, localcontext
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_site.foundation.money import (
    QUANTUM,
    MixedUnits,
    Money,
    Unit,
    exact_decimal,
    exact_sum,
    exact_total,
    floor_to,
    largest_remainder,
    round_to,
)

USD = Unit(UUID(int=1), "USD (cents)", wire_exponent=2, minor_exponent=2)
EUR = Unit(UUID(int=2), "EUR", wire_exponent=0, minor_exponent=2)
JPY = Unit(UUID(int=3), "JPY", wire_exponent=0, minor_exponent=0)
KWD = Unit(UUID(int=4), "KWD", wire_exponent=0, minor_exponent=3)

amounts = st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**20), max_value=10**20)


@pytest.mark.parametrize(
    ("unit", "amount", "rounded"),
    [
        pytest.param(USD, "0.5", "1", id="half a cent is a cent"),
        pytest.param(USD, "-0.5", "-1", id="away from zero below it, too"),
        pytest.param(USD, "0.499999999999", "0", id="just under half is nothing"),
        pytest.param(USD, "2.5", "3", id="not to the even neighbour"),
        pytest.param(EUR, "1.005", "1.01", id="euros are whole on the wire and pay cents"),
        pytest.param(EUR, "1.004999999999", "1.00", id="euros just under half"),
        pytest.param(JPY, "1.5", "2", id="yen have no smaller coin"),
        pytest.param(KWD, "1.0005", "1.001", id="dinars pay a thousandth"),
    ],
)
def test_money_rounds_half_away_from_zero_to_what_can_be_paid(unit, amount, rounded):
    assert Money(D(amount), unit).rounded() == Money(D(rounded), unit)


def test_money_of_two_units_cannot_be_added():
    with pytest.raises(MixedUnits, match=r"USD .* and EUR"):
        Money(D(1), USD) + Money(D(1), EUR)


@pytest.mark.parametrize("amount", [1.5, 1, "1"])
def test_only_decimals_are_money(amount):
    with pytest.raises(TypeError, match="Decimal"):
        Money(amount, USD)


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity"])
def test_money_is_finite(amount):
    with pytest.raises(ValueError, match="finite"):
        Money(D(amount), USD)


@given(st.lists(st.fractions(max_denominator=9)))
def test_a_total_is_the_sum(ratios):
    assert exact_total(ratios) == sum(ratios)


def test_three_equal_shares_of_a_hundred_cents():
    assert largest_remainder([Fraction(100, 3)] * 3, D(100), D(1)) == [D(34), D(33), D(33)]


@given(shares=st.lists(amounts, min_size=1, max_size=30))
def test_largest_remainder_reaches_the_rounded_total_and_moves_no_share_by_a_step(shares):
    total = round_to(exact_sum(shares), D("0.01"))
    parts = largest_remainder(shares, total, D("0.01"))
    assert exact_sum(parts) == total
    assert all(
        abs(Fraction(part) - Fraction(share)) < Fraction(1, 100) for part, share in zip(parts, shares, strict=True)
    )


def test_a_total_out_of_reach_is_refused():
    with pytest.raises(ValueError, match="cannot be reached"):
        largest_remainder([Fraction(1)], D(3), D(1))


@given(amounts, st.sampled_from([D(1), D("0.01"), D("0.001"), QUANTUM]))
def test_rounding_goes_to_the_nearest_step_and_flooring_never_up(amount, step):
    rounded, floor = Fraction(round_to(amount, step)), Fraction(floor_to(amount, step))
    assert abs(rounded - Fraction(amount)) * 2 <= Fraction(step)
    assert floor <= Fraction(amount) < floor + Fraction(step)


def test_38_digits_times_38_digits_stay_exact():
    with localcontext() as context:
        context.traps[Inexact] = True
        assert exact_sum([D(10) ** 37, QUANTUM]) == D("1" + "0" * 37 + ".000000000001")
        assert round_to(Fraction(10**37, 3), QUANTUM) == D("3" * 37 + "." + "3" * 12)


def test_a_third_has_no_decimal_and_a_quarter_has():
    assert exact_decimal(Fraction(1, 3)) is None
    assert exact_decimal(Fraction(1, 4)) == D("0.25")
