"""What levels come to (WEIGHTED_SUM): level × time, in unit-hours, up to an instant.

A level is the sum of all changes of its subject and series that came before, whenever that was. What it has come to
since ever is a function C of time, exact in units × microseconds; what it comes to between two instants is the
difference. Between the events of two hours C is a straight line, so an instant costs one look into a sorted list.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from billing_site.foundation.periods import HOUR, Period
from contracts.terms import ClaimWindow
from ledger.queries.usage import Window, windows_of
from ledger.used import Series, Used, series_of
from pricing.engine.catalog import GroupValues

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HOUR = HOUR // _MICROSECOND
_WIDE = Context(prec=80)


@dataclass(frozen=True, slots=True)
class LevelUsage:
    """A series' level over a slot: `moment` is units of 10⁻¹² × microseconds, of all subjects together."""

    series: Series
    quantity: Decimal  # in unit-hours
    has_negative: bool
    moment: int


def unit_hours(moment: int) -> Decimal:
    """To twelve decimals, half away from zero."""
    return Decimal(_rounded(moment)).scaleb(-12)


def _rounded(moment: int) -> int:
    size = (2 * abs(moment) + _HOUR) // (2 * _HOUR)
    return size if moment >= 0 else -size


@dataclass(slots=True)
class _Level:
    """The level of one subject and series. Lists are by the hours in which it changed, in order of time."""

    metric_id: UUID
    series_id: UUID
    values: GroupValues
    opening: int = 0  # the level at `origin`, in 10⁻¹² units
    moment: int = 0  # C there
    origin: int = 0  # in microseconds since 2000
    hours: list[int] = field(default_factory=list)  # where they begin
    levels: list[int] = field(default_factory=list)  # after each
    moments: list[int] = field(default_factory=list)  # C at the end of each

    def change(self, hour: int, change: int, moment: int) -> None:
        """`moment` is change × microseconds that were left in the hour, summed."""
        level = self.levels[-1] if self.levels else self.opening
        before = self.at(hour)
        self.hours.append(hour)
        self.levels.append(level + change)
        self.moments.append(before + level * _HOUR + moment)

    def level_before(self, instant: int) -> int:
        """The level when the hour of `instant` began."""
        place = bisect_left(self.hours, instant - instant % _HOUR) - 1
        return self.levels[place] if place >= 0 else self.opening

    def at(self, instant: int) -> int:
        """C at an instant. Within an hour it is as if all of the hour's events had come before."""
        place = bisect_left(self.hours, instant) - 1
        if place < 0:
            return self.moment + self.opening * (instant - self.origin)
        return self.moments[place] + self.levels[place] * (instant - self.hours[place] - _HOUR)

    def is_ever_negative(self, start: int, end: int) -> bool:
        """Whether some hour of the range comes to less than nothing."""
        first, last = bisect_left(self.hours, start), bisect_left(self.hours, end)
        if (first == last or self.hours[first] > start) and self.level_before(start) < 0:
            return True
        for place in range(first, last):
            hour = self.hours[place]
            if self.at(min(hour + _HOUR, end)) < self.at(hour):
                return True
            following = self.hours[place + 1] if place + 1 < len(self.hours) else end
            if self.levels[place] < 0 and min(following, end) > hour + _HOUR:
                return True
        return False

    def has_event(self, start: int, end: int) -> bool:
        return bisect_left(self.hours, start) < bisect_right(self.hours, end - 1)


def levels_by_slot(
    slots: Sequence[Sequence[Window]], *, metric_ids: Collection[UUID], until: datetime
) -> list[list[LevelUsage]]:
    """One list a slot, over all of its windows up to `until` together, ordered by metric and series.

    A series is there when its level was not zero all the time, or events changed it. Windows of a slot must not share
    an hour of a subject. One statement.
    """
    known = _levels(slots, metric_ids, until) if metric_ids else {}
    return [_slot(windows, known, until) for windows in slots]


def claimed_levels(
    claims: Iterable[ClaimWindow], periods: Sequence[Period], *, metric_ids: Collection[UUID], until: datetime
) -> list[Used]:
    """The levels in each closed period, counting each subject only over the hours for which it is claimed."""
    claims = list(claims)
    slots = [windows_of(claims, period) for period in periods]
    return [_used(levels) for levels in levels_by_slot(slots, metric_ids=metric_ids, until=until)]


def claimed_levels_by_hour(
    claims: Iterable[ClaimWindow], period: Period, *, metric_ids: Collection[UUID], until: datetime
) -> dict[datetime, Used]:
    """The levels in each hour of the closed period, as claimed; hours without are absent."""
    windows = windows_of(claims, period)
    known = _levels([windows], metric_ids, until) if metric_ids else {}
    found: dict[datetime, Used] = {}
    assert period.ending_before is not None
    hour = period.starting_at
    while hour < min(period.ending_before, until):
        inside = [
            Window(window.subjects, hour, hour + HOUR)
            for window in windows
            if window.starting_at <= hour < window.ending_before
        ]
        if levels := _slot(inside, known, until):
            found[hour] = _used(levels)
        hour += HOUR
    return found


