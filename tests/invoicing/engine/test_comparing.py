"""Why a document comes to more than the one before: the table of the docstring, and that no cent is lost."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing.engine.comparing import Part, compared

CENT = D(1)  # amounts are in cents


def part(quantity, amount, price=None, key="tokens"):
    return Part((key,), key, None if quantity is None else D(quantity), D(amount), None if price is None else D(price))


def rows(before, now):
    totals = {"total_before": sum(each.amount for each in before), "total_now": sum(each.amount for each in now)}
    return compared(before, now, **totals, step=CENT)


@pytest.mark.parametrize(
    ("before", "now", "difference", "by_quantity", "by_price"),
    [
        pytest.param((100, 20_000, 200), (150, 30_000, 200), 10_000, 10_000, 0, id="more of it"),
        pytest.param((100, 20_000, 200), (150, 45_000, 300), 25_000, 10_000, 15_000, id="more, and dearer"),
        pytest.param((100, 20_000, 200), (100, 30_000, 300), 10_000, 0, 10_000, id="dearer"),
        pytest.param((3, 100), (4, 100), 0, 33, -33, id="a mean that does not come out even"),
        pytest.param((10, 1_000, 100), (30, 2_500), 1_500, 2_000, -500, id="tiers"),
        pytest.param((None, -2_000), (None, -3_000), -1_000, None, None, id="without a quantity"),
        pytest.param((0, 500), (3, 900), 400, None, None, id="a fee with nothing used: no price to compare"),
    ],
)
def test_quantity_and_price_are_told_apart(before, now, difference, by_quantity, by_price):
    [row] = rows([part(*before)], [part(*now)])
    assert (row.difference, row.by_quantity, row.by_price) == (difference, by_quantity, by_price)
    assert (row.is_new, row.is_gone) == (False, False)


def test_what_only_one_of_them_has_is_new_or_gone_and_what_neither_used_is_no_row():
    before = [part(5, 500, key="old"), part(0, 0, key="unused")]
    found = rows(before, [part(10, 50, key="young"), part(0, 0, key="old")])
    assert [(row.name, row.difference, row.is_new, row.is_gone) for row in found] == [
        ("young", 50, True, False),
        ("old", -500, False, True),
    ]


def test_several_prices_of_one_thing_are_told_as_a_mean():
    [row] = rows([part(10, 1_000, 100)], [part(10, 1_000, 100), part(20, 1_500, 75)])
    assert (row.is_mean, row.by_quantity, row.by_price) == (True, 2_000, -500)


amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=4, allow_nan=False)
parts = st.builds(
    lambda key, quantity, amount: Part((key,), key, quantity, amount),
    st.sampled_from("abcd"),
    st.none() | st.decimals(min_value=0, max_value=10**6, places=6, allow_nan=False),
    amounts,
)


@given(before=st.lists(parts, max_size=6), now=st.lists(parts, max_size=6), apart=amounts)
def test_the_rows_are_the_difference_of_the_totals(before, now, apart):
    """Whatever the totals have beside the lines: rounding, too."""
    old, new = sum((each.amount for each in before), D(0)), sum((each.amount for each in now), D(0)) + apart
    found = compared(before, now, total_before=old, total_now=new, step=CENT)
    halves_away = [each.quantize(CENT, "ROUND_HALF_UP") for each in (new, old)]
    assert sum(row.difference for row in found) == halves_away[0] - halves_away[1]
    told_apart = [row for row in found if row.by_quantity is not None]
    assert [row.by_quantity + row.by_price for row in told_apart] == [row.difference for row in told_apart]
