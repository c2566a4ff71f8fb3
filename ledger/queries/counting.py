"""What an event counts for now: its content after corrections, and the metrics that measured it.

A metric counts an event when the event's call was measured by it, or when its backfill has come past the event.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from ledger.metering import Measure, Measures
from ledger.models import EventCorrection, MetricBackfill, MetricSet
from pricing.models import BillableMetric


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it counts now. `correction` is 0 for one that was never corrected; a void one counts nothing."""

    subject: str
    transaction_id: str
    event_type: str
    timestamp: datetime
    properties: dict[str, Any]
    received_at: datetime
    metric_set_id: UUID
    call_id: UUID
    correction: int
    is_void: bool

    @property
    def place(self) -> tuple[date, str, str]:
        """Where a backfill comes past it."""
        return month_of(self.received_at), self.subject, self.transaction_id


_STORED = """
SELECT body.subject, body.transaction_id,
       coalesce(latest.event_type, body.event_type), coalesce(latest.timestamp, body.timestamp),
       coalesce(latest.properties, body.properties)::text, body.received_at, call.metric_set_id, body.call_id,
       coalesce(latest.number, 0), coalesce(latest.kind = 'VOID', false)
FROM {bodies} body
LEFT JOIN ledger_ingestcall call ON call.id = body.call_id
LEFT JOIN LATERAL (
    SELECT correction.* FROM ledger_eventcorrection correction
    WHERE correction.subject = body.subject AND correction.transaction_id = body.transaction_id {seen}
    ORDER BY correction.number DESC LIMIT 1
) latest ON true
"""
# To be finished with conditions on `body`. A body is the original; the latest correction says what counts.
STORED = _STORED.format(bodies="ledger_eventbody", seen="")

_SPANS = """
    unnest(%(subjects)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
    AS span (subject, starting_at, ending_before)"""
# An event that was corrected may lie at another time than its body: those are found by their corrections.
_BODIES_WITHIN = f"""(
    SELECT body.*, false AS is_corrected FROM {_SPANS}
    JOIN ledger_eventbody body ON body.subject = span.subject
     AND body.timestamp >= span.starting_at AND body.timestamp < span.ending_before
    UNION ALL
    SELECT body.*, true FROM (
        SELECT DISTINCT subject, transaction_id FROM ledger_eventcorrection WHERE subject = ANY(%(subjects)s)
    ) corrected
    JOIN ledger_eventkey key USING (subject, transaction_id)
    JOIN ledger_eventbody body USING (subject, transaction_id, received_at)
)"""
_WITHIN = f"""
WHERE call.id IS NOT NULL AND body.is_corrected = (latest.number IS NOT NULL)
  AND (latest.number IS NULL OR EXISTS (
      SELECT FROM {_SPANS} WHERE span.subject = body.subject
         AND latest.timestamp >= span.starting_at AND latest.timestamp < span.ending_before
  ))
  AND (%(types)s::text[] IS NULL OR coalesce(latest.event_type, body.event_type) = ANY(%(types)s))
"""
_NOW = _STORED.format(bodies=_BODIES_WITHIN, seen="") + _WITHIN
_THEN = (
    _STORED.format(bodies=_BODIES_WITHIN, seen="AND pg_visible_in_snapshot(correction.xid, %(snapshot)s::pg_snapshot)")
    + _WITHIN
    + "AND pg_visible_in_snapshot(call.xid, %(snapshot)s::pg_snapshot)"
)


def stored_events(conditions: str, parameters: Any) -> Iterator[StoredEvent]:
    """The events whose `body` meets the conditions, which may order and limit them too."""
    with connection.cursor() as cursor:
        cursor.execute(STORED + conditions, parameters)
        yield from map(stored_event, cursor.fetchall())


def events_within(span_columns: Mapping[str, Any], *, snapshot: str | None = None) -> Iterator[StoredEvent]:
    """The events of some spans of time, as they count now or as `snapshot` (`pg_snapshot` as text) saw them, of those
    whose body and call are kept; read as they are asked for. `span_columns` are those of a `Reach`."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_NOW if snapshot is None else _THEN, {**span_columns, "snapshot": snapshot})
        yield from map(stored_event, cursor)


def stored_event(row: tuple[Any, ...]) -> StoredEvent:
    subject, transaction_id, event_type, timestamp, properties, received_at, *rest = row
    if rest[0] is None:
        raise ValueError(f"An event of {subject!r} has lost its call.")
    read = json.loads(properties, parse_float=Decimal)
    return StoredEvent(subject, transaction_id, event_type, timestamp.astimezone(UTC), read, received_at, *rest)


class Counting:
    """Which metrics count which events, as of when this was made: three queries. Sets and metrics that came later are
    read when an event needs them; how far backfills have come is not read again."""

    def __init__(self, metric_set_ids: Collection[UUID] | None = None) -> None:
        sets = MetricSet.objects.all() if metric_set_ids is None else MetricSet.objects.filter(pk__in=metric_set_ids)
        self._members = {known.pk: _members(known) for known in sets}
        self.metrics = {metric.pk: metric for metric in BillableMetric.objects.all()}
        self.measures = {metric.pk: measure_of(metric) for metric in self.metrics.values()}
        self.backfills = {backfill.metric_id: backfill for backfill in MetricBackfill.objects.all()}
        self._together: dict[frozenset[UUID], Measures] = {}

    def metric_ids(self, event: StoredEvent) -> frozenset[UUID]:
        """The metrics that look at the event, whether or not they want it."""
        members = self._members_of(event.metric_set_id)
        return members | {
            metric_id
            for metric_id, backfill in self.backfills.items()
            if metric_id not in members and has_passed(backfill, event)
        }

    def _members_of(self, metric_set_id: UUID) -> frozenset[UUID]:
        if metric_set_id not in self._members:
            members = self._members[metric_set_id] = _members(MetricSet.objects.get(pk=metric_set_id))
            for metric in BillableMetric.objects.filter(pk__in=members - self.metrics.keys()):
                self.metrics[metric.pk], self.measures[metric.pk] = metric, measure_of(metric)
        return self._members[metric_set_id]

    def of(self, event: StoredEvent) -> Measures:
        ids = self.metric_ids(event)
        if ids not in self._together:
            self._together[ids] = Measures([self.measures[metric_id] for metric_id in ids])
        return self._together[ids]


def _members(known: MetricSet) -> frozenset[UUID]:
    return frozenset(UUID(text) for text in known.metric_ids)


def has_passed(backfill: MetricBackfill, event: StoredEvent) -> bool:
    if backfill.finished_at is not None:
        return True
    if backfill.month is None:
        return False
    return event.place <= (backfill.month, backfill.subject, backfill.transaction_id)


def measures_of(metrics: Iterable[BillableMetric]) -> Measures:
    return Measures([measure_of(metric) for metric in metrics])


def measure_of(metric: BillableMetric) -> Measure:
    return Measure.of(
        metric.pk,
        metric.aggregation_type,
        metric.aggregation_key,
        metric.event_type_filter,
        metric.property_filters,
        metric.group_keys,
    )


def month_of(instant: datetime) -> date:
    """The first day of the month, in UTC: where a body received then is kept."""
    return instant.astimezone(UTC).date().replace(day=1)


def corrections_of(subject: str, transaction_id: str) -> list[EventCorrection]:
    """In order, the last one being what counts."""
    found = EventCorrection.objects.filter(subject=subject, transaction_id=transaction_id)
    return list(found.order_by("number"))
