"""Usage over ranges of hours equals a plain fold of the hours, however the ranges cut the days."""

import functools
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, Inexact
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_site.foundation.periods import HOUR, Period
from contracts.terms import ClaimWindow
from ledger.models import DailyUsage, HourlyUsage, Series
from ledger.queries.usage import (
    SeriesUsage,
    Window,
    claimed_usage,
    claimed_usage_by_hour,
    usage_by_hour,
    usage_in,
    windows_of,
)
from tests.factories.pricing import MetricFactory

pytestmark = pytest.mark.django_db

START = datetime(2025, 1, 30, tzinfo=UTC)
LAST_HOUR = 5 * 24
SUBJECTS = ("acme", "acme-eu", "globex")
TOKENS, CALLS, OTHER = (UUID(int=number) for number in (1, 2, 3))
SERIES = {
    UUID(int=11): (TOKENS, {"model": "xl", "region": "eu"}),
    UUID(int=12): (TOKENS, {"region": None, "model": "xl"}),
    UUID(int=21): (CALLS, {}),
    UUID(int=31): (OTHER, {}),
}


def hour(number: int) -> datetime:
    return START + number * HOUR


def values(series_id: UUID) -> tuple[tuple[str, str | None], ...]:
    return tuple(sorted(SERIES[series_id][1].items()))


def total(amounts: Iterable[Decimal]) -> Decimal:
    return functools.reduce(Context(prec=76, traps=[Inexact]).add, amounts, Decimal(0))


@pytest.fixture
def dictionary() -> None:
    MetricFactory(id=TOKENS, aggregation_type="SUM", aggregation_key="tokens")
    MetricFactory(id=CALLS, aggregation_type="COUNT")
    MetricFactory(id=OTHER, aggregation_type="SUM", aggregation_key="other")
    Series.objects.bulk_create(
        Series(id=series_id, metric_id=metric_id, values=group) for series_id, (metric_id, group) in SERIES.items()
    )


Event = tuple[str, UUID, int, Decimal]  # subject, series, number of its hour, amount


def keep(events: list[Event]) -> None:
    """Leave in the tables what these events fold into, and nothing else."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM ledger_hourlyusage; DELETE FROM ledger_dailyusage")
    hours: dict[tuple[str, UUID, int], list[Decimal]] = defaultdict(list)
    for subject, series_id, number, amount in events:
        hours[subject, series_id, number].append(amount)
    days: dict[tuple[str, UUID, int], list[list[Decimal]]] = defaultdict(list)
    for (subject, series_id, number), amounts in hours.items():
        days[subject, series_id, number // 24].append(amounts)
    HourlyUsage.objects.bulk_create(
        HourlyUsage(subject=subject, series_id=series_id, hour=hour(number), sum=total(amounts), count=len(amounts))
        for (subject, series_id, number), amounts in hours.items()
    )
    DailyUsage.objects.bulk_create(
        DailyUsage(
            subject=subject,
            series_id=series_id,
            day=hour(24 * day).date(),
            sum=total(total(amounts) for amounts in parts),
            count=sum(len(amounts) for amounts in parts),
            has_negative=any(total(amounts) < 0 for amounts in parts),
        )
        for (subject, series_id, day), parts in days.items()
    )


def folded(events: list[Event], covers: set[tuple[str, int]], metric_ids: set[UUID]) -> list[SeriesUsage]:
    """What the events of these subjects' hours come to, by the rule and nothing clever."""
    found = []
    for series_id in sorted(SERIES):
        metric_id = SERIES[series_id][0]
        mine = [event for event in events if event[1] == series_id and (event[0], event[2]) in covers]
        if not mine or metric_id not in metric_ids:
            continue
        by_hour: dict[tuple[str, int], list[Decimal]] = defaultdict(list)
        for subject, _, number, amount in mine:
            by_hour[subject, number].append(amount)
        quantity = Decimal(len(mine)) if metric_id == CALLS else total(event[3] for event in mine)
        negative = any(total(amounts) < 0 for amounts in by_hour.values())
        found.append(SeriesUsage(metric_id, series_id, values(series_id), quantity, negative))
    return found


amounts = st.decimals(min_value=-(10**20), max_value=10**20, places=12)
event_lists = st.lists(
    st.tuples(st.sampled_from(SUBJECTS), st.sampled_from(list(SERIES)), st.integers(0, LAST_HOUR - 1), amounts),
    max_size=40,
)
ranges = st.tuples(st.integers(-5, LAST_HOUR + 5), st.integers(1, LAST_HOUR)).map(lambda r: (r[0], r[0] + r[1]))
windows = st.lists(st.tuples(st.lists(st.sampled_from(SUBJECTS), max_size=4), ranges), max_size=5)
metric_sets = st.sets(st.sampled_from([TOKENS, CALLS, OTHER]))

random_examples = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@random_examples
@given(events=event_lists, asked=windows, metric_ids=metric_sets)
def test_each_window_holds_exactly_its_hours(dictionary, events, asked, metric_ids):
    keep(events)
    answer = usage_in(
        [Window(tuple(subjects), hour(start), hour(end)) for subjects, (start, end) in asked],
        metric_ids=metric_ids,
    )
    assert answer == [
        folded(events, {(subject, number) for subject in subjects for number in range(start, end)}, metric_ids)
        for subjects, (start, end) in asked
    ]


@random_examples
@given(events=event_lists, subjects=st.lists(st.sampled_from(SUBJECTS)), limits=ranges, metric_ids=metric_sets)
def test_hours_are_told_apart(dictionary, events, subjects, limits, metric_ids):
    keep(events)
    answer = usage_by_hour(Window(tuple(subjects), hour(limits[0]), hour(limits[1])), metric_ids=metric_ids)
    expected = {
        hour(number): folded(events, {(subject, number) for subject in subjects}, metric_ids)
        for number in range(*limits)
    }
    assert answer == {instant: used for instant, used in expected.items() if used}


