from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_site.foundation.periods import (
    Period,
    billing_periods,
    boundaries,
    boundary,
    format_instant,
    full_period,
    parse_instant,
)


def day(year: int, month: int, of_month: int, hour: int = 0) -> datetime:
    return datetime(year, month, of_month, hour, tzinfo=UTC)


hours = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
    lambda instant: instant.replace(minute=0, second=0, microsecond=0)
)
frequencies = st.sampled_from(["WEEKLY", "MONTHLY", "QUARTERLY", "ANNUAL"])


def test_the_31st_is_clamped_in_short_months_and_returns():
    months = islice(boundaries(day(2025, 1, 31), "MONTHLY", after=day(2025, 1, 31)), 4)
    assert list(months) == [day(2025, 2, 28), day(2025, 3, 31), day(2025, 4, 30), day(2025, 5, 31)]


def test_a_yearly_29_february_falls_on_the_28th_in_plain_years():
    years = [boundary(day(2024, 2, 29), "ANNUAL", step) for step in (1, 2, 4, -4)]
    assert years == [day(2025, 2, 28), day(2026, 2, 28), day(2028, 2, 29), day(2020, 2, 29)]


def test_first_and_last_period_are_short():
    term = Period(day(2025, 9, 15), day(2025, 11, 20))
    assert list(billing_periods(term, day(2025, 1, 10), "MONTHLY")) == [
        Period(day(2025, 9, 15), day(2025, 10, 10)),
        Period(day(2025, 10, 10), day(2025, 11, 10)),
        Period(day(2025, 11, 10), day(2025, 11, 20)),
    ]


def test_an_anchor_may_lie_after_the_start():
    term = Period(day(2025, 9, 15), day(2025, 10, 20))
    assert list(billing_periods(term, day(2026, 3, 5), "MONTHLY")) == [
        Period(day(2025, 9, 15), day(2025, 10, 5)),
        Period(day(2025, 10, 5), day(2025, 10, 20)),
    ]


@given(anchor=hours, start=hours, length=st.integers(1, 24 * 900), frequency=frequencies)
def test_billing_periods_tile_the_term(anchor, start, length, frequency):
    term = Period(start, start + timedelta(hours=length))
    periods = list(billing_periods(term, anchor, frequency))
    assert periods[0].starting_at == term.starting_at
    assert periods[-1].ending_before == term.ending_before
    assert all(one.ending_before == next_one.starting_at for one, next_one in pairwise(periods))


@given(anchor=hours, at=hours, frequency=frequencies)
def test_every_instant_lies_in_exactly_one_full_period(anchor, at, frequency):
    period = full_period(anchor, frequency, at=at)
    assert at in period
    assert next(boundaries(anchor, frequency, after=at)) == period.ending_before


def test_a_share_is_a_fraction_of_time():
    assert Period(day(2025, 10, 15), day(2025, 11, 1)).share_of(Period(day(2025, 10, 1), day(2025, 11, 1))) == Fraction(
        17, 31
    )


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-10-15T00:00:00.000Z", day(2025, 10, 15)),
        ("2025-10-15T00:00:00.000-05:00", day(2025, 10, 15, 5)),
        ("2025-10-15T07:00:00", day(2025, 10, 15, 7)),
        ("2025-10-15", day(2025, 10, 15)),
        ("2023-11-16 18:15:46.6805900", datetime(2023, 11, 16, 18, 15, 46, 680590, tzinfo=UTC)),
        ("2025-10-15T00:00:00.123456789+00:00", datetime(2025, 10, 15, microsecond=123456, tzinfo=UTC)),
        ("2025-10-15T00:00:00.5Z", datetime(2025, 10, 15, microsecond=500000, tzinfo=UTC)),
    ],
)
def test_instants_are_read_in_every_spelling_of_the_client(text, instant):
    assert parse_instant(text) == instant


@pytest.mark.parametrize("text", ["", "yesterday", "2025-13-01", "2025-10-15T23:59:60Z", "0001-01-01T00:00:00+14:00"])
def test_what_is_not_an_instant_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        parse_instant(text)


def test_instants_are_written_in_utc():
    assert format_instant(parse_instant("2025-10-15T00:00:00-05:00")) == "2025-10-15T05:00:00+00:00"
    assert format_instant(parse_instant("2025-10-15T00:00:00.25Z")) == "2025-10-15T00:00:00.250000+00:00"


def test_a_period_is_in_utc_and_has_a_length():
    with pytest.raises(ValueError, match="UTC"):
        Period(datetime(2025, 10, 1))
    with pytest.raises(ValueError, match="ends after it starts"):
        Period(day(2025, 10, 1), day(2025, 10, 1))
