"""What events leave behind: rows by hour, everything an event may change, and what a call answered."""

from datetime import timedelta

from ledger.models import (
    DailyUsage,
    EventBody,
    EventKey,
    HourlyUsage,
    MetricSet,
    Series,
    UnreadValue,
)
from ledger.services.ingest import Receipt
from tests.factories.ledger import NOON, event

HOUR = timedelta(hours=1)
LATER = NOON + HOUR
PARTITION = "ledger_eventbody_2025_10"


def completion(transaction_id=None, /, at=NOON, subject="acme", **properties):
    return event(
        transaction_id,
        customer_id=subject,
        event_type="completion",
        timestamp=at.isoformat(),
        properties={"tokens": 1} | properties,
    )


def by_hour(metric):
    """{(subject, group values in the order of their names, hour): (count, sum)}"""
    series = {row.pk: row for row in Series.objects.filter(metric_id=metric.pk)}
    return {
        (row.subject, *(series[row.series_id].values[key] for key in sorted(series[row.series_id].values)), row.hour): (
            row.count,
            row.sum,
        )
        for row in HourlyUsage.objects.filter(series_id__in=series)
    }


def everything():
    """What an event may change."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (EventKey, EventBody, DailyUsage, Series, UnreadValue, MetricSet)
    ]


def outcome(receipt: Receipt):
    return receipt.accepted, receipt.duplicates, len(receipt.conflicts)
