"""What other products document of seats that are added within a period, and of billing dates, in our terms.

from                                  example                                             ours
Stripe, prorations                    from $10 to $20 halfway: $5 more                    the same, to 12 decimals
Autumn, proration                     from $20 to $50 halfway: $15 more                   the same
Autumn, on increase: immediately      the full price, not prorated                        the same
Nectir, pricing                       $10, 20 of 30 days: $6.66                           $6.666…; rounded down: 666
Artist Growth, annual                 yearly from 1 February, one more on 15 November     78 of 365 days
Stripe, billing cycle                 made on 15 May, anchored on the 1st: billed then,   the same; 17 of 31 days
                                      and on each 1st
"""

import pytest

from contracts.terms import AmountRounding
from tests.invoicing.engine.subscribed import collected, subscribed, subscription
from tests.invoicing.engine.world import NOVEMBER, computed, rate
from tests.invoicing.engine.world import on as day

MONTHLY, YEARLY = {}, {"frequency": "ANNUAL", "anchor_at": day(2, 1)}


@pytest.mark.parametrize(
    ("price", "start", "more_from", "terms", "total"),
    [
        pytest.param("1000", NOVEMBER, day(11, 16), MONTHLY, "500", id="Stripe"),
        pytest.param("3000", NOVEMBER, day(11, 16), MONTHLY, "1,500", id="Autumn"),
        pytest.param("3000", NOVEMBER, day(11, 16), {"is_prorated": False}, "3,000", id="Autumn, immediately"),
        pytest.param("1000", NOVEMBER, day(11, 11), MONTHLY, "666.666666666667", id="Nectir"),
        pytest.param(
            "1000", NOVEMBER, day(11, 11), {"rounding": AmountRounding(0, "FLOOR")}, "666", id="Nectir, rounded down"
        ),
        pytest.param("12000", day(2, 1), day(11, 15), YEARLY, "2,564.383561643836", id="Artist Growth"),
    ],
)
def test_one_more_within_a_period(price, start, more_from, terms, total):
    rates = [rate("Seats", price, billing_frequency=terms.get("frequency", "MONTHLY"))]
    seats = subscription(start, (start, 1), (more_from, 2), **terms)
    first, more = collected(computed_in(seats, rates, start, more_from))[:2]
    assert (first[3], more[0], more[3], more[5]) == ("1", f"{more_from:%d %b}", "1", total)


def test_the_first_period_ends_at_the_anchor():
    seats = subscription(day(5, 15), (day(5, 15), 1), anchor_at=day(5, 1))
    rates = [rate("Seats", "3100", billing_frequency="MONTHLY")]
    rows = collected(computed_in(seats, rates, day(5, 15), day(7, 10)))
    assert [(row[0], row[5]) for row in rows] == [
        ("15 May", "1,700"), ("01 Jun", "3,100"), ("01 Jul", "3,100"), ("01 Aug", "3,100"),
    ]  # fmt: skip


def computed_in(seats, rates, start, at):
    return computed(subscribed(at, seats, rates=rates, terms={"start": start, "end": None}))
