"""The table of `invoicing.engine.historical`: what was invoiced elsewhere, at what the contract had it cost."""

from dataclasses import replace

import pytest

from billing_site.foundation.periods import Period
from invoicing.engine.historical import CannotBePriced, PastUsage, past_lines
from tests.invoicing.engine.one_product import TEN_THEN_EIGHT, A
from tests.invoicing.engine.world import EUR, D, card, contract, given, on, override, plain, rate, uid

FIRST, MIDDLE, END = on(10, 1), on(10, 15), on(11, 1)
WHOLE = Period(FIRST, END)
HALVES = [(Period(FIRST, MIDDLE), 60), (Period(MIDDLE, END), 40)]
CHEAPER = [rate("A", "3", ending_before=MIDDLE), rate("A", "2", starting_at=MIDDLE)]


def lines(*quantities, rates, products=(A,), **terms):
    agreed, prices = contract(**terms), card(*rates)
    inputs = given(on(12, 1), [agreed], [prices], products)
    past = PastUsage(uid("A"), (), (), tuple((period, D(quantity)) for period, quantity in quantities))
    return list(past_lines(past, agreed, prices, inputs.catalog))


def shown(found):
    return [
        (line.period.starting_at.day, plain(line.quantity), plain(line.unit_price), plain(line.total)) for line in found
    ]


@pytest.mark.parametrize(
    ("quantities", "rates", "expected"),
    [
        ([(WHOLE, 100)], CHEAPER, [(1, "100", "3", "300")]),
        (HALVES, CHEAPER, [(1, "60", "3", "180"), (15, "40", "2", "80")]),
        (HALVES, [rate("A", "3")], [(1, "100", "3", "300")]),
        (
            [(Period(FIRST, MIDDLE), 60), (Period(MIDDLE, END), 70)],
            [rate("A", "0", tariff=TEN_THEN_EIGHT)],
            [(1, "100", "10", "1,005"), (15, "30", "8", "243")],
        ),
    ],
    ids=["a month", "two prices", "one price", "tiers"],
)  # fmt: skip
def test_usage_of_before_is_priced_as_the_contract_had_it(quantities, rates, expected):
    assert shown(lines(*quantities, rates=rates)) == expected


def test_a_discount_is_told_beside_the_list_price():
    [line] = lines((WHOLE, 10), rates=[rate("A", "3")], overrides=(override("0.5"),))
    assert (line.unit_price, line.list_price, line.total, line.parts[0].override_id is None) == (D("1.5"), 3, 15, False)
    assert line.parts[0].list_amount == 30


@pytest.mark.parametrize(
    ("rates", "terms", "products", "why"),
    [
        ([], {}, (A,), "was part of the deal"),
        ([rate("A", "3", values=(("model", "xl"),))], {}, (A,), "must have a price on the rate card"),
        ([rate("A", "3")], {"overrides": (override(entitled=False),)}, (A,), "was part of the deal"),
        ([rate("A", "3", unit=EUR)], {}, (A,), "its price is in EUR"),
        ([rate("A", "3")], {}, (replace(A, starting_at=END),), "once the product is defined"),
    ],
    ids=["on no card", "no price", "not part of the deal", "another unit", "no product yet"],
)
def test_what_has_no_price_says_why(rates, terms, products, why):
    with pytest.raises(CannotBePriced, match=why):
        lines((WHOLE, 1), rates=rates, products=products, **terms)
