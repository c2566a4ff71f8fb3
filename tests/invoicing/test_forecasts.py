"""What the usage of an open period will come to, with its range and how it was made."""

from datetime import timedelta
from decimal import Decimal as D

import pytest

from billing_site.foundation.periods import Period
from invoicing.portal import page_of
from invoicing.queries.account import account
from invoicing.queries.forecast import windows_of_forecast
from tests.invoicing.conftest import NOVEMBER, OCTOBER, at

pytestmark = pytest.mark.django_db


def october(acme, now):
    [period] = [each for each in account(acme.customer.pk, at=at(now)).periods if at(now) in each.period]
    return period.forecast


def test_recent_stretches_are_carried_on_to_the_end(acme):
    for day in range(1, 22):
        acme.calls(f"2025-10-{day:02}T10", 100 if day < 19 else 200)  # $2.00 a day, then $4.00 for three days
    told = october(acme, "2025-10-22T00:00")
    assert told.so_far == 4800
    assert (told.main.window.starting_at, told.main.spent) == (at("2025-10-15"), 2000)
    assert told.main.comes_to.quantize(D("0.01")) == D("7657.14")  # 4800 + 10 × 2000 / 7
    assert [each.comes_to.quantize(D("0.01")) for each in told.paces] == [D("8800.00"), D("7228.57")]
    assert (told.lowest, told.highest) == (told.paces[1].comes_to, told.paces[0].comes_to)

    [headline] = page_of(account(acme.customer.pk, at=at("2025-10-22T00:00"))).headlines
    assert headline.forecast == "By the end of 31 October usage comes to about $76.60, between $72.30 and $88."
    assert headline.how == (
        "$48.00 so far, and from 15 October on $20.00 in 7 days, carried on at that pace. The range is what other"
        " stretches make of it: 3 days $88, 14 days $72.30. Prices to come, tiers still to be reached, fees, and"
        " what balances will pay are not in it."
    )


def test_usage_of_the_hour_that_runs_is_in_what_it_comes_to_and_makes_no_pace(acme):
    acme.calls("2025-10-02T10", 100)
    before = october(acme, "2025-10-11T10:30")
    acme.calls("2025-10-11T10", 700)
    after = october(acme, "2025-10-11T10:30")
    assert (after.so_far, after.main.spent) == (1600, before.main.spent)
    assert after.main.comes_to == 1600  # never less than there is already


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ("2025-10-01T20:00", "What it will come to is shown once a day of the period has passed."),
        ("2025-10-20T20:00", "Nothing was used lately: usage stays at $2.00 until the end of 31 October."),
        ("2025-10-02T20:00", "By the end of 31 October usage comes to about $33.80, between $2 and $33.80."),
    ],
)
def test_what_is_said_when_there_is_little_to_go_by(acme, now, said):
    acme.calls("2025-10-01T19", 100)
    [headline] = page_of(account(acme.customer.pk, at=at(now))).headlines
    assert headline.forecast == said


def test_windows_are_within_the_period_and_end_with_the_last_whole_hour():
    period = Period(OCTOBER, NOVEMBER)
    assert windows_of_forecast(period, at=NOVEMBER) == ()
    assert windows_of_forecast(Period(OCTOBER), at=NOVEMBER) == ()
    assert windows_of_forecast(period, at=OCTOBER + timedelta(hours=23, minutes=59)) == ()
    assert windows_of_forecast(period, at=at("2025-10-02T00:30")) == (Period(OCTOBER, at("2025-10-02")),)
    found = windows_of_forecast(period, at=at("2025-10-06T12:30"))
    assert found == (Period(at("2025-10-03T12:00"), at("2025-10-06T12:00")), Period(OCTOBER, at("2025-10-06T12:00")))
