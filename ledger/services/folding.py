"""Folding events that are stored already: those that a new metric comes to, and those that a correction moves.

What is additive is added or taken away. A maximum and a latest value cannot be taken away: the hour is read anew from
its events, under the lock of its day.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection

from billing_site.foundation.touched import SUBJECT, touch
from ledger.metering import Measures, SeriesBytes, quantity_text
from ledger.models import UnreadValue
from ledger.queries.counting import STORED as STORED_EVENTS
from ledger.queries.counting import Counting, StoredEvent, stored_event
from ledger.services.ingest import parameters, statements
from ledger.services.ingest.calls import Call, Source
from ledger.services.ingest.events import FUTURE, Event, encode, microseconds_of
from ledger.services.ingest.marking import Marked
from ledger.services.ingest.measuring import Measured, remeasure
from ledger.services.ingest.parameters import HOUR, HOURS_BEFORE_2000, Amounts
from ledger.services.ingest.transaction import raw_connection

READ_ANEW = frozenset({"MAX", "LATEST"})

Place = tuple[str, SeriesBytes, int]  # subject, series, and the hour counted from the beginning of the year 1


def event_of(stored: StoredEvent) -> Event:
    text = encode(stored.properties)
    return Event(
        stored.subject,
        stored.transaction_id,
        stored.event_type,
        stored.timestamp,
        microseconds_of(stored.timestamp),
        stored.properties,
        text,
        b"",
    )


def fold_anew(events: Sequence[StoredEvent], measures: Measures, *, at: datetime) -> int:
    """Count events for metrics that have not counted them. Answers how many of them count for something.

    Within the caller's transaction, which sees to it that nobody else counts them.
    """
    call = _call([event_of(one) for one in events], measures, at)
    amounts = parameters.folded([call], _entries(call))
    marked = Marked()
    for index, marks in sorted(call.measured.marks.items()):
        marked.add(call.events[index], marks)
    _write([call], amounts, marked)
    touch(SUBJECT, {one.subject for one in events})
    counted = {index for index, parts in enumerate(call.measured.parts) if parts}
    return len(counted | call.measured.marks.keys())


def refold(before: StoredEvent, after: StoredEvent | None, counting: Counting, *, at: datetime) -> None:
    """Take away what an event counted for, and count what it says now (None: nothing), for the same metrics.

    Within the caller's transaction, in which the correction has been stored and no backfill moves.
    """
    touch(SUBJECT, [before.subject])
    measures = counting.of(before)
    unread = UnreadValue.objects.filter(subject=before.subject, transaction_id=before.transaction_id)
    unread_by = set(unread.values_list("metric_id", flat=True))
    read_by = Measures([one for one in measures.all if one.metric_id not in unread_by])
    old = _call([event_of(before)], read_by, at)
    calls = [old]
    amounts: Amounts = {}
    for key, amount in parameters.folded([old], _entries(old)).items():
        amount.units, amount.events, amount.has_negative = -amount.units, -amount.events, False
        amounts[key] = amount
    marked, read_anew = Marked(), set[Place]()
    _mark(marked, read_anew, old, -1)
    if after is not None:
        new = _call([event_of(after)], measures, at)
        calls.append(new)
        for key, amount in parameters.folded([new], _entries(new)).items():
            if key in amounts:
                amounts[key].units += amount.units
                amounts[key].events += amount.events
                amounts[key].has_negative = amount.has_negative
            else:
                amounts[key] = amount
        _mark(marked, read_anew, new, 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM ledger_unreadvalue WHERE subject = %s AND transaction_id = %s AND metric_id = ANY(%s)",
            [before.subject, before.transaction_id, [one.metric_id for one in measures.all]],
        )
    _write(calls, amounts, marked, unread=calls[1:])
    for place in sorted(read_anew):
        _read_anew(place, counting)


def _mark(marked: Marked, read_anew: set[Place], call: Call, sign: int) -> None:
    [event] = call.events
    for mark in call.measured.marks.get(0, ()):
        aggregation, series, _ = mark
        if aggregation in READ_ANEW:
            # It is counted as if it were new, so that the day is there and locked, and then set right.
            marked.add(event, [mark])
            read_anew.add((event.subject, series, event.microseconds // HOUR + HOURS_BEFORE_2000))
        else:
            marked.add(event, [mark], sign)


def _write(calls: Sequence[Call], amounts: Amounts, marked: Marked, unread: Sequence[Call] | None = None) -> None:
    run = psycopg.RawCursor(raw_connection()).execute
    used = {amount.series for amount in amounts.values()} | marked.series
    if rows := parameters.series(calls, used):
        run(statements.SERIES, rows)
    for call in calls if unread is None else unread:
        if values := parameters.unread([call], _entries(call)):
            run(statements.UNREAD, values)
    for fold in parameters.fold_rounds(amounts):
        run(statements.FOLD, fold)
    for statement, values in marked.statements():
        run(statement, values)


_IN_HOUR = f"""
{STORED_EVENTS}
WHERE body.subject = %(subject)s AND body.received_at >= %(received_from)s AND latest.number IS NULL
  AND body.timestamp >= %(hour)s AND body.timestamp < %(end)s
