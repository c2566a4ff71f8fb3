"""Who sends what when, read from the calls once a minute, so that a source gone quiet is seen."""

from datetime import datetime, timedelta

from django.db import connection, transaction

from ledger.models import ActivityRead, SourceActivity

FIRST_LOOK = timedelta(days=7)
SETTLED = timedelta(seconds=10)  # a call may commit a little after its receipt
FORGETS = 0.9  # what a gap counts for after one more call

_CALLS = """
SELECT call.source, sent.event_type, count(*), sum(sent.number::bigint), min(call.received_at), max(call.received_at)
FROM ledger_ingestcall call, jsonb_each_text(call.event_types) AS sent (event_type, number)
WHERE call.received_at > %s AND call.received_at <= %s
GROUP BY call.source, sent.event_type
"""


def refresh_activity(*, at: datetime) -> None:
    """Read the calls since the last time. Twins wait for each other."""
    ActivityRead.objects.bulk_create([ActivityRead()], ignore_conflicts=True)
    with transaction.atomic(), connection.cursor() as cursor:
        read = ActivityRead.objects.select_for_update().get()
        until = at - SETTLED
        since = read.through or until - FIRST_LOOK
        if until <= since:
            return
        cursor.execute(_CALLS, [since, until])
        for source, event_type, calls, events, first, last in cursor.fetchall():
            _count(source, event_type, calls, int(events), first, last)
        read.through = until
        read.save()


def _count(source: str, event_type: str, calls: int, events: int, first: datetime, last: datetime) -> None:
    known = SourceActivity.objects.filter(source=source, event_type=event_type).first()
    if known is None:
        gap = (last - first).total_seconds() / (calls - 1) if calls > 1 else None
        SourceActivity.objects.create(
            source=source,
            event_type=event_type,
            first_at=first,
            last_at=last,
            calls=calls,
            events=events,
            usual_gap_seconds=gap,
        )
        return
    gap = (last - known.last_at).total_seconds() / calls
    kept = FORGETS**calls
    usual = gap if known.usual_gap_seconds is None else kept * known.usual_gap_seconds + (1 - kept) * gap
    SourceActivity.objects.filter(source=source, event_type=event_type).update(
        last_at=last, calls=known.calls + calls, events=known.events + events, usual_gap_seconds=usual
    )
