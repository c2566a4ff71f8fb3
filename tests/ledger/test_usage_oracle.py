"""Usage as the SDK reads it, against a second reading of the same rules that shares no code with the first.

Events come as senders spell them: numbers as text, instants with offsets, ties, values below zero, groups that are
numbers, empty or missing; late, out of order, twice, taken back and amended.
"""

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import product

import pytest

from billing_site.foundation.actor import Actor
from billing_site.foundation.models import TestClock
from ledger.queries.checks import usage_differs
from ledger.queries.lateness import marks_missing
from ledger.services.corrections import amend_event, void_event
from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import MetricFactory
from tests.ledger.sdk import sdk_client

pytestmark = pytest.mark.django_db

START, END = datetime(2025, 10, 1, tzinfo=UTC), datetime(2025, 10, 4, tzinfo=UTC)
NOW = datetime(2025, 10, 3, 17, 20, tzinfo=UTC)  # within the range: levels count up to here
KINDS = ("COUNT", "SUM", "MAX", "LATEST", "UNIQUE", "WEIGHTED_SUM")
SIZES = {"HOUR": timedelta(hours=1), "DAY": timedelta(days=1), "NONE": END - START}
KEYS = (("region",), ("region", "team"))
MISSING = object()


@dataclass(slots=True)
class Said:
    """An event as it counts, in the oracle's words: the value exact, group values as text or None."""

    transaction_id: str
    at: datetime
    value: Fraction
    who: str
    groups: dict[str, str | None]
    is_void: bool = False


def spelled_number(source, value):
    """The value in one of the spellings that JSON and people have for it."""
    return source.choice([value, str(value), f"{value}.0", f"{value}0e-1", f"+{value}" if value >= 0 else str(value)])


def spelled_instant(source, at):
    zone = source.choice([UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-9, minutes=-30))])
    text = at.astimezone(zone).isoformat()
    return text.replace("+00:00", "Z") if source.random() < 0.5 else text


WHO = [(1, "1"), ("1", "1"), (1.0, "1"), ("1.0", "1.0"), (False, "false"), ("", ""), ("Ann", "Ann"), ("ann", "ann")]
GROUPS = {  # as sent, as text
    "region": [("eu", "eu"), ("us", "us"), ("", ""), (None, None), (MISSING, None)],
    "team": [(1, "1"), ("1", "1"), (1.0, "1"), (True, "true"), ("e\u0301", "e\u0301"), (MISSING, None)],
}


def make(source, number):
    """An event as sent, and as it counts. Many share an instant."""
    at = START - timedelta(hours=30) + timedelta(minutes=source.choice([7, 20, 60]) * source.randrange(100))
    at += timedelta(microseconds=source.choice([0, 0, 1, 999_999]))
    if NOW <= at < NOW + timedelta(hours=1):  # sent ahead within the hour: see docs/metering.md
        at -= timedelta(hours=2)
    value = source.randrange(-4, 12)
    chosen = {name: source.choice(options) for name, options in GROUPS.items()}
    who, who_text = source.choice(WHO)
    properties = {"value": spelled_number(source, value), "who": who}
    properties |= {name: sent for name, (sent, _) in chosen.items() if sent is not MISSING}
    sent = {
        "transaction_id": f"{source.randrange(10**6):06}-{number}",
        "customer_id": source.choice(["acme", "acme-eu"]),
        "event_type": "used",
        "timestamp": spelled_instant(source, at),
        "properties": properties,
    }
    groups = {name: text for name, (_, text) in chosen.items()}
    return sent, Said(sent["transaction_id"], at, Fraction(value), who_text, groups)


def windows(size):
    start = START
    while start < END:
        yield start, min(start + SIZES[size], END)
        start += SIZES[size]


def expected(kind, events, start, end):
    """The value of these events over a window, to twelve decimals."""
    inside = [one for one in events if start <= one.at < end]
    if kind == "COUNT":
        return Decimal(len(inside))
    if kind == "SUM":
        return decimal(sum((one.value for one in inside), Fraction(0)))
    if kind == "UNIQUE":
        return Decimal(len({one.who for one in inside}))
    if kind == "WEIGHTED_SUM":
        last = min(end, NOW)
        hours = sum((one.value * Fraction((last - max(one.at, start)) / timedelta(microseconds=1)) for one in events
                     if one.at < last and start < last), Fraction(0))  # fmt: skip
        return decimal(hours / 3_600_000_000)
    if not inside:
        return Decimal(0)
    if kind == "MAX":
        return decimal(max(one.value for one in inside))
    return decimal(max(inside, key=lambda one: (one.at, one.transaction_id)).value)


