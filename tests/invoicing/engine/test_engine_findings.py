"""Usage that is not billed is said so, with its size."""

import pytest

from billing_site.foundation.periods import Period
from invoicing.engine.documents import Result
from invoicing.engine.inputs import Posted
from tests.invoicing.engine.world import (
    LATE_OCTOBER,
    NOVEMBER,
    OCTOBER,
    D,
    card,
    computed,
    contract,
    given,
    on,
    override,
    product,
    rate,
    read,
    target,
    the_usage,
    uid,
    usage_documents,
    used,
)

MODEL = product("Tokens", pricing_group_key=("model",))
BY_MODEL = card(rate("Tokens", "5", values=(("model", "xl"),)))


def findings(result: Result) -> list[tuple]:
    return [(found.kind, found.blocking, found.values, found.quantity, found.period) for found in result.findings]


@pytest.mark.parametrize("model", ["nano", None])
def test_a_combination_without_a_rate_blocks(model):
    result = computed(
        given(LATE_OCTOBER, [contract()], [BY_MODEL], [MODEL]),
        [used("Tokens", on(10, 5), 3, model="xl"), used("Tokens", on(10, 6), 4, model=model)],
    )
    assert findings(result) == [("NO_RATE", True, (("model", model),), 4, Period(OCTOBER, NOVEMBER))]
    assert the_usage(result).findings == result.findings
    assert result.findings[0].message == (
        f"Tokens (model: {model or 'none'}): 4 metered, and the rate card List has no rate for it."
    )
    assert the_usage(result).total == 15


def test_a_document_that_could_bill_nothing_is_there_to_be_held():
    result = computed(
        given(LATE_OCTOBER, [contract()], [BY_MODEL], [MODEL]), [used("Tokens", on(10, 6), 4, model="nano")]
    )
    assert (the_usage(result).lines, the_usage(result).total) == ((), 0)
    assert [finding.blocking for finding in the_usage(result).findings] == [True]


def test_without_usage_a_grouped_product_has_no_line_and_no_document():
    assert computed(given(LATE_OCTOBER, [contract()], [BY_MODEL], [MODEL])).documents == ()


def test_a_gap_in_prices_blocks():
    prices = card(rate("A", "5", ending_before=on(10, 10)), rate("A", "6", starting_at=on(10, 12)))
    events = [used("A", on(10, day), 1) for day in (9, 10, 11, 12)]
    result = computed(given(LATE_OCTOBER, [contract()], [prices], [product("A")]), events)
    assert findings(result) == [("NO_RATE", True, (), 2, Period(on(10, 10), on(10, 12)))]
    assert read(the_usage(result)) == [
        ("A", "01 Oct - 10 Oct", "1", "5", "5", ""),
        ("A", "12 Oct - 01 Nov", "1", "6", "6", ""),
    ]


def test_what_the_contract_does_not_entitle_to_is_only_listed():
    prices = card(rate("A", "5"), rate("B", "5", entitled=False))
    result = computed(
        given(LATE_OCTOBER, [contract()], [prices], [product("A"), product("B")]), [used("B", on(10, 5), 7)]
    )
    assert findings(result) == [("NOT_ENTITLED", False, (), 7, Period(OCTOBER, NOVEMBER))]
    assert read(the_usage(result)) == [("A", "01 Oct - 01 Nov", "0", "5", "0", "")]


def test_nothing_is_not_worth_a_finding():
    events = [used("Tokens", on(10, 5), 3, model="nano"), used("Tokens", on(10, 6), -3, model="nano")]
    assert computed(given(LATE_OCTOBER, [contract()], [BY_MODEL], [MODEL]), events).findings == ()


def test_an_override_may_entitle_and_may_take_it_away():
    prices = card(rate("A", "5"), rate("B", "5", entitled=False))
    overrides = (
        override(targets=(target("B"),), entitled=True, period=Period(on(10, 10), on(10, 20))),
        override(targets=(target("A"),), entitled=False, period=Period(on(10, 15))),
    )
    events = [used(name, on(10, day), 1) for name in "AB" for day in (5, 12, 17, 25)]
    result = computed(
        given(LATE_OCTOBER, [contract(overrides=overrides)], [prices], [product("A"), product("B")]), events
    )
    assert read(the_usage(result)) == [
        ("A", "01 Oct - 15 Oct", "2", "5", "10", ""),
        ("B", "10 Oct - 20 Oct", "2", "5", "10", ""),
    ]
    assert findings(result) == [
        ("NOT_ENTITLED", False, (), 2, Period(on(10, 15), NOVEMBER)),
        ("NOT_ENTITLED", False, (), 2, Period(OCTOBER, NOVEMBER)),
    ]


