"""A price over time as steps: where the lines go, and what is not drawn."""

import re
from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.urls import reverse

from tests.contracts.rate_card_pages.typed_prices import NOW
from tests.factories.pricing import ProductFactory, RateFactory

pytestmark = pytest.mark.django_db


def first_of(month, year=2025):
    return datetime(year, month, 1, tzinfo=UTC)


def steps(client, card):
    answer = client.get(reverse("admin:pricing_ratecard_change", args=[card.pk]))
    return answer, [row.steps for row in answer.context["rows"]]


def points(line):
    return [tuple(map(D, point.split(","))) for point in line.split()]


def test_a_price_is_drawn_as_steps_from_its_first_day_past_its_last_change(revops, card):
    product = ProductFactory(name='<b onload="x">')
    for price, start in ((10, first_of(1)), (30, first_of(7)), (20, first_of(1, 2026))):
        RateFactory(rate_card=card, product=product, price=D(price), starting_at=start)
    answer, (drawn,) = steps(revops, card)
    (line,) = map(points, drawn.lines)
    levels = [y for _, y in line]
    assert levels == [92, 92, 8, 8, 50, 50]  # the highest price is on top, and what is between is between
    xs = [x for x, _ in line]
    assert xs[0] == 0
    assert xs[-1] == 600
    assert (xs[1], xs[3]) == (xs[2], xs[4])  # it changes at once
    whole = (first_of(1, 2026) - first_of(1)) * 7 / 6
    for x, instant in ((xs[1], first_of(7)), (xs[3], first_of(1, 2026)), (D(drawn.now), NOW)):
        assert abs(x - D((instant - first_of(1)) / whole) * 600) <= D("0.1")
    page = answer.content.decode()
    assert "Over time: $0.10 from 1 January 2025, $0.30 from 1 July 2025, $0.20 from 1 January 2026." in page
    assert re.findall(r"<b onload", page) == []
    assert (drawn.lowest, drawn.highest) == ("$0.10", "$0.30")


def test_a_time_without_a_price_is_a_gap(revops, card):
    product = ProductFactory()
    RateFactory(rate_card=card, product=product, starting_at=first_of(1), ending_before=first_of(3))
    RateFactory(rate_card=card, product=product, starting_at=first_of(5), price=D(1))
    _, (drawn,) = steps(revops, card)
    assert len(drawn.lines) == 2


def test_prices_that_are_the_same_are_a_line_in_the_middle(revops, card):
    product = ProductFactory()
    for month in (1, 3):
        RateFactory(rate_card=card, product=product, starting_at=first_of(month), price=D(5))
    _, (drawn,) = steps(revops, card)
    assert {y for line in drawn.lines for _, y in points(line)} == {50}


@pytest.mark.parametrize(
    "second", [None, {"rate_type": "TIERED", "price": None, "tiers": [{"price": "2", "size": "10"}, {"price": "1"}]}]
)
def test_one_price_and_prices_in_tiers_are_not_drawn(revops, card, second):
    product = ProductFactory()
    RateFactory(rate_card=card, product=product, starting_at=first_of(1))
    if second:
        RateFactory(rate_card=card, product=product, starting_at=first_of(3), **second)
    answer, drawn = steps(revops, card)
    assert drawn == [None]
    assert "house-steps-chart" not in answer.content.decode()