def decimal(exact):
    scaled = Decimal(exact.numerator) * 10**12 / Decimal(exact.denominator)
    return scaled.to_integral_value(ROUND_HALF_UP).scaleb(-12)


@pytest.fixture
def clock(settings):
    settings.SANDBOX = True

    def set_to(at):
        TestClock.objects.update_or_create(id=True, defaults={"instant": at})

    set_to(START)
    return set_to


@pytest.fixture(params=[1, 2])
def world(request, clock):
    """(client, customer, metrics by kind, events as they count) after everything has happened."""
    source = random.Random(request.param)
    customer = CustomerFactory(aliases=["acme", "acme-eu"])
    metrics = {
        kind: MetricFactory(
            aggregation_type=kind,
            aggregation_key={"COUNT": "", "UNIQUE": "who"}.get(kind, "value"),
            event_type_filter={"in_values": ["used"]},
            group_keys=[list(keys) for keys in KEYS],
        )
        for kind in KINDS
    }
    client = sdk_client()
    made = [make(source, number) for number in range(160)]
    source.shuffle(made)
    for first in range(0, len(made), 20):
        batch = [sent for sent, _ in made[first : first + 20]]
        clock(max(said.at for _, said in made[: first + 20]) + timedelta(hours=source.choice([-10, 0, 5])))
        client.v1.usage.ingest(usage=batch + batch[:3])  # repeats within a call
        client.v1.usage.ingest(usage=[made[source.randrange(first + 1)][0]])  # and of an earlier one
    clock(NOW)
    told = {"reason": "Sent by mistake", "at": NOW, "by": Actor.command("Ada")}
    for sent, said in source.sample(made, 12):
        void_event(said.transaction_id, subject=sent["customer_id"], **told)
        said.is_void = True
    for sent, said in source.sample([one for one in made if not one[1].is_void], 12):
        said.at, said.value = said.at.replace(minute=15), said.value - 3
        properties = sent["properties"] | {"value": str(int(said.value))}
        amend_event(
            said.transaction_id,
            subject=sent["customer_id"],
            timestamp=said.at.isoformat(),
            properties=properties,
            **told,
        )
    return client, customer, metrics, [said for _, said in made if not said.is_void]


def grouped(kind, events, keys, size, found):
    """{(group, window): value} of the groups with usage in the range; of levels, those that the reply names."""
    by_group = defaultdict(list)
    for one in events:
        by_group[tuple(one.groups[key] for key in keys)].append(one)
    shown = {group for group, of_group in by_group.items() if any(START <= one.at < END for one in of_group)}
    if kind == "WEIGHTED_SUM":
        assert shown - {group for group, _ in found} == {
            group for group in shown if all(one.at >= NOW or one.at < START for one in by_group[group])
        }
        shown = {group for group, _ in found}
    return {
        (group, start): float(expected(kind, by_group[group], start, end))
        for group in shown
        for start, end in windows(size)
    }


def test_every_metric_and_group_in_every_window_and_every_event(world):
    client, customer, metrics, events = world
    bounds = {"starting_on": START, "ending_before": END}
    for size in SIZES:
        rows = client.v1.usage.list(**bounds, window_size=size, customer_ids=[str(customer.pk)])
        assert {(row.billable_metric_id, row.start_timestamp): row.value for row in rows} == {
            (str(metric.pk), start): float(expected(kind, events, start, end))
            for kind, metric in metrics.items()
            for start, end in windows(size)
        }, size
        for kind, keys in product(KINDS, KEYS):
            asked = {"billable_metric_id": str(metrics[kind].pk), "customer_id": str(customer.pk), "window_size": size}
            rows = client.v1.usage.list_with_groups(**bounds, **asked, group_key=list(keys))
            found = {(tuple(row.group[key] for key in keys), row.starting_on): row.value for row in rows}
            assert found == grouped(kind, events, keys, size, found), (kind, size, keys)
    for first in range(0, len(events), 100):
        wanted = {one.transaction_id: one for one in events[first : first + 100]}
        found = client.v1.usage.search(transaction_ids=list(wanted))
        assert {one.transaction_id for one in found} == set(wanted)
        for one in found:
            said = wanted[one.transaction_id]
            assert one.timestamp == said.at
            assert Fraction(Decimal(str(one.properties["value"]))) == said.value
            assert one.matched_customer.id == str(customer.pk)
            assert {matched.id for matched in one.matched_billable_metrics} == {str(one.pk) for one in metrics.values()}
    assert usage_differs() == []
    assert marks_missing() == []
