"""Usage as a snapshot saw it: folded anew from the events and corrections whose transactions it could see.

Days and hours hold everything that has come since. So what was seen is put into temporary tables of the same names,
which stand before the real ones for as long as the caller looks: whoever reads usage meanwhile, reads it as it was.
"""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from django.db import connection, transaction

from billing_site.foundation.periods import HOUR
from billing_site.foundation.transactions import read_only
from ledger.metering import encode
from ledger.models import DroppedMonth
from ledger.queries.counting import events_as_seen
from ledger.queries.folds import Folded, Place, fold

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_TABLES = ("ledger_dailyusage", "ledger_hourlyusage", "ledger_carriedlevel", "ledger_uniquevalue")
_DAY = """
INSERT INTO ledger_dailyusage (subject, series_id, day, count, sum, has_negative) VALUES (%s, %s, %s, %s, %s, %s)
"""
_HOUR = """
INSERT INTO ledger_hourlyusage
    (subject, series_id, day, hour, count, sum, maximum, latest_at, latest_transaction_id, latest, level_seconds)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_MONTH = (
    "INSERT INTO ledger_carriedlevel (subject, series_id, month, change, level_seconds) VALUES (%s, %s, %s, %s, %s)"
)
_VALUE = """
INSERT INTO ledger_uniquevalue (subject, series_id, hour, value, occurrences) VALUES (%s, %s, %s, %s, %s)
"""


@contextmanager
def usage_as_seen(subjects: Collection[str], snapshot: str) -> Iterator[None]:
    """Within it, usage of these subjects reads as `snapshot` (`pg_snapshot` as text) saw it, and of others not at all.

    Nothing can be written within. It reads every event of the subjects whose body is kept.
    """
    with transaction.atomic():
        seen = fold(events_as_seen(subjects, snapshot))
        with connection.cursor() as cursor:
            for table in _TABLES:
                cursor.execute(f"CREATE TEMPORARY TABLE {table} (LIKE public.{table} INCLUDING DEFAULTS)")
            for statement, rows in _rows(seen).items():
                cursor.executemany(statement, rows)
        read_only()
        yield
        transaction.set_rollback(True)


def _rows(seen: dict[Place, Folded]) -> dict[str, list[tuple[Any, ...]]]:
    rows: dict[str, list[tuple[Any, ...]]] = {_DAY: [], _HOUR: [], _MONTH: [], _VALUE: []}
    for (subject, series_id, day, hour), held in seen.items():
        of = (subject, series_id)
        if hour is None:
            rows[_DAY].append((*of, day, held.count, held.sum, held.has_negative or False))
        elif hour == "month":
            rows[_MONTH].append((*of, day, held.sum, held.level_seconds))
        elif isinstance(hour, tuple):
            rows[_VALUE].append((*of, _instant(day, hour[0]), hour[1], held.count))
        elif isinstance(hour, int):
            latest = held.latest or (None, None, None)
            instant = _instant(day, hour)
            rows[_HOUR].append((*of, day, instant, held.count, held.sum, held.maximum, *latest, held.level_seconds))
    return rows


def _instant(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC) + hour * HOUR


_BODIES = """
SELECT body.subject, body.transaction_id, body.event_type, body.timestamp, body.properties::text, key.content_hash
FROM ledger_eventbody body
LEFT JOIN ledger_eventkey key USING (subject, transaction_id, received_at)
WHERE body.subject = ANY(%s)
ORDER BY body.subject, body.transaction_id
"""


def altered_events(subjects: Collection[str]) -> list[tuple[str, str]]:
    """Subject and transaction id of events whose body is not what was received: their key keeps its hash."""
    found = []
    with connection.chunked_cursor() as cursor:
        cursor.execute(_BODIES, [list(subjects)])
        for subject, transaction_id, event_type, timestamp, properties, kept in cursor:
            microseconds = (timestamp - _EPOCH) // _MICROSECOND
            content = b"%b\0%d\0%b" % (
                event_type.encode(),
                microseconds,
                encode(json.loads(properties, parse_float=Decimal)),
            )
            if kept is None or bytes(kept) != blake2b(content, digest_size=16).digest():
                found.append((subject, transaction_id))
    return found


def dropped_since(instant: datetime) -> list[date]:
    """The months, by their first days, whose bodies were dropped, of those in which an event of `instant` or later may
    have been received."""
    earliest = (instant - timedelta(hours=24)).date().replace(day=1)
    return list(DroppedMonth.objects.filter(month__gte=earliest).order_by("month").values_list("month", flat=True))
