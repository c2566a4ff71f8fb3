"""The worked table of docs/metering.md, and levels, peaks and unique values read as usage."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_site.foundation.ids import uuid7
from billing_site.foundation.periods import Period
from contracts.terms import ClaimWindow
from ledger.queries.checks import usage_differs
from ledger.queries.levels import claimed_levels, claimed_levels_by_hour
from ledger.queries.scoped import claimed_parts
from ledger.queries.usage import Window, claimed_usage_by_hour
from ledger.queries.values import Question, values_of
from ledger.scopes import Scope
from tests.factories.ledger import event, post
from tests.factories.pricing import MetricFactory

pytestmark = pytest.mark.django_db

OCTOBER, NOVEMBER = datetime(2025, 10, 1, tzinfo=UTC), datetime(2025, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
TWO = OCTOBER + timedelta(days=1, hours=2)
EVENTS = [
    ("2025-10-01T08:10:00Z", 3, "ann"),
    ("2025-10-01T09:00:00Z", "7.0", "bob"),
    ("2025-10-01T09:30:00Z", 5, "ann"),
    ("2025-10-02T00:15:00Z", "9", "cat"),
    ("2025-10-02T00:45:00Z", 4, "bob"),
]
ACME = [ClaimWindow("acme", None, None)]


def metric(aggregation, **fields):
    key = "user" if aggregation == "UNIQUE" else "value"
    return MetricFactory(aggregation_type=aggregation, aggregation_key="" if aggregation == "COUNT" else key, **fields)


def send(*events, subject="acme", at=NOVEMBER, **more):
    sent = [
        event(customer_id=subject, timestamp=when, properties={"value": value, "user": user} | more)
        for when, value, user in events
    ]
    for one in reversed(sent):  # out of order, one by one
        post(one, at=at)


def by_hour(asked, *, until=TWO, claims=ACME):
    """{"1 Oct 08": quantity} of an hour with something in it."""
    period = Period(OCTOBER, NOVEMBER)
    if asked.aggregation_type in ("COUNT", "SUM"):
        found = claimed_usage_by_hour(claims, period, metric_ids=[asked.pk])
        quantities = {hour: quantity for hour, used in found.items() for quantity in used.quantities.values()}
    elif asked.aggregation_type == "WEIGHTED_SUM":
        found = claimed_levels_by_hour(claims, period, metric_ids=[asked.pk], until=until)
        quantities = {hour: quantity for hour, used in found.items() for quantity in used.quantities.values()}
    else:
        scope = Scope(asked.pk, asked.aggregation_type, (), period)
        quantities = {part.hour: part.quantity for part in claimed_parts(claims, [scope])[scope]}
    return {f"{hour.day} Oct {hour:%H}": quantity for hour, quantity in quantities.items()}


def value(asked, start, end, *, until=NOVEMBER, subjects=("acme",), keys=()):
    [answer] = values_of([Question(asked, (Window(subjects, start, end),), keys)], until=until)
    return answer if keys else answer.get((), D(0))


@pytest.mark.parametrize(
    ("aggregation", "hours", "whole"),
    [
        ("COUNT", {"1 Oct 08": 1, "1 Oct 09": 2, "2 Oct 00": 2}, 5),
        ("SUM", {"1 Oct 08": 3, "1 Oct 09": 12, "2 Oct 00": 13}, 28),
        ("MAX", {"1 Oct 08": 3, "1 Oct 09": 4, "2 Oct 00": 2}, 9),
        ("LATEST", {"2 Oct 00": 4}, 4),
        ("UNIQUE", {"1 Oct 08": 1, "1 Oct 09": 1, "2 Oct 00": 1}, 3),
        (
            "WEIGHTED_SUM",
            {"1 Oct 08": D("2.5"), "1 Oct 09": D("12.5")}
            | {f"1 Oct {hour}": 15 for hour in range(10, 24)}
            | {"2 Oct 00": D("22.75"), "2 Oct 01": 28},
            D("275.75"),
        ),
    ],
)
def test_the_worked_table(aggregation, hours, whole):
    asked = metric(aggregation)
    send(*EVENTS)
    assert by_hour(asked) == hours
    assert value(asked, OCTOBER, NOVEMBER, until=TWO) == whole
    assert usage_differs() == []


class TestLevels:
    @pytest.fixture
    def servers(self):
        return metric("WEIGHTED_SUM", group_keys=[["region"]])

    def test_it_carries_on_where_nothing_happens(self, servers):
        send(("2024-02-29T23:30:00Z", 2, None), ("2025-09-30T12:00:00Z", 1, None))
        assert value(servers, OCTOBER, OCTOBER + HOUR) == 3
        assert value(servers, OCTOBER, NOVEMBER) == 3 * 31 * 24
        assert value(servers, datetime(2024, 2, 29, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)) == 1
        assert value(servers, datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 2, tzinfo=UTC)) == 48

    def test_it_counts_up_to_now_and_not_beyond(self, servers):
        send(("2025-10-01T00:00:00Z", 4, None))
        assert value(servers, OCTOBER, NOVEMBER, until=OCTOBER + HOUR * 1.5) == 6
        assert value(servers, OCTOBER, NOVEMBER, until=OCTOBER) == 0
        assert value(servers, NOVEMBER, NOVEMBER + HOUR, until=OCTOBER) == 0

    def test_it_is_told_apart_by_group_and_moves_with_its_subject(self, servers):
        send(("2025-10-01T00:00:00Z", 4, None), region="eu")
        send(("2025-10-01T00:00:00Z", 1, None), region="us")
        send(("2025-10-01T00:00:00Z", 10, None), subject="globex", region="eu")
        both = value(servers, OCTOBER, OCTOBER + 2 * HOUR, subjects=("acme", "globex"), keys=("region",))
        assert both == {("eu",): 28, ("us",): 2}
        split = [
            ClaimWindow("acme", None, OCTOBER + 5 * HOUR),
            ClaimWindow("globex", OCTOBER + 5 * HOUR, OCTOBER + 7 * HOUR),
        ]
        [found] = claimed_levels(split, [Period(OCTOBER + 4 * HOUR, NOVEMBER)], metric_ids=[servers.pk], until=NOVEMBER)
        assert {series.values[0][1]: quantity for series, quantity in found.quantities.items()} == {
            "eu": 4 + 20,
            "us": 1,
        }

    def test_thirds_of_an_hour_are_exact_however_they_are_cut(self, servers):
        send(("2025-10-01T00:40:00Z", 1, None), ("2025-10-01T05:20:00Z", 1, None))
        assert value(servers, OCTOBER, OCTOBER + HOUR) == D("0.333333333333")
        assert value(servers, OCTOBER + 5 * HOUR, OCTOBER + 6 * HOUR) == D("1.666666666667")
        whole = value(servers, OCTOBER, NOVEMBER)
        instants = [OCTOBER, OCTOBER + HOUR, OCTOBER + 5 * HOUR, OCTOBER + 6 * HOUR, NOVEMBER]
        parts = claimed_levels(
            ACME,
            [Period(*bounds) for bounds in pairwise(instants)],
            metric_ids=[servers.pk],
            until=NOVEMBER,
        )
        assert sum(quantity for used in parts for quantity in used.quantities.values()) == whole

    def test_an_hour_below_zero_is_marked(self, servers):
        send(("2025-10-01T01:00:00Z", -2, None), ("2025-10-01T01:59:00Z", 3, None))
        hours = claimed_levels_by_hour(ACME, Period(OCTOBER, OCTOBER + 4 * HOUR), metric_ids=[servers.pk], until=TWO)
        assert [(hour.hour, *used.quantities.values(), used.has_negative) for hour, used in hours.items()] == [
            (1, D("-1.95"), True),
            (2, 1, False),
            (3, 1, False),
        ]
        [whole] = claimed_levels(ACME, [Period(OCTOBER, NOVEMBER)], metric_ids=[servers.pk], until=TWO)
        assert whole.has_negative


class TestPeaksAndLastValues:
    def test_a_maximum_is_one_over_subjects_and_series_unless_told_apart(self):
        seats = metric("MAX", group_keys=[["region"], ["region", "team"]])
        send(("2025-10-01T08:00:00Z", 3, None), region="eu", team="a")
        send(("2025-10-01T07:00:00Z", 5, None), region="us")
        send(("2025-10-01T09:00:00Z", 4, None), subject="globex", region="eu")
        subjects = ("acme", "globex")
        assert value(seats, OCTOBER, NOVEMBER, subjects=subjects) == 5
        assert value(seats, OCTOBER, NOVEMBER, subjects=subjects, keys=("region",)) == {("eu",): 4, ("us",): 5}
        assert value(seats, OCTOBER, NOVEMBER, subjects=subjects, keys=("team", "region")) == {
            ("a", "eu"): 3,
            (None, "eu"): 4,
            (None, "us"): 5,
        }

    def test_a_maximum_below_zero(self):
        asked = metric("MAX")
        send(("2025-10-01T08:00:00Z", -5, None), ("2025-10-01T09:00:00Z", -3, None))
        assert by_hour(asked) == {"1 Oct 08": -5, "1 Oct 09": 2}

    def test_of_two_events_at_one_instant_the_greater_id_is_the_later(self):
        asked = metric("LATEST")
        for transaction_id, said in (("b", 2), ("c", 3), ("a", 1)):
            post(event(transaction_id, properties={"value": said}))
        post(event("d", timestamp="2025-10-01T11:59:59Z", properties={"value": 4}))
        assert by_hour(asked) == {"1 Oct 12": 3}
        assert usage_differs() == []

    def test_values_are_compared_as_text_and_long_ones_by_hash(self):
        asked = metric("UNIQUE")
        said = [1, 1.0, "1", "01", True, "true", "", "x" * 300, "x" * 301, "x" * 300]
        post(*[event(properties={"user": one}) for one in said], event(properties={"user": None}), event())
        assert value(asked, OCTOBER, NOVEMBER) == 6
        assert usage_differs() == []

    def test_values_that_are_no_numbers_hold_the_metric(self):
        asked = metric("MAX")
        post(event(properties={"value": "many"}), event(properties={"value": 2}))
        assert by_hour(asked) == {"1 Oct 12": 2}
        assert usage_differs() == []


KINDS = ("MAX", "LATEST", "UNIQUE", "WEIGHTED_SUM")
sent_events = st.lists(
    st.tuples(
        st.sampled_from(["acme", "globex"]),
        st.integers(0, 70 * 24 * 60).map(lambda minutes: OCTOBER - timedelta(days=20) + timedelta(minutes=minutes)),
        st.integers(-30, 30),
        st.sampled_from(["eu", "us"]),
    ),
    max_size=25,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=sent_events, start=st.integers(-100, 900), hours=st.integers(1, 800), batches=st.integers(1, 4))
def test_each_is_what_a_plain_fold_of_the_events_says(events, start, hours, batches):
    run = str(uuid7())
    metrics = [
        MetricFactory(
            aggregation_type=kind,
            aggregation_key="value",
            event_type_filter={"in_values": [run]},
            group_keys=[["region"]],
        )
        for kind in KINDS
    ]
    sent = [
        event(
            f"{number:03}",
            event_type=run,
            customer_id=run + subject,
            timestamp=when.isoformat(),
            properties={"value": said, "region": region},
        )
        for number, (subject, when, said, region) in enumerate(events)
    ]
    for number in range(batches):
        if sent[number::batches]:
            post(*sent[number::batches], at=OCTOBER + timedelta(days=90))
    start_at = OCTOBER + start * HOUR
    end_at, until = start_at + hours * HOUR, OCTOBER + timedelta(days=20)
    window = Window((f"{run}acme", f"{run}globex"), start_at, end_at)
    asked = [Question(one, (window,), ("region",)) for one in metrics]
    answers = values_of(asked, until=until)
    for kind, answer in zip(KINDS, answers, strict=True):
        assert answer == plain(kind, events, start_at, end_at, until), kind


def plain(kind, events, start, end, until):
    found = {}
    for region in ("eu", "us"):
        inside = [
            (when, f"{number:03}", said)
            for number, (_, when, said, where) in enumerate(events)
            if where == region and start <= when < end
        ]
        if kind == "WEIGHTED_SUM":
            last = min(end, until)
            moves = [(when, said) for _, when, said, where in events if where == region and when < last]
            if start >= last or not moves:
                continue
            level = sum(said * max(timedelta(0), last - max(when, start)) / HOUR for when, said in moves)
            exact = sum(
                (D(said) * D((last - max(when, start)) // timedelta(microseconds=1)) for when, said in moves), D(0)
            )
            total = (exact / D(3_600_000_000)).quantize(D(10) ** -12)
            assert abs(float(total) - level) < 1e-6
            held = any(
                sum(
                    said for subject, when, said, where in events if where == region and subject == one and when < start
                )
                or any(
                    where == region and subject == one and start <= when < last for subject, when, _, where in events
                )
                for one in ("acme", "globex")
            )
            if held:
                found[region,] = total
        elif inside:
            values = [said for *_, said in inside]
            found[region,] = D({"MAX": max(values), "LATEST": max(inside)[2], "UNIQUE": len(set(values))}[kind])
    return found