UNION ALL
{STORED_EVENTS}
WHERE latest.kind = 'AMEND' AND latest.timestamp >= %(hour)s AND latest.timestamp < %(end)s
  AND body.subject = %(subject)s AND body.transaction_id IN
      (SELECT transaction_id FROM ledger_eventcorrection WHERE subject = %(subject)s)
"""

_SET = """
UPDATE ledger_dailyusage SET
    count = count - coalesce(hour_counts[%(k)s], 0) + %(number)s,
    hour_counts[%(k)s] = %(number)s,
    hour_maxima[%(k)s] = %(maximum)s::numeric,
    hour_latest[%(k)s] = %(latest)s::numeric,
    hour_latest_at[%(k)s] = %(latest_at)s::timestamptz,
    hour_latest_transaction_ids[%(k)s] = %(latest_id)s::text
WHERE subject = %(subject)s AND series_id = %(series)s AND day = date '0001-01-01' + %(day)s
"""


def _read_anew(place: Place, counting: Counting) -> None:
    """Set an hour of a series to what its events say. Its day is locked: who folds into it waits, or is seen."""
    subject, series, hour = place
    start = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(hours=hour - HOURS_BEFORE_2000)
    found = Marked()
    with connection.cursor() as cursor:
        cursor.execute(
            _IN_HOUR,
            {
                "subject": subject,
                "received_from": start - FUTURE,
                "hour": start,
                "end": start + timedelta(hours=1),
            },
        )
        for row in cursor.fetchall():
            stored = stored_event(row)
            event = event_of(stored)
            marks = remeasure([event], counting.of(stored)).marks.get(0, [])
            found.add(event, [mark for mark in marks if mark[1] == series])
        key = subject.encode(), series, hour
        number, maximum = found.maxima.get(key, (0, None))
        number, last, latest = found.latest.get(key, (number, None, None))
        moment = None if last is None else start + timedelta(microseconds=last[0] % HOUR)
        cursor.execute(
            _SET,
            {
                "k": hour % 24,
                "number": number,
                "maximum": None if maximum is None else quantity_text(maximum),
                "latest": None if latest is None else quantity_text(latest),
                "latest_at": moment,
                "latest_id": None if last is None else last[1],
                "subject": subject,
                "series": UUID(bytes=series[4:]),
                "day": hour // 24,
            },
        )


def _call(events: Sequence[Event], measures: Measures, at: datetime) -> Call:
    measured: Measured = remeasure(events, measures)
    return Call(events, at, Source(""), measured)


def _entries(call: Call) -> list[Any]:
    return sorted((event.subject, event.transaction_id, 0, index, event) for index, event in enumerate(call.events))
