"""Convert first, then round the period's quantity, part by part."""

from decimal import Decimal as D
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.engine.catalog import Conversion, Rounding
from pricing.engine.quantities import billable, billable_part, converted

MILLION = Conversion(D(1_000_000), "DIVIDE")


@pytest.mark.parametrize(
    ("metered", "conversion", "sold"),
    [
        pytest.param("7.5", None, Fraction(15, 2), id="as it is"),
        pytest.param("1500000", MILLION, Fraction(3, 2), id="divide"),
        pytest.param("10", Conversion(D(3), "DIVIDE"), Fraction(10, 3), id="divide by three, exactly"),
        pytest.param("10", Conversion(D("0.1"), "MULTIPLY"), Fraction(1), id="multiply"),
    ],
)
def test_conversion(metered, conversion, sold):
    assert converted(D(metered), conversion) == sold


@pytest.mark.parametrize(
    ("method", "places", "expected"),
    [
        ("ROUND_UP", 0, ["1", "2", "2", "3", "0"]),
        ("ROUND_DOWN", 0, ["0", "1", "1", "2", "0"]),
        ("ROUND_HALF_UP", 0, ["0", "2", "1", "3", "0"]),
        ("ROUND_UP", 1, ["0.1", "1.5", "1.5", "2.5", "0"]),
        ("ROUND_DOWN", -1, ["0", "0", "0", "0", "0"]),
        ("ROUND_DOWN", 1, ["0", "1.5", "1.4", "2.5", "0"]),
        ("ROUND_HALF_UP", 1, ["0", "1.5", "1.5", "2.5", "0"]),
    ],
)
def test_rounding(method, places, expected):
    rounding = Rounding(places, method)
    quantities = ["0.000001", "1.5", "1.499999", "2.5", "0"]
    assert [billable(D(quantity), None, rounding) for quantity in quantities] == [D(each) for each in expected]


def test_the_table_of_the_module():
    up = Rounding(0, "ROUND_UP")
    parts = [billable_part(D(before), D("0.4"), None, up) for before in ("0", "0.4", "0.8")]
    assert parts == [1, 0, 1]


def test_conversion_comes_before_rounding():
    assert billable(D(1_000_001), MILLION, Rounding(0, "ROUND_UP")) == 2


def test_more_reversed_than_used_sells_nothing_and_is_filled_up_first():
    assert billable_part(D(3), D(-5), None, None) == -3
    assert billable_part(D(-2), D(1), None, None) == 0
    assert billable_part(D(-1), D(5), None, None) == 4


quantities = st.lists(st.decimals(D(-50), D(50), places=3, allow_nan=False, allow_infinity=False), max_size=12)
conversions = st.sampled_from([None, MILLION, Conversion(D(3), "DIVIDE"), Conversion(D("0.7"), "MULTIPLY")])
roundings = st.none() | st.builds(
    Rounding, st.integers(-1, 3), st.sampled_from(["ROUND_UP", "ROUND_DOWN", "ROUND_HALF_UP"])
)


@given(quantities, conversions, roundings)
def test_the_parts_of_any_split_add_up_to_the_whole(parts, conversion, rounding):
    before, sold = D(0), Fraction(0)
    for part in parts:
        sold += billable_part(before, part, conversion, rounding)
        before += part
    assert sold == billable(sum(parts, D(0)), conversion, rounding) >= 0
