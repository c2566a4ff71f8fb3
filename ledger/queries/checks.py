"""Whether what is derived still says what the facts say."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal, Inexact
from json import loads
from uuid import UUID

from django.db import connection

from billing_site.foundation.transactions import read_snapshot
from ledger.metering import UNIT, Measure, UnreadableValue, quantity
from ledger.models import MetricSet, Series
from pricing.models import BillableMetric

# Every event that counts, once: what lies under a key, as its call was measured.
_EVENTS = """
SELECT key.subject, body.event_type, body.timestamp, body.properties::text, call.metric_set_id
FROM ledger_eventkey key
LEFT JOIN ledger_eventbody body USING (subject, transaction_id, received_at)
LEFT JOIN ledger_ingestcall call ON call.id = body.call_id
"""

# The whole day has no hour. An hour counts as held when either of its arrays has something there.
_DAYS = """
SELECT subject, series_id, day, NULL, count, sum, has_negative FROM ledger_dailyusage
UNION ALL
SELECT subject, series_id, day, hour, coalesce(hour_counts[hour], 0), coalesce(hour_sums[hour], 0), NULL
FROM ledger_dailyusage,
     generate_series(least(array_lower(hour_counts, 1), array_lower(hour_sums, 1)),
                     greatest(array_upper(hour_counts, 1), array_upper(hour_sums, 1))) AS hour
WHERE hour_counts[hour] IS NOT NULL OR hour_sums[hour] IS NOT NULL
"""

_EXACT = Context(prec=76, traps=[Inexact])

# Subject, series (None: one that the dictionary does not have), day, and the hour or None for the whole day.
_Place = tuple[str, UUID | None, date, int | None]


@dataclass(frozen=True, slots=True)
class Folded:
    """What events come to. `has_negative` is said of days alone."""

    count: int
    sum: Decimal
    has_negative: bool | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A day, or an hour of it, that holds something else than its events come to; None is no row, or no events."""

    subject: str
    series_id: UUID | None
    day: date
    hour: int | None
    held: Folded | None
    events: Folded | None


def usage_differs() -> list[Difference]:
    """Where days and hours disagree with the events; empty while all is well. In one snapshot.

    Compared are the count, the sum and `has_negative` of every day, and the count and the sum of every hour in its
    arrays, in both directions: with what the stored events come to, each folded anew, alone, by the metrics that its
    call was measured by, into the series that the dictionary has for its group values. Only what an event is to a
    metric (`ledger.metering`) is shared with ingest; batching, claiming, adding up and storing are not.

    It reads every event, and holds as many rows as there are hours with usage. A key without its body or its call is
    an error (ValueError), since what it was folded into cannot be told any more.
    """
    with read_snapshot():
        events, held = _fold_of_events(), _held()
    places = sorted(events.keys() | held.keys(), key=repr)
    return [
        Difference(*place, held.get(place), events.get(place))
        for place in places
        if held.get(place) != events.get(place)
    ]


def _fold_of_events() -> dict[_Place, Folded]:
    metrics = _metrics_of_sets()
    series = {(row.metric_id, frozenset(row.values.items())): row.pk for row in Series.objects.all()}
    amounts: dict[_Place, list[int]] = defaultdict(lambda: [0, 0, 0])
    for subject, event_type, timestamp, stored, metric_set_id in _rows(_EVENTS):
        if metric_set_id is None:
            raise ValueError(f"An event of {subject!r} has lost its body or its call.")
        properties = loads(stored, parse_float=Decimal)
        instant: datetime = timestamp.astimezone(UTC)
        for metric in metrics[metric_set_id]:
            if not (metric.wants_type(event_type) and metric.wants(properties)):
                continue
            try:
                units = quantity(properties[metric.key]) if metric.key is not None else 0
            except UnreadableValue:
                continue  # an `UnreadValue` says so
            values = zip(metric.group_keys, metric.group_of(properties), strict=True)
            series_id = series.get((metric.metric_id, frozenset(values)))
            for hour in (None, instant.hour):
                amount = amounts[subject, series_id, instant.date(), hour]
                amount[0] += 1
                amount[1] += units
                amount[2] += units < 0
    return {
        place: Folded(count, _EXACT.divide(Decimal(units), Decimal(UNIT)), negative > 0 if place[3] is None else None)
        for place, (count, units, negative) in amounts.items()
    }


def _held() -> dict[_Place, Folded]:
    return {
        (subject, series_id, day, hour): Folded(count, total, has_negative)
        for subject, series_id, day, hour, count, total, has_negative in _rows(_DAYS)
    }


def _metrics_of_sets() -> dict[UUID, list[Measure]]:
    metrics = {
        str(metric.pk): Measure.of(
            metric.pk,
            metric.aggregation_type,
            metric.aggregation_key,
            metric.event_type_filter,
            metric.property_filters,
            metric.group_keys,
        )
        for metric in BillableMetric.objects.all()
    }
    return {known.pk: [metrics[metric_id] for metric_id in known.metric_ids] for known in MetricSet.objects.all()}


def _rows(statement: str) -> Iterator[tuple]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement)
        yield from cursor
