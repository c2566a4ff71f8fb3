"""Whether what is derived still says what the facts say."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from billing_site.foundation.periods import DAY, add_months
from billing_site.foundation.transactions import read_snapshot
from ledger.models import DroppedMonth, EventCorrection
from ledger.queries.counting import STORED, stored_event
from ledger.queries.folds import Folded, Place, fold

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

# The whole day has no hour. An hour counts as held when any of its arrays has something there.
_DAYS = """
SELECT subject, series_id, day, NULL, count, sum, has_negative, NULL, NULL, NULL, NULL, NULL
FROM ledger_dailyusage WHERE (count <> 0 OR sum <> 0) AND (%(everyone)s OR subject = ANY(%(subjects)s))
UNION ALL
SELECT subject, series_id, day, hour, coalesce(hour_counts[hour], 0), coalesce(hour_sums[hour], 0), NULL,
       hour_maxima[hour], hour_latest[hour], hour_latest_at[hour], hour_latest_transaction_ids[hour],
       coalesce(hour_levels[hour], 0)
FROM ledger_dailyusage, generate_series(0, 23) AS hour
WHERE (coalesce(hour_counts[hour], 0) <> 0 OR coalesce(hour_sums[hour], 0) <> 0 OR coalesce(hour_levels[hour], 0) <> 0
       OR hour_maxima[hour] IS NOT NULL OR hour_latest_at[hour] IS NOT NULL)
  AND (%(everyone)s OR subject = ANY(%(subjects)s))
"""

_CARRIED = """
SELECT subject, series_id, month, change, level_seconds FROM ledger_carriedlevel
WHERE (change <> 0 OR level_seconds <> 0) AND (%(everyone)s OR subject = ANY(%(subjects)s))
"""
_VALUES = """
SELECT subject, series_id, hour, value, occurrences FROM ledger_uniquevalue
WHERE occurrences <> 0 AND (%(everyone)s OR subject = ANY(%(subjects)s))
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A day, or an hour of it, that holds something else than its events come to; None is no row, or no events."""

    subject: str
    series_id: UUID | None
    day: date
    hour: int | str | tuple[int, str] | None
    held: Folded | None
    events: Folded | None

    @property
    def sides(self) -> tuple[Folded | None, Folded | None]:
        return self.held, self.events


def usage_differs(subjects: Collection[str] | None = None) -> list[Difference]:
    """Where days and hours disagree with the events, of these subjects or of all; empty while all is well. In one
    snapshot.

    Compared are the count, the sum and `has_negative` of every day, all that its arrays hold of every hour, carried
    levels and unique values, in both directions: with what the stored events come to as corrected (`folds`). What
    holds nothing but zeros says the same as what is not there. Days from before the retention horizon are left out:
    their events are gone.

    It reads every event, and holds as many rows as there are hours with usage. A key without its body or its call is
    an error (ValueError), since what it was folded into cannot be told any more.
    """
    with read_snapshot():
        for subject, _ in lost_events(subjects):
            raise ValueError(f"An event of {subject!r} has lost its body or its call.")
        whose = _of(subjects)
        stored = STORED + "WHERE %(everyone)s OR body.subject = ANY(%(subjects)s)"
        events, held = fold(map(stored_event, _rows(stored, whose))), _held(whose)
        corrected = set(EventCorrection.objects.values_list("subject", flat=True))
        since = _whole_days_since()
    for place, folded in held.items():
        said = events.get(place)
        if place[0] in corrected and said is not None and folded.has_negative and not said.has_negative:
            held[place] = replace(folded, has_negative=said.has_negative)  # once true it stays
    events, held = ({p: f for p, f in each.items() if since is None or p[2] >= since} for each in (events, held))
    places = sorted(events.keys() | held.keys(), key=repr)
    return [
        Difference(*place, held.get(place), events.get(place))
        for place in places
        if held.get(place) != events.get(place)
    ]


def lost_events(subjects: Collection[str] | None = None) -> list[tuple[str, str]]:
    """Subject and transaction id of events that have lost their body or their call, a hundred at most; those whose
    month was dropped have not lost it. One query."""
    return list(_rows(_LOST, _of(subjects)))


def _whole_days_since() -> date | None:
    """The first day all of whose events are kept, where some were dropped. No event came more than a day early."""
    last = DroppedMonth.objects.order_by("-month").values_list("month", flat=True).first()
    if last is None:
        return None
    return (add_months(datetime(last.year, last.month, 1, tzinfo=UTC), 1) + DAY).date()


def _held(whose: Mapping[str, Any]) -> dict[Place, Folded]:
    found: dict[Place, Folded] = {}
    for subject, series_id, day, hour, count, total, has_negative, maximum, latest, at, by, level in _rows(
        _DAYS, whose
    ):
        newest = None if at is None else (at.astimezone(UTC), by, latest)
        held = Folded(count, total, has_negative, maximum, newest, level or Decimal(0))
        found[subject, series_id, day, hour] = held
    for subject, series_id, month, change, level in _rows(_CARRIED, whose):
        found[subject, series_id, month, "month"] = Folded(0, change, level_seconds=level)
    for subject, series_id, hour, value, occurrences in _rows(_VALUES, whose):
        instant = hour.astimezone(UTC)
        found[subject, series_id, instant.date(), (instant.hour, value)] = Folded(occurrences, Decimal(0))
    return found


def _of(subjects: Collection[str] | None) -> dict[str, Any]:
    return {"everyone": subjects is None, "subjects": list(subjects or ())}


def _rows(statement: str, parameters: Mapping[str, Any]) -> Iterator[tuple]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, parameters)
        yield from cursor
