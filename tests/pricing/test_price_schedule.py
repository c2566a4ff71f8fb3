from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_site.foundation.ids import uuid7
from pricing import queries
from pricing.engine.catalog import Rate, RateCard
from pricing.engine.rates import rate_in_force
from pricing.engine.tariffs import flat
from pricing.engine.timelines import stretches
from pricing.queries import Selector
from tests.factories.pricing import ProductFactory, RateCardFactory, RateFactory, RateWithdrawalFactory
from tests.pricing.test_catalog import USD

JANUARY, MARCH, MAY, JULY = (datetime(2025, month, 1, tzinfo=UTC) for month in (1, 3, 5, 7))


def schedule(card, *selectors, start=JANUARY, end=None, limit=100):
    """The whole schedule, read page by page."""
    rows, position = [], None
    while True:
        page, position = queries.rate_schedule(
            card, selectors, starting_at=start, ending_before=end, after=position, limit=limit
        )
        assert len(page) <= limit
        rows += [(int(row.rate.tariff.price), row.starting_at, row.ending_before) for row in page]
        if position is None:
            return rows


@pytest.fixture
def card(db):
    """10 since January, 20 from March to May, and 30 from July on."""
    card, product = RateCardFactory(), ProductFactory()
    RateFactory(rate_card=card, product=product, price=D(10), starting_at=JANUARY)
    RateFactory(rate_card=card, product=product, price=D(30), starting_at=JULY)
    RateFactory(rate_card=card, product=product, price=D(20), starting_at=MARCH, ending_before=MAY)
    return card


def test_a_price_comes_back_when_the_one_that_superseded_it_ends(card):
    assert schedule(card) == [(10, JANUARY, MARCH), (20, MARCH, MAY), (10, MAY, JULY), (30, JULY, None)]


@pytest.mark.parametrize(
    ("start", "end", "prices"),
    [
        pytest.param(MARCH, None, [20, 10, 30], id="from a change on"),
        pytest.param(MAY - timedelta(hours=1), MAY, [20], id="the last hour of a price"),
        pytest.param(MAY, JULY, [10], id="up to, not including, the next"),
        pytest.param(datetime(2024, 1, 1, tzinfo=UTC), JANUARY, [], id="before everything"),
    ],
)
def test_the_schedule_shows_what_holds_in_the_range(card, start, end, prices):
    assert [price for price, _, _ in schedule(card, start=start, end=end)] == prices


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_pages_of_any_size_give_the_same_schedule(card, limit):
    for model in ("xl", "S", "m"):
        product = ProductFactory(version__pricing_group_key=["model"])
        RateFactory(rate_card=card, product=product, pricing_group_values={"model": model}, price=D(1))
        RateFactory(rate_card=card, product=product, pricing_group_values={"model": model}, price=D(2), starting_at=MAY)
    assert schedule(card, limit=limit) == schedule(card)
    assert len(schedule(card)) == 10


def test_a_withdrawn_price_is_not_on_the_list(card):
    RateWithdrawalFactory(rate=card.rates.get(price=20))
    assert schedule(card) == [(10, JANUARY, JULY), (30, JULY, None)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("selectors", "prices"),
    [
        pytest.param([Selector(product_tags=["ai", "gpu"])], {1, 2, 3}, id="any of the tags"),
        pytest.param([Selector(product_tags=["gpu"])], set(), id="a tag of nothing"),
        pytest.param([Selector(partial_pricing_group_values={"model": "xl"})], {1, 2}, id="one of two values"),
        pytest.param([Selector(pricing_group_values={"model": "xl"})], set(), id="not all values"),
        pytest.param([Selector(pricing_group_values={"region": "eu", "model": "xl"})], {1}, id="all values"),
        pytest.param([Selector(product_tags=["ai"], partial_pricing_group_values={"region": "us"})], {2, 3}, id="and"),
        pytest.param(
            [Selector(partial_pricing_group_values={"region": "eu"}), Selector(pricing_group_values={})],
            {1, 4},
            id="or",
        ),
        pytest.param([Selector(billing_frequency="MONTHLY")], set(), id="a frequency of nothing"),
    ],
)
def test_selectors_choose_rates(selectors, prices):
    card = RateCardFactory()
    product = ProductFactory(version__pricing_group_key=["model", "region"], version__tags=["ai"])
    for price, model, region in ((1, "xl", "eu"), (2, "xl", "us"), (3, "s", "us")):
        values = {"model": model, "region": region}
        RateFactory(rate_card=card, product=product, pricing_group_values=values, price=D(price))
    RateFactory(rate_card=card, price=D(4))
    assert {price for price, _, _ in schedule(card, *selectors)} == prices


HOURS = st.integers(min_value=0, max_value=20)
PRODUCT = uuid7()


def at_hour(hour):
    return JANUARY + timedelta(hours=hour)


@st.composite
def rates_of_one_key(draw):
    spans = draw(st.lists(st.tuples(HOURS, st.none() | st.integers(1, 10)), max_size=8))
    return tuple(
        Rate(
            id=PRODUCT,
            product_id=PRODUCT,
            values=(),
            starting_at=at_hour(start),
            ending_before=None if length is None else at_hour(start + length),
            entitled=True,
            tariff=flat(D(number)),
            unit=USD,
            publication=number,
            published_at=JANUARY,
            published_by="Ada",
        )
        for number, (start, length) in enumerate(spans)
    )


@given(rates=rates_of_one_key())
def test_the_schedule_says_at_every_hour_what_the_engine_says(rates):
    card = RateCard(PRODUCT, "List prices", USD, rates, ())
    pieces = list(stretches(card.over_time((PRODUCT, (), ""))))
    for hour in range(-1, 32):
        holding = [
            rate for rate, start, end in pieces if start <= at_hour(hour) and (end is None or at_hour(hour) < end)
        ]
        rate = rate_in_force(card, PRODUCT, (), at_hour(hour))
        assert holding == ([] if rate is None else [rate])