instants = st.none() | st.integers(-2, LAST_HOUR + 2)
claim_lists = st.lists(st.tuples(st.sampled_from(SUBJECTS), instants, instants), max_size=6)


def claim(subject: str, start: int | None, end: int | None) -> ClaimWindow:
    return ClaimWindow(subject, None if start is None else hour(start), None if end is None else hour(end))


def claimed_hours(claims: list[tuple[str, int | None, int | None]], limits: tuple[int, int]) -> set[tuple[str, int]]:
    return {
        (subject, number)
        for subject, start, end in claims
        for number in range(*limits)
        if (start is None or start <= number) and (end is None or number < end)
    }


@random_examples
@given(events=event_lists, claims=claim_lists, slices=st.lists(ranges, max_size=4))
def test_a_subject_counts_in_its_claimed_hours_only_and_once(dictionary, events, claims, slices):
    keep(events)
    answer = claimed_usage(
        [claim(*each) for each in claims],
        [Period(hour(start), hour(end)) for start, end in slices],
        metric_ids={TOKENS, CALLS},
    )
    assert answer == [folded(events, claimed_hours(claims, limits), {TOKENS, CALLS}) for limits in slices]
    for limits in slices[:1]:
        by_hour = claimed_usage_by_hour(
            [claim(*each) for each in claims], Period(hour(limits[0]), hour(limits[1])), metric_ids={TOKENS}
        )
        covered = claimed_hours(claims, limits)
        expected = {
            hour(number): folded(events, {place for place in covered if place[1] == number}, {TOKENS})
            for number in range(*limits)
        }
        assert by_hour == {instant: used for instant, used in expected.items() if used}


def test_a_day_once_marked_negative_stays_so_for_whole_days(dictionary):
    keep([("acme", UUID(int=11), 5, Decimal(2))])
    DailyUsage.objects.update(has_negative=True)
    [whole_day], [hours] = usage_in(
        [Window(("acme",), hour(0), hour(24)), Window(("acme",), hour(1), hour(24))], metric_ids=[TOKENS]
    )
    assert (whole_day.has_negative, hours.has_negative) == (True, False)


def test_subjects_with_the_same_hours_share_a_window():
    period = Period(hour(0), hour(24))
    claims = [claim("a", None, None), claim("b", 3, 10), claim("c", None, 30), claim("b", 8, 12), claim("d", 24, None)]
    assert windows_of(claims, period) == [
        Window(("a", "c"), hour(0), hour(24)),
        Window(("b",), hour(3), hour(12)),
    ]


@pytest.mark.parametrize(
    ("start", "end", "rule"),
    [
        pytest.param(hour(0), hour(0), "ends after it starts", id="no length"),
        pytest.param(hour(1), hour(0), "ends after it starts", id="backwards"),
        pytest.param(hour(0) + timedelta(minutes=30), hour(2), "within one", id="off the hour"),
        pytest.param(datetime(2025, 1, 1), hour(2), "aware", id="without time zone"),
    ],
)
def test_a_window_is_hours_that_exist(start, end, rule):
    with pytest.raises(ValueError, match=rule):
        Window(("acme",), start, end)


def test_an_open_period_has_no_usage_yet():
    with pytest.raises(ValueError, match="closed periods"):
        windows_of([claim("acme", None, None)], Period(hour(0)))


def test_any_number_of_windows_costs_one_statement(dictionary, django_assert_num_queries):
    keep([("acme", UUID(int=11), number, Decimal(1)) for number in range(0, LAST_HOUR, 7)])
    for count in (1, 50):
        asked = [Window(SUBJECTS, hour(number), hour(number + 30)) for number in range(count)]
        with django_assert_num_queries(1):
            usage_in(asked, metric_ids=[TOKENS, CALLS])
    with django_assert_num_queries(0):
        assert usage_in([], metric_ids=[TOKENS]) == []
        assert usage_in([Window((), hour(0), hour(1))], metric_ids=[TOKENS]) == [[]]
        assert usage_in([Window(SUBJECTS, hour(0), hour(1))], metric_ids=[]) == [[]]


def test_a_month_of_one_subject_is_found_by_the_primary_keys(dictionary):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_dailyusage (subject, series_id, day, sum, count, has_negative) "
            "SELECT 'subject-' || n, %s, DATE '2025-01-01' + day, 1, 1, false "
            "FROM generate_series(0, 30) day, generate_series(1, 1000) n",
            [UUID(int=11)],
        )
        cursor.execute(
            "INSERT INTO ledger_hourlyusage (subject, series_id, hour, sum, count) "
            "SELECT 'subject-' || n, %s, TIMESTAMPTZ '2025-01-31T00:00Z' + hour * INTERVAL '1 hour', 1, 1 "
            "FROM generate_series(0, 23) hour, generate_series(1, 1000) n",
            [UUID(int=11)],
        )
        cursor.execute("ANALYZE ledger_dailyusage, ledger_hourlyusage")
    statements: list[tuple[str, object]] = []

    def remember(execute, sql, params, many, context):
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(remember):
        [[used]] = usage_in(
            [Window(("subject-500",), datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 31, 12, tzinfo=UTC))],
            metric_ids=[TOKENS],
        )
    assert used.quantity == 30 + 12
    [(sql, params)] = statements
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}", params)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "ledger_dailyusage_pkey" in plan
    assert "ledger_hourlyusage_pkey" in plan
    assert "Seq Scan on ledger_dailyusage" not in plan
    assert "Seq Scan on ledger_hourlyusage" not in plan
