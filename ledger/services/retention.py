"""Dropping the bodies of old events, a month at a time. Keys, hours, corrections and documents stay."""

from datetime import UTC, date, datetime

from django.conf import settings
from django.db import connection, transaction

from billing_site.foundation.actor import Actor
from billing_site.foundation.periods import add_months
from billing_site.foundation.refusals import Conflict, NotFound
from ledger.models import DroppedMonth, MetricBackfill
from ledger.services.backfill import metrics_to_backfill
from ledger.services.partitions import forget_partition, months_kept, partition_name


def drop_month(month: date, *, at: datetime, by: Actor) -> DroppedMonth:
    """Drop the bodies received in a month. Months go oldest first, and a month that has ended only.

    Writers of other months wait for the parent's lock, which is held as long as it takes to detach a table. Raises
    NotFound, Conflict.
    """
    months = months_kept()
    if month not in months:
        raise NotFound(f"No bodies received in {month:%B %Y} are kept.")
    if month != months[0] or month >= _beginning(at).date():
        raise Conflict.of("month", f"{month:%Y-%m}", "must be the oldest one kept, and over")
    if metrics_to_backfill() and MetricBackfill.objects.filter(finished_at__isnull=True).exists():
        raise Conflict.of("month", f"{month:%Y-%m}", "is read by metrics that are being measured back")
    start = datetime(month.year, month.month, 1, tzinfo=UTC)
    name = partition_name(start)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {name}")
        (events,) = cursor.fetchone()
        with transaction.atomic():
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            cursor.execute(f"ALTER TABLE ledger_eventbody DETACH PARTITION {name}")
            cursor.execute(f"DROP TABLE {name}")
            dropped = DroppedMonth.objects.create(month=month, events=events, dropped_at=at, dropped_by=by.label)
    forget_partition(start)
    return dropped


def months_to_drop(*, at: datetime) -> list[date]:
    """Those that ended longer ago than bodies are kept (`EVENT_RETENTION_MONTHS`), oldest first; 0 keeps all."""
    months = settings.EVENT_RETENTION_MONTHS
    if not months:
        return []
    horizon = add_months(_beginning(at), -months).date()
    return [month for month in months_kept() if month < horizon]


def _beginning(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