def test_entitled_to_a_product_that_the_card_does_not_price():
    overrides = (override(targets=(target("B"),), entitled=True),)
    result = computed(
        given(LATE_OCTOBER, [contract(overrides=overrides)], [card(rate("A", "5"))], [product("A"), product("B")]),
        [used("B", on(10, 5), 7)],
    )
    assert findings(result) == [("NO_RATE", True, (), 7, Period(OCTOBER, NOVEMBER))]


def test_what_two_contracts_sell_at_the_same_hour_is_billed_in_neither():
    contracts = [contract(name="one"), contract(on(10, 10), on(10, 20), name="two")]
    events = [used("A", on(10, day), 1) for day in (5, 12, 25)]
    result = computed(given(LATE_OCTOBER, contracts, [card(rate("A", "5"))], [product("A")]), events)
    assert findings(result) == [("TWO_CONTRACTS", True, (), 1, Period(on(10, 10), on(10, 20)))] * 2
    assert {finding.contract_id for finding in result.findings} == {uid("one"), uid("two")}
    assert sorted(document.total for document in usage_documents(result)) == [0, 10]


def test_a_contract_that_is_final_still_wants_its_usage():
    posted = Posted(frozenset({(uid("one"), "USAGE", "2025-10-01T00:00:00+00:00")}), {}, {})
    contracts = [contract(name="one"), contract(name="two", created_at=on(11, 3))]
    inputs = given(LATE_OCTOBER, contracts, [card(rate("A", "5"))], [product("A")], posted=posted)
    assert findings(computed(inputs, [used("A", on(10, 5), 1)])) == [
        ("TWO_CONTRACTS", True, (), 1, Period(OCTOBER, NOVEMBER))
    ]


def test_what_one_contract_bills_the_other_does_not_miss():
    """Two cards price different models of one product: each unit has one seller, and nothing is wrong."""
    small = card(rate("Tokens", "1", values=(("model", "s"),)), name="small")
    large = card(rate("Tokens", "9", values=(("model", "xl"),)), name="large")
    contracts = [contract(name=name, rate_card_id=uid(name)) for name in ("small", "large")]
    events = [used("Tokens", on(10, 5), 10, model=model) for model in ("s", "xl")]
    result = computed(given(LATE_OCTOBER, contracts, [small, large], [MODEL]), events)
    assert sorted(document.total for document in usage_documents(result)) == [10, 90]
    assert result.findings == ()


def test_a_period_below_zero_blocks():
    events = [used("A", on(10, 5), 3), used("A", on(10, 7), -5)]
    result = computed(given(LATE_OCTOBER, [contract()], [card(rate("A", "5"))], [product("A")]), events)
    assert findings(result) == [("NEGATIVE_PERIOD", True, (), -2, Period(OCTOBER, NOVEMBER))]
    assert the_usage(result).total == 0


@pytest.mark.parametrize(
    ("price", "quantity", "is_held"),
    [
        pytest.param("1", 10**22, True, id="units"),
        pytest.param("0", 10**22, True, id="units that cost nothing"),
        pytest.param("10000000", 10**15, True, id="an amount"),
        pytest.param("9999999", 10**15, False, id="a great amount"),
    ],
)
def test_what_no_document_can_keep_is_held(price, quantity, is_held):
    prices = card(rate("A", price))
    result = computed(given(LATE_OCTOBER, [contract()], [prices], [product("A")]), [used("A", on(10, 5), quantity)])
    held = [("TOO_LARGE", True, (), quantity, Period(OCTOBER, NOVEMBER))]
    assert findings(result) == (held if is_held else [])


def test_what_is_reversed_first_is_filled_up_first():
    events = [used("A", on(10, 5), -5), used("A", on(10, 7), 8)]
    result = computed(given(LATE_OCTOBER, [contract()], [card(rate("A", "5"))], [product("A")]), events)
    assert read(the_usage(result)) == [("A", "01 Oct - 01 Nov", "3", "5", "15", "")]
    assert findings(result) == []
    assert the_usage(result).lines[0].parts[0].metric_quantity == D(3)


def test_a_reversal_takes_back_the_latest_price_first():
    prices = card(rate("A", "1"), rate("A", "10", starting_at=on(10, 15)))
    events = [used("A", on(10, 5), 6), used("A", on(10, 20), 4), used("A", on(10, 25), -5)]
    result = computed(given(LATE_OCTOBER, [contract()], [prices], [product("A")]), events)
    assert read(the_usage(result)) == [("A", "01 Oct - 15 Oct", "5", "1", "5", "")]


def test_listed_usage_of_a_period_without_a_document_is_not_dropped():
    not_sold = card(rate("Tokens", "5", values=(("model", "xl"),), entitled=False))
    result = computed(
        given(LATE_OCTOBER, [contract()], [not_sold], [MODEL]), [used("Tokens", on(10, 6), 4, model="xl")]
    )
    assert result.documents == ()
    assert findings(result) == [("NOT_ENTITLED", False, (("model", "xl"),), 4, Period(OCTOBER, NOVEMBER))]
