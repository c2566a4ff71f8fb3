"""Whether the bodies of events are there, and are what was received."""

import json
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from django.db import connection

from ledger.metering import encode
from ledger.models import DroppedMonth
from ledger.queries.events import MOST_AHEAD
from ledger.queries.reach import SINCE_EVER, Reach

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# Every key has its body, or lies in a month that was dropped.
_LOST = """
SELECT key.subject, key.transaction_id FROM ledger_eventkey key
LEFT JOIN ledger_eventbody body USING (subject, transaction_id, received_at)
LEFT JOIN ledger_ingestcall call ON call.id = body.call_id
WHERE call.id IS NULL AND NOT EXISTS (
    SELECT FROM ledger_droppedmonth dropped WHERE dropped.month = date_trunc('month', key.received_at, 'UTC')::date
) AND (%(everyone)s OR key.subject = ANY(%(subjects)s))
ORDER BY key.subject, key.transaction_id
LIMIT 100
"""

_BODIES = """
SELECT body.subject, body.transaction_id, body.event_type, body.timestamp, body.properties::text, key.content_hash
FROM unnest(%(subjects)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
  AS span (subject, starting_at, ending_before)
JOIN ledger_eventbody body ON body.subject = span.subject
 AND body.timestamp >= span.starting_at AND body.timestamp < span.ending_before
LEFT JOIN ledger_eventkey key ON key.subject = body.subject AND key.transaction_id = body.transaction_id
     AND key.received_at = body.received_at
WHERE %(types)s::text[] IS NULL OR body.event_type = ANY(%(types)s)
"""


def lost_events(subjects: Collection[str] | None = None) -> list[tuple[str, str]]:
    """Subject and transaction id of events that have lost their body or their call, a hundred at most; those whose
    month was dropped have not lost it. One query, which looks at every event of these subjects, or of all."""
    with connection.cursor() as cursor:
        cursor.execute(_LOST, {"everyone": subjects is None, "subjects": list(subjects or ())})
        return cursor.fetchall()


def altered_events(reach: Reach) -> list[tuple[str, str]]:
    """Subject and transaction id of the events of the reach whose body is not what was received: their key keeps its
    hash. Bodies lie where they say, whatever corrections say of them."""
    return sorted({event for columns in reach.spans() for event in _altered(columns)})


def altered_events_anywhere(subjects: Collection[str]) -> list[tuple[str, str]]:
    """The same of all events of these subjects, wherever their time was moved to."""
    everything = {
        "subjects": list(subjects),
        "starts": [SINCE_EVER for _ in subjects],
        "ends": ["infinity" for _ in subjects],
        "types": None,
    }
    return sorted(_altered(everything))


def _altered(columns: dict[str, Any]) -> Iterator[tuple[str, str]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(_BODIES, columns)
        for subject, transaction_id, event_type, timestamp, properties, kept in cursor:
            microseconds = (timestamp - _EPOCH) // _MICROSECOND
            content = b"%b\0%d\0%b" % (
                event_type.encode(),
                microseconds,
                encode(json.loads(properties, parse_float=Decimal)),
            )
            if kept is None or bytes(kept) != blake2b(content, digest_size=16).digest():
                yield subject, transaction_id


def dropped_since(day: date | None) -> list[date]:
    """The months, by their first days, whose bodies were dropped, of those in which an event of `day` or later may have
    been received; None is since ever."""
    months = DroppedMonth.objects.order_by("month")
    if day is not None:
        earliest = datetime(day.year, day.month, day.day, tzinfo=UTC) - MOST_AHEAD
        months = months.filter(month__gte=earliest.date().replace(day=1))
    return list(months.values_list("month", flat=True))
