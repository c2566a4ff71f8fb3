"""What happened: usage events, the days and hours they were folded into, and ledger entries.

Rows of usage are keyed by subject (the `customer_id` an event was sent with), rows of money by customer. Events, series
and days have natural keys only: no surrogate, no foreign key, no second index on the hot tables.
"""

from ledger.models.calls import ActivityRead, IngestCall, RefusedCall, SourceActivity, SourceAuthority
from ledger.models.entries import LedgerEntry
from ledger.models.events import DroppedMonth, EventBody, EventCorrection, EventKey
from ledger.models.metrics import MetricBackfill, MetricSet
from ledger.models.usage import (
    CarriedLevel,
    DailyUsage,
    HourlyUsage,
    HoursField,
    LateMark,
    Series,
    UniqueValue,
    UnreadValue,
)

__all__ = [
    "ActivityRead",
    "CarriedLevel",
    "DailyUsage",
    "DroppedMonth",
    "EventBody",
    "EventCorrection",
    "EventKey",
    "HourlyUsage",
    "HoursField",
    "IngestCall",
    "LateMark",
    "LedgerEntry",
    "MetricBackfill",
    "MetricSet",
    "RefusedCall",
    "Series",
    "SourceActivity",
    "SourceAuthority",
    "UniqueValue",
    "UnreadValue",
]
