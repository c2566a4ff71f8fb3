"""What other products document of seats that are added within a period, and of billing dates, in our terms.

from                                  example                                             ours
Stripe, prorations                    from $10 to $20 halfway: $5 more                    the same, to 12 decimals
Autumn, proration                     from $20 to $50 halfway: $15 more                   the same
Autumn, on increase: immediately      the full price, not prorated                        the same
Nectir, pricing                       $10, 20 of 30 days: $6.66                           $6.666…; rounded down: 666
Artist Growth, annual                 yearly from 1 February, one more on 15 November     78 of 365 days
Stripe, billing cycle                 made on 15 May, anchored on the 1st: billed then,   the same; 17 of 31 days
                                      and on each 1st
Chargebee, plan change                from $15 to $30 on 5 April: 26 days, $13 more       the same
Recurly, a user mid-month             $10, half of June is left: $5                       the same
3scale, mid-month upgrades            from $200 to $300 halfway: $50 more                 the same
HeyUpdate, new users                  $5, 20 of 30 days: $3.33                            $3.333…
Baremetrics, proration                $12 to $24 after 7 of 28 days: $33 next             $9 more, and $24
Mlytics, prorate                      $10 to $99 halfway: $49.50 less $4.95               $44.50: days have no price
                                                                                          that is rounded first
Lago, prorated seats                  $10, from 10 July on: "22 days", $7.33              $7.096…: July has 31 days
Hubstaff, annual plan                 $120 a year, added in July: $60                     $60.49…: 184 of 365 days,
                                                                                          not 6 of 12 months
Zuora, actual number of days          5 of 31, 2 of 28, 29 of 29 and 9 of 30 days         the same; no month of 30
Lago, upgrade in arrears              €100 up to 15 January, then €200: €45.16            the same amounts, both when
                                      at once, €109.68 at the month's end                 the period is over

https://docs.stripe.com/billing/subscriptions/prorations, https://docs.useautumn.com/documentation/modelling-pricing/proration,
https://nectir.co/pricing/, https://help.artistgrowth.com/en/prorated-charges-during-a-current-billing-cycle-help-center,
https://support.chargebee.com/support/discussions/topics/40893,
https://support.recurly.com/hc/en-us/articles/360029630811-How-Is-My-MRR-Affected-When-I-Add-a-User-Mid-Month,
https://access.redhat.com/documentation/ja-jp/red_hat_3scale_api_management/2.9/html/admin_portal_guide/_mid_month_upgrades,
http://help.heyupdate.com/account/prorata-billing/, https://changelog.baremetrics.com/api---proration-charge-fixes-ymQbm,
https://help.mlytics.com/article/25-how-is-prorate-calculated, https://hubstaff.com/pricing,
https://docs.getlago.com/guide/plans/charges/prorated-vs-full, https://getlago.com/docs/guide/subscriptions/upgrades-downgrades;
Zuora: docs.zuora.com, "When prorating a month, assume 30 days in a month or use actual days?"
"""

import pytest

from contracts.fee_terms import AmountRounding
from tests.invoicing.engine.subscribed import collected, subscribed, subscription
from tests.invoicing.engine.world import NOVEMBER, computed, rate, uid
from tests.invoicing.engine.world import on as day

MONTHLY, YEARLY = {}, {"frequency": "ANNUAL", "anchor_at": day(2, 1)}
CALENDAR_YEAR = {"frequency": "ANNUAL", "anchor_at": day(1, 1)}


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
        pytest.param("1500", day(4, 1), day(4, 5), MONTHLY, "1,300", id="Chargebee"),
        pytest.param("1000", day(6, 1), day(6, 16), MONTHLY, "500", id="Recurly"),
        pytest.param("10000", NOVEMBER, day(11, 16), MONTHLY, "5,000", id="3scale"),
        pytest.param("500", NOVEMBER, day(11, 11), MONTHLY, "333.333333333333", id="HeyUpdate"),
        pytest.param("1200", day(2, 1), day(2, 8), MONTHLY, "900", id="Baremetrics"),
        pytest.param("8900", day(9, 1), day(9, 16), MONTHLY, "4,450", id="Mlytics"),
        pytest.param("1000", day(7, 1), day(7, 10), MONTHLY, "709.677419354839", id="Lago"),
        pytest.param("12000", day(1, 1), day(7, 1), CALENDAR_YEAR, "6,049.315068493151", id="Hubstaff"),
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


@pytest.mark.parametrize(
    ("start", "end", "share"),
    [
        pytest.param(day(1, 27, year=2021), day(2, 1, year=2021), "1,612.903225806452", id="5 of 31"),
        pytest.param(day(2, 27, year=2021), day(3, 1, year=2021), "714.285714285714", id="2 of 28"),
        pytest.param(day(2, 1, year=2020), day(3, 1, year=2020), "10,000", id="29 of 29"),
        pytest.param(day(4, 21, year=2021), day(4, 30, year=2021), "3,000", id="9 of 30"),
    ],
)
def test_a_part_of_a_month_is_its_share_of_the_days_that_the_month_has(start, end, share):
    one = subscription(start, (start, 1), end=end, anchor_at=day(1, 1, year=2020))
    rates = [rate("Seats", "10000", billing_frequency="MONTHLY", starting_at=start)]
    [row] = collected(computed_in(one, rates, start, start))
    assert (row[3], row[5]) == ("1", share)


def test_an_upgrade_in_arrears_costs_each_its_days():
    new_year, upgrade = day(1, 1), day(1, 15)
    terms = {"is_in_advance": False, "anchor_at": new_year}
    before = subscription(new_year, (new_year, 1), end=upgrade, **terms)
    after = subscription(upgrade, (upgrade, 2), id=uid("after"), **terms)
    rates = [rate("Seats", "10000", billing_frequency="MONTHLY")]
    inputs = subscribed(day(1, 20), before, after, rates=rates, terms={"start": new_year, "end": None})
    rows = {(row[0], row[2], row[5]) for row in collected(computed(inputs))}
    assert rows == {
        ("01 Feb", "01 Jan - 15 Jan", "4,516.129032258064"),  # the document's last digit is the other's
        ("01 Feb", "15 Jan - 01 Feb", "10,967.741935483871"),
    }


def computed_in(seats, rates, start, at):
    return computed(subscribed(at, seats, rates=rates, terms={"start": start, "end": None}))
