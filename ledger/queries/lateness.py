"""Usage that came in late, against what a final document saw of it.

Late marks say which hours of which subjects changed late, and in which transaction last; a document says which
transactions it saw. So what a document has missed is found from the marks of its hours alone.

A level carries over: a late change of one in September moves the levels of October too. So where a mark's month holds
changes of a subject's levels, the mark touches every document that ends after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from ledger.queries.usage import Window


@dataclass(frozen=True, slots=True)
class Seen:
    """A document over these windows of its customer's subjects, and the snapshot (`pg_snapshot` as text) it saw."""

    windows: tuple[Window, ...]
    snapshot: str


@dataclass(frozen=True, slots=True)
class LateUsage:
    """`hours` hours that changed since, from `first` to `last`; each is where an hour begins. The same hour of two
    subjects counts twice."""

    hours: int
    first: datetime
    last: datetime
    subjects: tuple[str, ...]


_LATE = """
SELECT asked.number, count(DISTINCT (mark.subject, mark.hour)), min(mark.hour), max(mark.hour),
       array_agg(DISTINCT mark.subject ORDER BY mark.subject)
FROM unnest(%s::integer[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[])
     AS asked (number, subject, starting_at, ending_before, snapshot)
JOIN ledger_latemark mark ON mark.subject = asked.subject AND mark.hour < asked.ending_before
WHERE NOT pg_visible_in_snapshot(mark.xid, asked.snapshot::pg_snapshot)
  AND (mark.hour >= asked.starting_at OR EXISTS (
      SELECT FROM ledger_carriedlevel level
      WHERE level.subject = mark.subject AND level.month = date_trunc('month', mark.hour, 'UTC')::date
  ))
GROUP BY asked.number
"""


def late_usage(documents: Sequence[Seen]) -> list[LateUsage | None]:
    """What each document has missed; None where it has missed nothing. One query.

    Hours that were corrected count too, and hours of events that no metric counts.
    """
    rows = [
        (number, subject, window.starting_at, window.ending_before, document.snapshot)
        for number, document in enumerate(documents)
        for window in document.windows
        for subject in window.subjects
    ]
    found: list[LateUsage | None] = [None] * len(documents)
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_LATE, [list(column) for column in zip(*rows, strict=True)])
            for number, hours, first, last, subjects in cursor.fetchall():
                found[number] = LateUsage(hours, first, last, tuple(subjects))
    return found


_MISSING = """
SELECT late.subject, late.hour FROM (
    SELECT body.subject, date_trunc('hour', body.timestamp, 'UTC') AS hour FROM ledger_eventbody body
    WHERE body.timestamp < body.received_at - interval '1 hour'
    UNION
    SELECT made.subject, date_trunc('hour', made.timestamp, 'UTC') FROM ledger_eventcorrection made
    WHERE made.timestamp < made.created_at - interval '1 hour'
) late
LEFT JOIN ledger_latemark mark USING (subject, hour)
WHERE mark.xid IS NULL
ORDER BY late.subject, late.hour
"""


def marks_missing() -> list[tuple[str, datetime]]:
    """Subjects and hours that changed late and have no mark; empty while all is well. It reads every event."""
    with connection.cursor() as cursor:
        cursor.execute(_MISSING)
        return cursor.fetchall()
