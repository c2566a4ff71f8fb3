"""Which override wins, rule by rule: agreed through the API, read off the draft of October.

`town` says what is used and what it costs by the list.
"""

from decimal import Decimal as D

import pytest

from tests.factories.pricing import RateFactory
from tests.invoicing.conftest import OCTOBER, at
from tests.invoicing.overrides.town import CALLS, LIST, SCHEMES, on, price, times

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("overrides", "calls"),
    [
        pytest.param([], 200, id="the list price"),
        pytest.param([times(0.5)], 100, id="one multiplier"),
        pytest.param([times(0.9), times(0.5), times(0.7)], 100, id="the smallest of several"),
        pytest.param([times(0.5), times(0.5)], 100, id="two that are equal do not stack"),
        pytest.param([times(1.5), times(1.2)], 240, id="above the list price too the smallest"),
        pytest.param([times(0), times(0.5)], 0, id="free"),
        pytest.param([times(0.5, 9), times(0.9, 1)], 100, id="priorities do not matter"),
        pytest.param([price(3), times(0.1)], 300, id="an overwritten price goes before a smaller multiplier"),
        pytest.param([times(0.1), price(3)], 300, id="and before one that was added earlier"),
        pytest.param([price(3), price(1)], 100, id="of overwritten prices the last one added"),
        pytest.param([price(1), price(3)], 300, id="even if it is higher"),
    ],
)
def test_the_lowest_multiplier_wins_by_default(amounts, overrides, calls):
    assert amounts(overrides)[0] == calls


@pytest.mark.parametrize(
    ("overrides", "calls"),
    [
        pytest.param([], 200, id="the list price"),
        pytest.param([times(0.9, 1), times(0.5, 2)], 180, id="the lowest number, whatever the multiplier"),
        pytest.param([times(0.5, 2), times(0.9, 1)], 180, id="in whatever order"),
        pytest.param([times(0.9, 0.5), times(0.5, 1)], 180, id="numbers with decimals"),
        pytest.param([times(0.9, 10), times(0.5, 9)], 100, id="numbers are not text"),
        pytest.param([times(0.5, 1), times(0.9, 1)], 180, id="of two that are equal the last one added"),
        pytest.param([times(0.9, 1), times(0.5, 1)], 100, id="and it may be the smaller one"),
        pytest.param([price(3), times(0.1, 1)], 300, id="an overwritten price needs no number and goes first"),
        pytest.param([price(3), price(1)], 100, id="of overwritten prices the last one added"),
        pytest.param([price(1) | {"priority": 1}, price(3) | {"priority": 9}], 300, id="whatever their numbers"),
    ],
)
def test_the_lowest_priority_wins_where_multipliers_are_ranked_explicitly(amounts, overrides, calls):
    assert amounts(overrides, "EXPLICIT")[0] == calls


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("first", "then", "calls"),
    [
        pytest.param(times(0.5, 2), times(0.9, 2), {"LOWEST_MULTIPLIER": 100, "EXPLICIT": 180}, id="multipliers"),
        pytest.param(price(1), price(3), {"LOWEST_MULTIPLIER": 300, "EXPLICIT": 300}, id="overwritten prices"),
        pytest.param(price(1), times(0.1, 1), {"LOWEST_MULTIPLIER": 100, "EXPLICIT": 100}, id="one of each"),
    ],
)
def test_a_later_edit_adds_after_an_earlier_one(amounts, scheme, first, then, calls):
    assert amounts([first], scheme, then=[then])[0] == calls[scheme]


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        pytest.param({}, (100, 200, 200, 50), id="no target: all products"),
        pytest.param({"product_id": "Calls"}, (100, 400, 400, 100), id="a product"),
        pytest.param({"applicable_product_tags": ["api"]}, (100, 400, 400, 100), id="a tag"),
        pytest.param({"applicable_product_tags": ["api", "ai"]}, (100, 200, 200, 50), id="any of the tags"),
        pytest.param({"applicable_product_tags": ["none"]}, LIST, id="a tag of no product"),
        pytest.param(on({"product_tags": ["ai", "gpu"]}), (200, 200, 200, 50), id="all of a specifier's tags"),
        pytest.param(on({"product_tags": ["ai", "api"]}), LIST, id="which no product has"),
        pytest.param(
            on({"product_tags": ["api"]}, {"product_id": "Tokens"}), (100, 200, 200, 50), id="any of the specifiers"
        ),
        pytest.param(
            on({"product_id": "Tokens", "pricing_group_values": {"model": "xl"}}), (200, 200, 200, 100), id="a model"
        ),
        pytest.param(
            on({"product_id": "Tokens", "presentation_group_values": {"region": "eu"}}),
            (200, 200, 400, 50),
            id="a region",
        ),
        pytest.param(
            on({"pricing_group_values": {"model": "xl"}, "presentation_group_values": {"region": "us"}}),
            (200, 400, 200, 100),
            id="a model in a region, of whatever product",
        ),
        pytest.param(
            on({"product_id": "Calls", "pricing_group_values": {}}, {"product_tags": ["ai"], "product_id": "Calls"}),
            (100, 400, 400, 100),
            id="what is given in one specifier must all hold",
        ),
    ],
)
def test_what_an_override_is_on(amounts, target, shown):
    assert amounts([times(0.5, **target)]) == shown


def test_each_line_has_a_winner_of_its_own(amounts):
    overrides = [
        times(0.9),
        times(0.5, product_id="Tokens"),
        price(30, "Tokens", model="xl"),
        times(0.25, **on({"product_id": "Tokens", "presentation_group_values": {"region": "eu"}})),
    ]
    assert amounts(overrides) == (180, 300, 300, 25)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("overrides", "calls"),
    [
        pytest.param([{"entitled": True}], 200, id="entitled anyway"),
        pytest.param([{"entitled": False, "product_id": "Calls"}], 0, id="taken out of the deal"),
        pytest.param([{"entitled": False}, {"entitled": True, **CALLS}], 200, id="the one added last decides"),
        pytest.param([{"entitled": True, **CALLS}, {"entitled": False}], 0, id="either way"),
        pytest.param([{"entitled": True}, times(0.5, 1)], 100, id="it leaves the price to others"),
        pytest.param([times(0.5, 1), {"entitled": True}], 100, id="added before or after it"),
        pytest.param([{"entitled": False}, times(0.5, 1)], 0, id="a price alone entitles to nothing"),
        pytest.param([{"entitled": False}, times(0.5, 1, entitled=True)], 100, id="a price may say so too"),
        pytest.param(
            [times(0.5, 1), times(0.9, 2, entitled=False)], 0, id="one that loses by its price decides all the same"
        ),
    ],
)
def test_entitlement_is_decided_apart_from_the_price(amounts, scheme, overrides, calls):
    assert amounts(overrides, scheme)[0] == calls


def test_an_override_may_put_a_product_into_the_deal(amounts, town):
    RateFactory(rate_card=town.card, product=town.calls, price=D(2), starting_at=OCTOBER, entitled=False)

    assert amounts([{"entitled": True, "product_id": "Calls", "ending_before": at("2025-10-11")}])[0] == 200
