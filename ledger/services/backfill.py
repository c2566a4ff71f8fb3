"""Measuring a metric back over the events that came before it, while ingest goes on.

1. *Begin.* Wait until every ingest call that began before the metric was there has ended: a lock that excludes them is
   taken and given back at once. From then on every call measures by the metric, and says so by its metric set; which
   events it missed is settled, and they are counted once to say how many there are.
2. *Go on*, batch by batch in the order of the bodies' key, month by month. A batch is one transaction that folds the
   events whose calls did not measure by the metric, and moves the place. So a process that is killed loses nothing,
   and twins wait for each other.

A correction holds all places still, so an event counts with its content before or after, never both: what the
backfill has come past is counted by the correction, the rest is read as corrected when its turn comes.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db import OperationalError, connection, transaction

from billing_site.foundation.periods import add_months
from billing_site.foundation.refusals import NotFound
from billing_site.foundation.transactions import RETRIED, sqlstate
from ledger.models import MetricBackfill
from ledger.queries.counting import measures_of, stored_events
from ledger.services.folding import fold_anew
from ledger.services.partitions import months_kept
from pricing.models import BillableMetric

BATCH = 2_000
ATTEMPTS = 8
LOCK_TIMEOUT = "500ms"  # a writer that takes longer is waited for in pieces, so that others never queue for long
LOCK_PATIENCE = 600.0  # seconds


@dataclass(frozen=True, slots=True)
class Progress:
    backfill: MetricBackfill

    @property
    def is_finished(self) -> bool:
        return self.backfill.finished_at is not None


def backfill_metric(metric_id: UUID, *, at: datetime, seconds: float = float("inf"), batch: int = BATCH) -> Progress:
    """Measure back until it is done, or for about so many seconds; call it again to go on. Outside any transaction.

    Raises NotFound.
    """
    metric = BillableMetric.objects.filter(pk=metric_id).first()
    if metric is None:
        raise NotFound(f"There is no billable metric {metric_id}.")
    began = time.monotonic()
    row = MetricBackfill.objects.filter(pk=metric_id).first() or _begin(metric, at=at)
    while row.finished_at is None:
        row = _retried(metric, at, batch)
        if time.monotonic() - began >= seconds:
            break
    return Progress(row)


def metrics_to_backfill() -> list[UUID]:
    """Those that were not measured back to the end, oldest first."""
    done = MetricBackfill.objects.filter(finished_at__isnull=False).values("metric_id")
    return list(BillableMetric.objects.exclude(pk__in=done).order_by("created_at", "pk").values_list("pk", flat=True))


def _begin(metric: BillableMetric, *, at: datetime) -> MetricBackfill:
    _wait_for_calls_under_way()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(call.accepted), 0) FROM ledger_ingestcall call "
            "JOIN ledger_metricset known ON known.id = call.metric_set_id WHERE NOT known.metric_ids ? %s",
            [str(metric.pk)],
        )
        (before,) = cursor.fetchone()
        row = MetricBackfill(metric_id=metric.pk, started_at=at, events_before=before)
        if not before:
            row.finished_at = at
        MetricBackfill.objects.bulk_create([row], ignore_conflicts=True)
    return MetricBackfill.objects.get(pk=metric.pk)


def _wait_for_calls_under_way() -> None:
    """Every ingest transaction reads what sources are authorities in the statement that looks which metrics there are,
    so it holds that table's lock from before it looks until it ends. Hardly anybody else reads it, and cleaning it up
    takes no time: the keys' table would do too, but is vacuumed for minutes.
    """
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                cursor.execute("LOCK TABLE ledger_sourceauthority IN ACCESS EXCLUSIVE MODE")
        except OperationalError as error:
            if sqlstate(error) != "55P03" or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def _retried(metric: BillableMetric, at: datetime, batch: int) -> MetricBackfill:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return _go_on(metric, at, batch)
        except OperationalError as error:
            if connection.in_atomic_block or attempt == ATTEMPTS or sqlstate(error) not in RETRIED:
                raise
    raise AssertionError("unreachable")


# In the order of the key, from a place on.
_NEXT = """
WHERE body.received_at >= %(start)s AND body.received_at < %(end)s
  AND (body.subject, body.transaction_id) > (%(subject)s, %(transaction_id)s)
ORDER BY body.subject, body.transaction_id LIMIT %(limit)s
"""


def _go_on(metric: BillableMetric, at: datetime, batch: int) -> MetricBackfill:
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE ledger_metricbackfill IN ROW EXCLUSIVE MODE")  # corrections are over, or wait
    row = MetricBackfill.objects.select_for_update().get(pk=metric.pk)
    if row.finished_at is not None:
        return row
    months = months_kept()
    month = row.month or (months[0] if months else None)
    if month is None:
        return _finish(row, at)
    if month not in months:
        row.month, row.subject, row.transaction_id = month, "", ""
        events = []
    else:
        start = datetime(month.year, month.month, 1, tzinfo=UTC)
        bounds = {"start": start, "end": add_months(start, 1), "limit": batch}
        place = {"subject": row.subject, "transaction_id": row.transaction_id}
        events = list(stored_events(_NEXT, bounds | place))
    measured = _sets_with(metric.pk)
    missed = [event for event in events if event.metric_set_id not in measured]
    if missed:
        standing = [event for event in missed if not event.is_void]
        row.events_counted += fold_anew(standing, measures_of([metric]), at=at)
        row.events_seen += len(missed)
    if len(events) == batch:
        row.month, row.subject, row.transaction_id = month, events[-1].subject, events[-1].transaction_id
    else:
        following = [other for other in months if other > month]
        if not following:
            return _finish(row, at)
        row.month, row.subject, row.transaction_id = following[0], "", ""
    row.save()
    return row


def _finish(row: MetricBackfill, at: datetime) -> MetricBackfill:
    row.finished_at = at
    row.save()
    return row


def _sets_with(metric_id: UUID) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM ledger_metricset WHERE metric_ids ? %s", [str(metric_id)])
        return {set_id for (set_id,) in cursor.fetchall()}