def _used(levels: Sequence[LevelUsage]) -> Used:
    return Used({level.series: level.quantity for level in levels}, any(level.has_negative for level in levels))


def _slot(windows: Sequence[Window], known: dict[str, list[_Level]], until: datetime) -> list[LevelUsage]:
    summed: dict[UUID, tuple[_Level, int, int, bool]] = {}
    for window in windows:
        start, end = _microseconds(window.starting_at), _microseconds(min(window.ending_before, until))
        for level in (one for subject in window.subjects for one in known.get(subject, ())) if start < end else ():
            before, after = level.at(start), level.at(end)
            if before == after and not level.has_event(start, end):
                continue
            # Rounded where it stands, so that however a time is cut, the parts add up.
            units = _rounded(after) - _rounded(before)
            _, moment, total, negative = summed.get(level.series_id, (level, 0, 0, False))
            negative = negative or level.is_ever_negative(start, end)
            summed[level.series_id] = level, moment + after - before, total + units, negative
    ordered = sorted(summed.values(), key=lambda row: (row[0].metric_id, row[0].series_id))
    return [
        LevelUsage(series_of(level.metric_id, level.values), Decimal(units).scaleb(-12), negative, moment)
        for level, moment, units, negative in ordered
    ]


# A month row holds what its changes came to by the month's end; from there on each counts fully.
_LEVELS = """
WITH span AS (
    SELECT * FROM unnest(%s::text[], %s::date[], %s::timestamptz[], %s::date[])
    AS span (subject, opening_on, until, last_day)
), carried AS (
    SELECT span.subject, part.* FROM span, LATERAL (
        SELECT month.series_id, sum(month.change) AS change,
               sum(month.level_seconds + month.change * 86400
                   * (span.opening_on - (month.month + interval '1 month')::date)) AS seconds
        FROM ledger_carriedlevel month
        WHERE month.subject = span.subject AND month.month < span.opening_on
        GROUP BY month.series_id
    ) part
), changed AS (
    SELECT span.subject, part.* FROM span, LATERAL (
        SELECT usage.series_id, usage.hour, usage.sum, usage.level_seconds FROM ledger_hourlyusage usage
        WHERE usage.subject = span.subject AND usage.day >= span.opening_on AND usage.day <= span.last_day
          AND usage.hour < span.until AND usage.level_seconds IS NOT NULL
        OFFSET 0
    ) part
)
SELECT found.subject, found.series_id, series.metric_id, series.values, found.hour, found.change, found.seconds
FROM (SELECT subject, series_id, NULL::timestamptz AS hour, change, seconds FROM carried
      UNION ALL SELECT subject, series_id, hour, sum, level_seconds FROM changed) found
JOIN ledger_series series ON series.id = found.series_id
WHERE series.metric_id = ANY(%s)
ORDER BY found.subject, found.series_id, found.hour NULLS FIRST
"""


def _levels(
    slots: Sequence[Sequence[Window]], metric_ids: Collection[UUID], until: datetime
) -> dict[str, list[_Level]]:
    """The levels of every subject asked about, known from the first to the last of its instants."""
    bounds = dict(_bounds(slots, until))
    if not bounds:
        return {}
    opening = {subject: start.replace(day=1, hour=0) for subject, (start, _) in bounds.items()}
    parameters: list[Any] = [
        list(bounds),
        [opening[subject].date() for subject in bounds],
        [end for _, end in bounds.values()],
        [end.date() for _, end in bounds.values()],
        list(metric_ids),
    ]
    found: dict[str, dict[UUID, _Level]] = {subject: {} for subject in bounds}
    with connection.cursor() as cursor:
        cursor.execute(_LEVELS, parameters)
        for subject, series_id, metric_id, values, hour, change, seconds in cursor.fetchall():
            level = found[subject].get(series_id)
            if level is None:
                group = tuple(sorted(json.loads(values).items()))
                level = found[subject][series_id] = _Level(metric_id, series_id, group)
                level.origin = _microseconds(opening[subject])
            moment = int(seconds.scaleb(18, _WIDE))
            if hour is None:
                level.opening, level.moment = int(change.scaleb(12, _WIDE)), moment
            else:
                level.change(_microseconds(hour), int(change.scaleb(12, _WIDE)), moment)
    return {subject: list(levels.values()) for subject, levels in found.items()}


def _bounds(slots: Sequence[Sequence[Window]], until: datetime) -> Iterator[tuple[str, tuple[datetime, datetime]]]:
    firsts: dict[str, datetime] = {}
    lasts: dict[str, datetime] = {}
    for window in (window for windows in slots for window in windows if window.starting_at < until):
        for subject in window.subjects:
            firsts[subject] = min(firsts.get(subject, window.starting_at), window.starting_at)
            end = min(window.ending_before, until)
            lasts[subject] = max(lasts.get(subject, end), end)
    for subject, first in firsts.items():
        yield subject, (first, lasts[subject])


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND
