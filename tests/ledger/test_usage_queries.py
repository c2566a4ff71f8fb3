"""Usage over ranges of hours equals a plain fold of the events, however the ranges cut the days."""

import functools
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, Inexact
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_site.foundation.ids import uuid7
from billing_site.foundation.periods import HOUR, Period
from contracts.terms import ClaimWindow
from ledger.metering import series_id
from ledger.queries.usage import (
    Window,
    claimed_usage,
    claimed_usage_by_hour,
    usage_by_hour,
    usage_in,
    windows_of,
)
from ledger.services.ingest import Source, ingest_events, read_events
from ledger.used import Used, series_of
from pricing.engine.catalog import GroupValues
from tests.factories.pricing import MetricFactory

pytestmark = pytest.mark.django_db

START = datetime(2025, 1, 30, tzinfo=UTC)
LAST_HOUR = 5 * 24
NOW = START + timedelta(days=30)
SUBJECTS = ("acme", "acme-eu", "globex")
TOKENS, CALLS, OTHER = uuid7(), uuid7(), uuid7()


@dataclass(frozen=True)
class Kind:
    """A sort of event, and the one series that it counts for."""

    event_type: str
    metric_id: UUID
    values: GroupValues
    properties: dict[str, str]

    @property
    def series_id(self) -> UUID:
        return series_id(self.metric_id, dict(self.values))


XL_EU = Kind("completion", TOKENS, (("model", "xl"), ("region", "eu")), {"model": "xl", "region": "eu"})
XL = Kind("completion", TOKENS, (("model", "xl"), ("region", None)), {"model": "xl"})
CALL = Kind("call", CALLS, (), {})
MORE = Kind("more", OTHER, (), {})
KINDS = (XL_EU, XL, CALL, MORE)


def hour(number: int) -> datetime:
    return START + number * HOUR


def total(amounts: Iterable[Decimal]) -> Decimal:
    return functools.reduce(Context(prec=76, traps=[Inexact]).add, amounts, Decimal(0))


@pytest.fixture
def metrics() -> None:
    rules = {"aggregation_type": "SUM", "aggregation_key": "amount"}
    MetricFactory(
        id=TOKENS, event_type_filter={"in_values": ["completion"]}, group_keys=[["region", "model"], ["model"]], **rules
    )
    MetricFactory(id=CALLS, event_type_filter={"in_values": ["call"]})
    MetricFactory(id=OTHER, event_type_filter={"in_values": ["more"]}, **rules)


@pytest.fixture
def runs() -> Iterator[str]:
    """Prefixes that were never used before: what came in stays, so every example has subjects of its own."""
    return (f"{number}-" for number in itertools.count())


Event = tuple[str, Kind, int, Decimal]  # subject, kind, number of its hour, amount


def send(run: str, events: list[Event]) -> None:
    sent = [
        {
            "customer_id": run + subject,
            "transaction_id": str(index),
            "event_type": kind.event_type,
            "timestamp": (hour(number) + timedelta(seconds=index)).isoformat(),
            "properties": {**kind.properties, "amount": str(amount)},
        }
        for index, (subject, kind, number, amount) in enumerate(events)
    ]
    for batch in (sent[::2], sent[1::2]):
        if batch:
            ingest_events(read_events(json.dumps(batch).encode(), at=NOW), at=NOW, source=Source("tests"))


def folded(events: list[Event], covers: set[tuple[str, int]], metric_ids: set[UUID]) -> Used:
    """What the events of these subjects' hours come to, by the rule and nothing clever."""
    found = []
    for kind in KINDS:
        mine = [event for event in events if event[1] == kind and (event[0], event[2]) in covers]
        if mine and kind.metric_id in metric_ids:
            quantity = Decimal(len(mine)) if kind == CALL else total(event[3] for event in mine)
            negative = any(may_be_negative(kind, events, covers, *place) for place in {(e[0], e[2]) for e in mine})
            found.append(Used({series_of(kind.metric_id, kind.values): quantity}, negative))
    return Used.together(found)


def may_be_negative(kind: Kind, events: list[Event], covers: set[tuple[str, int]], subject: str, number: int) -> bool:
    """Of a day that is covered whole it is only known whether some event was negative; of an hour, what it sums to."""
    day = range(number // 24 * 24, number // 24 * 24 + 24)
    whole = all((subject, one) in covers for one in day)
    hours = day if whole else [number]
    amounts = [event[3] for event in events if event[0] == subject and event[1] == kind and event[2] in hours]
    return kind != CALL and (any(amount < 0 for amount in amounts) if whole else total(amounts) < 0)


amounts = st.integers(-(10**31), 10**31).map(lambda units: Decimal(units).scaleb(-12, Context(prec=76)))
event_lists = st.lists(
    st.tuples(st.sampled_from(SUBJECTS), st.sampled_from(KINDS), st.integers(0, LAST_HOUR - 1), amounts),
    max_size=40,
)
ranges = st.tuples(st.integers(-5, LAST_HOUR + 5), st.integers(1, LAST_HOUR)).map(lambda r: (r[0], r[0] + r[1]))
windows = st.lists(st.tuples(st.lists(st.sampled_from(SUBJECTS), max_size=4), ranges), max_size=5)
metric_sets = st.sets(st.sampled_from([TOKENS, CALLS, OTHER]))

random_examples = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@random_examples
@given(events=event_lists, asked=windows, metric_ids=metric_sets)
def test_each_window_holds_exactly_its_hours(metrics, runs, events, asked, metric_ids):
    run = next(runs)
    send(run, events)
    answer = usage_in([window(run, subjects, *limits) for subjects, limits in asked], metric_ids=metric_ids)
    assert answer == [
        folded(events, {(subject, number) for subject in subjects for number in range(start, end)}, metric_ids)
        for subjects, (start, end) in asked
    ]


@random_examples
@given(events=event_lists, subjects=st.lists(st.sampled_from(SUBJECTS)), limits=ranges, metric_ids=metric_sets)
def test_hours_are_told_apart(metrics, runs, events, subjects, limits, metric_ids):
    run = next(runs)
    send(run, events)
    answer = usage_by_hour(window(run, subjects, *limits), metric_ids=metric_ids)
    expected = {
        hour(number): folded(events, {(subject, number) for subject in subjects}, metric_ids)
        for number in range(*limits)
    }
    assert answer == {instant: used for instant, used in expected.items() if used.quantities}


def window(run: str, subjects: Iterable[str], start: int, end: int) -> Window:
    return Window(tuple(run + subject for subject in subjects), hour(start), hour(end))


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
@given(events=event_lists, claims=claim_lists, slices=st.lists(ranges, min_size=1, max_size=4))
def test_a_subject_counts_in_its_claimed_hours_only_and_once(metrics, runs, events, claims, slices):
    run = next(runs)
    send(run, events)
    claimed = [claim(run + subject, start, end) for subject, start, end in claims]
    periods = [Period(hour(start), hour(end)) for start, end in slices]
    answer = claimed_usage(claimed, periods, metric_ids={TOKENS, CALLS})
    assert answer == [folded(events, claimed_hours(claims, limits), {TOKENS, CALLS}) for limits in slices]
    by_hour = claimed_usage_by_hour(claimed, periods[0], metric_ids={TOKENS})
    covered = claimed_hours(claims, slices[0])
    expected = {
        hour(number): folded(events, {place for place in covered if place[1] == number}, {TOKENS})
        for number in range(*slices[0])
    }
    assert by_hour == {instant: used for instant, used in expected.items() if used.quantities}


def test_a_day_with_a_negative_event_is_marked_even_where_its_hours_are_not(metrics):
    send("", [("acme", XL, 5, Decimal(2)), ("acme", XL, 5, Decimal(-1)), ("acme", XL, 6, Decimal(3))])
    tokens = series_of(XL.metric_id, XL.values)
    whole_day, hours = usage_in([window("", ["acme"], 0, 24), window("", ["acme"], 1, 24)], metric_ids=[TOKENS])
    assert whole_day == Used({tokens: Decimal(4)}, has_negative=True)
    assert hours == Used({tokens: Decimal(4)}, has_negative=False)


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


def test_any_number_of_windows_costs_one_statement(metrics, django_assert_num_queries):
    send("", [("acme", XL, number, Decimal(1)) for number in range(0, LAST_HOUR, 7)])
    for count in (1, 50):
        asked = [window("", SUBJECTS, number, number + 30) for number in range(count)]
        with django_assert_num_queries(1):
            usage_in(asked, metric_ids=[TOKENS, CALLS])
    with django_assert_num_queries(0):
        assert usage_in([], metric_ids=[TOKENS]) == []
        assert usage_in([window("", [], 0, 1)], metric_ids=[TOKENS]) == [Used()]
        assert usage_in([window("", SUBJECTS, 0, 1)], metric_ids=[]) == [Used()]


def test_a_month_of_one_subject_is_found_by_the_primary_key(metrics):
    send("", [(f"subject-{number}", XL, 0, Decimal(1)) for number in range(1000)])
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_dailyusage (subject, series_id, day, count, has_negative, sum, hour_sums, hour_counts) "
            "SELECT subject, series_id, day + days, count, has_negative, sum, hour_sums, hour_counts "
            "FROM ledger_dailyusage, generate_series(1, 29) days"
        )
        cursor.execute("ANALYZE ledger_dailyusage")
    statements: list[tuple[str, object]] = []

    def remember(execute, sql, params, many, context):
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(remember):
        [used] = usage_in([window("", ["subject-500"], 0, 20 * 24 + 12)], metric_ids=[TOKENS])
    assert list(used.quantities.values()) == [21]
    [(sql, params)] = statements
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}", params)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert plan.count("using ledger_dailyusage_pkey") == 2  # whole days, and the hours of the last one
    assert "Seq Scan on ledger_dailyusage" not in plan
