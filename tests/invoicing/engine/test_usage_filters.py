"""Which usage is a contract's: the tables of docs/usage_filters.md."""

from dataclasses import replace

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from billing_site.foundation.periods import Period
from contracts.terms import UsageFilter, are_apart
from tests.invoicing.engine.world import (
    NOVEMBER,
    OCTOBER,
    D,
    card,
    computed,
    contract,
    given,
    on,
    prepaid,
    product,
    rate,
    read,
    tiers,
    uid,
    usage_documents,
    used,
)

LATE_NOVEMBER, MID_NOVEMBER = on(11, 30, 23), on(11, 15)
CALLS = product("Calls")


def only(*regions, since=OCTOBER, key="region"):
    return UsageFilter(since, key, frozenset(regions))


NORTH = contract(name="north", usage_filters=(only("eu"),))
SOUTH = contract(name="south", usage_filters=(only("us"), only("us", "asia", since=MID_NOVEMBER)))
EVENTS = [
    used("Calls", start, quantity, region=region)
    for start in (on(10, 7), on(11, 7), on(11, 20))
    for region, quantity in (("eu", 100), ("us", 50), ("asia", 10), (None, 5))
]


def months(result, name):
    """What a contract's documents bill of calls: how many, and what they come to."""
    documents = [each for each in usage_documents(result) if each.contract_id == uid(name)]
    return [(sum(line.quantity for line in each.lines), each.total) for each in documents]


def listed(result, name):
    """What is said to be left out, by the month."""
    found = [each for each in result.findings if each.contract_id == uid(name)]
    assert {(each.kind, each.blocking) for each in found} <= {("LEFT_OUT", False)}
    return [(each.period, each.quantity) for each in found]


def test_two_contracts_on_one_price_list_bill_what_their_filters_let_in():
    result = computed(given(LATE_NOVEMBER, [NORTH, SOUTH], [card(rate("Calls", "2"))], [CALLS]), EVENTS)
    assert months(result, "north") == [(100, 200), (200, 400)]
    assert months(result, "south") == [(50, 100), (110, 220)]
    october, november = Period(OCTOBER, NOVEMBER), Period(NOVEMBER, on(12, 1))
    # Whoever sells it lists what nobody takes; from 15 November on South takes asia.
    assert listed(result, "north") == listed(result, "south") == [(october, 15), (november, 20)]


def test_what_a_filter_lets_in_stands_in_one_tier():
    prices = card(rate("Calls", "0", tariff=tiers(("2", "80"), ("1",))))
    result = computed(given(LATE_NOVEMBER, [NORTH, SOUTH], [prices], [CALLS]), EVENTS)
    assert months(result, "south")[1] == (110, 190)


def test_a_balance_pays_for_what_is_let_in_alone():
    pack = prepaid("250", contract_id=uid("north"))
    north = replace(NORTH, commits=(pack,))
    result = computed(given(LATE_NOVEMBER, [north, SOUTH], [card(rate("Calls", "2"))], [CALLS]), EVENTS)
    assert [document.total for document in usage_documents(result) if document.contract_id == north.id] == [0, 350]
    assert months(result, "south") == [(50, 100), (110, 220)]


def test_before_its_first_filter_everything_is_a_contracts():
    later = contract(usage_filters=(only("eu", since=MID_NOVEMBER),))
    result = computed(given(LATE_NOVEMBER, [later], [card(rate("Calls", "2"))], [CALLS]), EVENTS)
    assert months(result, "Acme") == [(165, 330), (265, 530)]
    assert [quantity for _, quantity in listed(result, "Acme")] == [65]


def test_a_filter_begins_with_its_hour():
    hourly = contract(usage_filters=(only("eu"), only("us", since=on(10, 10, 5))))
    events = [used("Calls", on(10, 10, hour), 1, region=region) for hour in (4, 5) for region in ("eu", "us")]
    result = computed(given(LATE_NOVEMBER, [hourly], [card(rate("Calls", "2"))], [CALLS]), events)
    assert months(result, "Acme")[0] == (2, 4)


def test_where_filters_do_not_keep_them_apart_neither_bills():
    south = replace(SOUTH, usage_filters=(only("us", "eu", since=MID_NOVEMBER),))
    result = computed(given(LATE_NOVEMBER, [NORTH, south], [card(rate("Calls", "2"))], [CALLS]), EVENTS)
    kinds = {(each.kind, each.blocking) for each in result.findings}
    assert ("TWO_CONTRACTS", True) in kinds


def test_without_a_price_a_filter_says_nothing():
    """What is not priced is not missed: the contract that has the price bills it."""
    cards = [card(rate("Calls", "2"), name="north"), card(rate("Else", "2"), name="south")]
    contracts = [replace(NORTH, rate_card_id=uid("north")), replace(SOUTH, rate_card_id=uid("south"))]
    result = computed(given(LATE_NOVEMBER, contracts, cards, [CALLS, product("Else")]), EVENTS)
    assert months(result, "south") == [(0, 0), (0, 0)]
    assert listed(result, "south") == []


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        pytest.param(only("eu"), only("us"), True, id="two regions"),
        pytest.param(only("eu"), only("us", "eu"), False, id="one in both"),
        pytest.param(None, only("us"), False, id="one takes everything"),
        pytest.param(None, None, False, id="both take everything"),
        pytest.param(only("eu"), only("ml", key="team"), False, id="of two keys"),
    ],
)
def test_when_two_filters_are_apart(one, other, apart):
    assert are_apart(one, other) == are_apart(other, one) == apart


REGIONS = st.sampled_from(["eu", "us", "asia", None])
USED = st.lists(st.tuples(st.integers(0, 1_400), REGIONS, st.integers(1, 50)), max_size=6)


@drawn(USED, st.integers(0, 1_400))
def test_contracts_that_share_all_values_bill_together_what_one_bills_alone(calls, hour):
    """And an idle change of filters in between changes nothing."""
    events = [used("Calls", on(10, 1) + i * (on(10, 1, 1) - on(10, 1)), n, region=r or "none") for i, r, n in calls]
    again = on(10, 1) + hour * (on(10, 1, 1) - on(10, 1))
    shares = [("eu",), ("us", "none"), ("asia",)]
    contracts = [
        contract(name=values[0], usage_filters=(only(*values), only(*values, since=again))) for values in shares
    ]
    prices = card(rate("Calls", "2"))
    apart = computed(given(LATE_NOVEMBER, contracts, [prices], [CALLS]), events)
    alone = computed(given(LATE_NOVEMBER, [contract()], [prices], [CALLS]), events)
    assert apart.findings == alone.findings == ()
    assert sum(each.total for each in usage_documents(apart)) == sum(each.total for each in usage_documents(alone))
    assert D(sum(n for _, _, n in calls)) * 2 == sum(each.total for each in usage_documents(alone))


def test_the_lines_are_those_without_a_filter():
    plain, filtered = (
        computed(given(LATE_NOVEMBER, [each], [card(rate("Calls", "2"))], [CALLS]), events)
        for each, events in (
            (contract(), [event for event in EVENTS if event.values == (("region", "eu"),)]),
            (contract(usage_filters=(only("eu"), only("eu", since=MID_NOVEMBER))), EVENTS),
        )
    )
    assert [read(each) for each in usage_documents(filtered)] == [read(each) for each in usage_documents(plain)]
