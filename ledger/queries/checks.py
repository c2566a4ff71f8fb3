"""Whether what is derived still says what the facts say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from billing_site.foundation.periods import DAY, add_months
from billing_site.foundation.transactions import read_snapshot
from ledger.models import DroppedMonth, EventCorrection
from ledger.queries.bodies import lost_events
from ledger.queries.counting import STORED, stored_event
from ledger.queries.folds import Folded, Place, fold
from ledger.queries.reach import Reach

# The whole day has no hour. An hour counts as held when any of its arrays has something there.
_DAYS = """
SELECT subject, series_id, day, NULL, count, sum, has_negative, NULL, NULL, NULL, NULL, NULL
FROM {daily} WHERE count <> 0 OR sum <> 0
UNION ALL
SELECT subject, series_id, day, hour, coalesce(hour_counts[hour], 0), coalesce(hour_sums[hour], 0), NULL,
       hour_maxima[hour], hour_latest[hour], hour_latest_at[hour], hour_latest_transaction_ids[hour],
       coalesce(hour_levels[hour], 0)
FROM {daily}, generate_series(0, 23) AS hour
WHERE coalesce(hour_counts[hour], 0) <> 0 OR coalesce(hour_sums[hour], 0) <> 0 OR coalesce(hour_levels[hour], 0) <> 0
   OR hour_maxima[hour] IS NOT NULL OR hour_latest_at[hour] IS NOT NULL
"""
_CARRIED = """
SELECT subject, series_id, month, change, level_seconds FROM {carried} WHERE change <> 0 OR level_seconds <> 0
"""
_VALUES = "SELECT subject, series_id, hour, value, occurrences FROM {values} WHERE occurrences <> 0"

# Table, and the column that says when, with its type.
_TABLES = {
    "daily": ("ledger_dailyusage", "day", "date"),
    "carried": ("ledger_carriedlevel", "month", "date"),
    "values": ("ledger_uniquevalue", "hour", "timestamptz"),
}
# Of some subjects, from one instant to another; of the series of levels, or of all others.
_WITHIN = """(
    SELECT held.* FROM unnest(%(subjects)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
      AS span (subject, starting_at, ending_before)
    JOIN {table} held ON held.subject = span.subject
     AND held.{when} >= span.starting_at::{kind} AND held.{when} < span.ending_before::{kind}
    WHERE (held.series_id = ANY(%(level_series)s)) = %(are_levels)s
) held"""


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


def usage_differs(reach: Reach | None = None) -> list[Difference]:
    """Where days and hours disagree with the events, within a reach or all of them; empty while all is well. In one
    snapshot.

    Compared are the count, the sum and `has_negative` of every day, all that its arrays hold of every hour, carried
    levels and unique values, in both directions: with what the stored events come to as corrected (`folds`). What
    holds nothing but zeros says the same as what is not there. Days from before the retention horizon are left out:
    their events are gone.

    It reads every event, or those of the reach, and holds as many rows as there are hours with usage. Where all are
    read, a key without its body or its call is an error (ValueError), since what it was folded into cannot be told any
    more; within a reach such an event counts nothing.
    """
    with read_snapshot():
        if reach is None:
            for subject, _ in lost_events():
                raise ValueError(f"An event of {subject!r} has lost its body or its call.")
            events, held = fold(map(stored_event, _rows(STORED, {}))), _held()
        else:
            events, held = reach.folded(), _held_within(reach)
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


def _whole_days_since() -> date | None:
    """The first day all of whose events are kept, where some were dropped. No event came more than a day early."""
    last = DroppedMonth.objects.order_by("-month").values_list("month", flat=True).first()
    if last is None:
        return None
    return (add_months(datetime(last.year, last.month, 1, tzinfo=UTC), 1) + DAY).date()


def _held_within(reach: Reach) -> dict[Place, Folded]:
    within = {name: _WITHIN.format(table=table, when=when, kind=kind) for name, (table, when, kind) in _TABLES.items()}
    found: dict[Place, Folded] = {}
    series = reach.level_series()
    for are_levels, columns in enumerate(reach.spans()):
        whose = {**columns, "level_series": series, "are_levels": bool(are_levels)}
        found |= _held(whose, tables=within)
    return found


def _held(whose: Mapping[str, Any] | None = None, *, tables: Mapping[str, str] | None = None) -> dict[Place, Folded]:
    tables = tables or {name: table for name, (table, _, _) in _TABLES.items()}
    whose = whose or {}
    found: dict[Place, Folded] = {}
    for subject, series_id, day, hour, count, total, has_negative, maximum, latest, at, by, level in _rows(
        _DAYS.format(**tables), whose
    ):
        newest = None if at is None else (at.astimezone(UTC), by, latest)
        held = Folded(count, total, has_negative, maximum, newest, level or Decimal(0))
        found[subject, series_id, day, hour] = held
    for subject, series_id, month, change, level in _rows(_CARRIED.format(**tables), whose):
        found[subject, series_id, month, "month"] = Folded(0, change, level_seconds=level)
    for subject, series_id, hour, value, occurrences in _rows(_VALUES.format(**tables), whose):
        instant = hour.astimezone(UTC)
        found[subject, series_id, instant.date(), (instant.hour, value)] = Folded(occurrences, Decimal(0))
    return found


def _rows(statement: str, parameters: Mapping[str, Any]) -> Iterator[tuple]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, parameters)
        yield from cursor
