"""How much was used: quantities of series over ranges of hours, from day sums and the hours at the edges.

COUNT and SUM alone: `levels` has WEIGHTED_SUM, `scoped` what is not additive over series either.

Every question, however many ranges it asks about, is one statement. Its cost depends on the subjects, series and
days it reads, not on the events behind them.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from billing_site.foundation.periods import HOUR, Period, ceil_day, floor_day, is_on_the_hour
from contracts.terms import ClaimWindow
from ledger.used import Series, Used, series_of


@dataclass(frozen=True, slots=True)
class Window:
    """The hours from `starting_at` up to and not including `ending_before`, of all `subjects` together.

    Both instants are aware, in UTC and on the hour, and the window is not empty. Raises ValueError.
    """

    subjects: tuple[str, ...]
    starting_at: datetime
    ending_before: datetime

    def __post_init__(self) -> None:
        for instant in (self.starting_at, self.ending_before):
            if instant.utcoffset() != timedelta(0):
                raise ValueError(f"{instant!r} is not an aware instant in UTC.")
            if not is_on_the_hour(instant):
                raise ValueError(f"Usage is kept by the hour, and {instant.isoformat()} is within one.")
        if self.ending_before <= self.starting_at:
            raise ValueError(f"A window ends after it starts: {self.starting_at} to {self.ending_before}.")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Span(NamedTuple):
    slot: int  # which answer it belongs to
    subject: str
    starting_at: datetime
    ending_before: datetime


def usage_in(windows: Sequence[Window], *, metric_ids: Collection[UUID]) -> list[Used]:
    """What was used in each window."""
    return usage_by_slot([[window] for window in windows], metric_ids=metric_ids)


def usage_by_hour(window: Window, *, metric_ids: Collection[UUID]) -> dict[datetime, Used]:
    """What was used in each hour of the window; hours without usage are absent."""
    return _by_hour([window], metric_ids)


def claimed_usage(
    claims: Iterable[ClaimWindow], periods: Sequence[Period], *, metric_ids: Collection[UUID]
) -> list[Used]:
    """What was used in each closed period, counting each subject only over the hours for which it is claimed."""
    claims = list(claims)
    return usage_by_slot([windows_of(claims, period) for period in periods], metric_ids=metric_ids)


def claimed_usage_by_hour(
    claims: Iterable[ClaimWindow], period: Period, *, metric_ids: Collection[UUID]
) -> dict[datetime, Used]:
    """What was used in each hour of the closed period, as claimed; hours without usage are absent."""
    return _by_hour(windows_of(claims, period), metric_ids)


def windows_of(claims: Iterable[ClaimWindow], period: Period) -> list[Window]:
    """The hours of the closed `period` that are claimed, subjects with the same hours together.

    An hour of a subject is in one window only, even where claims overlap.
    """
    if period.ending_before is None:
        raise ValueError(f"Usage is summed over closed periods, and this one is open: {period}.")
    claimed: dict[str, list[tuple[datetime, datetime]]] = {}
    for claim in claims:
        start = max(period.starting_at, claim.starting_at or period.starting_at)
        end = min(period.ending_before, claim.ending_before or period.ending_before)
        if start < end:
            claimed.setdefault(claim.subject, []).append((start, end))
    together: dict[tuple[datetime, datetime], list[str]] = {}
    for subject, ranges in claimed.items():
        for hours in _merged(ranges):
            together.setdefault(hours, []).append(subject)
    return [Window(tuple(subjects), start, end) for (start, end), subjects in sorted(together.items())]


def _merged(ranges: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    merged: list[tuple[datetime, datetime]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


# A row a series, with all of its slots: what is said once of a series is read once. Slots are put together before the
# join, and that once: whatever the planner guesses, it joins a few rows, and not each series with every hour.
_BY_SERIES = """
, listed AS MATERIALIZED (
    SELECT series_id, string_agg(slot::text, ' ' ORDER BY slot) AS slots,
           string_agg(sum::text, ' ' ORDER BY slot) AS sums, string_agg(count::text, ' ' ORDER BY slot) AS counts,
           string_agg(slot::text, ' ') FILTER (WHERE has_negative) AS negative_slots
    FROM summed WHERE count > 0 GROUP BY series_id
)
SELECT series.metric_id, series.values, listed.slots,
       CASE metric.aggregation_type WHEN 'COUNT' THEN listed.counts ELSE listed.sums END, listed.negative_slots
FROM listed
JOIN ledger_series series ON series.id = listed.series_id
JOIN pricing_billablemetric metric ON metric.id = series.metric_id
WHERE series.metric_id = ANY(%s) AND metric.aggregation_type IN ('COUNT', 'SUM')
ORDER BY series.metric_id, series.id
"""

# Each span is summed by itself (LATERAL): the primary keys begin with the subject, and a join would now and then be
# planned as a scan of the whole table.
_OF_DAYS = """
    SELECT span.slot, part.*
    FROM unnest(%s::int[], %s::text[], %s::date[], %s::date[]) AS span (slot, subject, starting_on, ending_before),
    LATERAL (
        SELECT usage.series_id, sum(usage.sum) AS sum, sum(usage.count) AS count,
               bool_or(usage.has_negative) AS has_negative
        FROM ledger_dailyusage usage
        WHERE usage.subject = span.subject AND usage.day >= span.starting_on AND usage.day < span.ending_before
        GROUP BY usage.series_id
    ) part
"""
_OF_HOURS = """
    SELECT span.slot, part.*
    FROM unnest(%s::int[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::date[], %s::date[])
      AS span (slot, subject, starting_at, ending_before, first_day, last_day),
    LATERAL (
        SELECT usage.series_id, sum(usage.sum) AS sum, sum(usage.count) AS count, bool_or(usage.sum < 0) AS has_negative
        FROM ledger_hourlyusage usage
        WHERE usage.subject = span.subject AND usage.hour >= span.starting_at AND usage.hour < span.ending_before
          AND usage.day >= span.first_day AND usage.day <= span.last_day
        GROUP BY usage.series_id
    ) part
"""


def usage_by_slot(slots: Sequence[Sequence[Window]], *, metric_ids: Collection[UUID]) -> list[Used]:
    """Of each slot, over all of its windows together; they must not share an hour of a subject."""
    days, hours = _split(spans_of(slots))
    # Most slots are whole days, and planning the other half costs more than running this one.
    halves = [(_OF_DAYS, _day_columns(days))] if days else []
    halves += [(_OF_HOURS, hour_columns(hours))] if hours else []
    if not (metric_ids and halves):
        return [Used() for _ in slots]
    columns = [column for _, of_half in halves for column in of_half]
    found = _answers(_summed(half for half, _ in halves), [*columns, list(metric_ids)])
    return [found.get(slot) or Used() for slot in range(len(slots))]


def _summed(halves: Iterable[str]) -> str:
    """The statement that adds up usage of days, of hours, or of both."""
    return f"""
WITH used AS ({"UNION ALL".join(halves)}), summed AS (
    SELECT slot, series_id, sum(sum) AS sum, sum(count) AS count, bool_or(has_negative) AS has_negative
    FROM used GROUP BY slot, series_id
)
{_BY_SERIES}"""


_BY_HOUR = (
    """
WITH summed AS (
    SELECT (extract(epoch FROM part.hour) / 3600)::int AS slot, part.series_id,
           sum(part.sum) AS sum, sum(part.count) AS count,
           bool_or(part.sum < 0) AS has_negative
    FROM unnest(%s::int[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::date[], %s::date[])
      AS span (slot, subject, starting_at, ending_before, first_day, last_day),
    LATERAL (
        SELECT usage.series_id, usage.hour, usage.sum, usage.count
        FROM ledger_hourlyusage usage
        WHERE usage.subject = span.subject AND usage.hour >= span.starting_at AND usage.hour < span.ending_before
          AND usage.day >= span.first_day AND usage.day <= span.last_day
        OFFSET 0
    ) part
    GROUP BY part.hour, part.series_id
)
"""
    + _BY_SERIES
)


def _by_hour(windows: Sequence[Window], metric_ids: Collection[UUID]) -> dict[datetime, Used]:
    spans = spans_of([windows])
    if not (metric_ids and spans):
        return {}
    found = _answers(_BY_HOUR, [*hour_columns(spans), list(metric_ids)])
    return {_EPOCH + hour * HOUR: found[hour] for hour in sorted(found)}


def spans_of(slots: Sequence[Sequence[Window]]) -> list[_Span]:
    return [
        _Span(slot, subject, window.starting_at, window.ending_before)
        for slot, windows in enumerate(slots)
        for window in windows
        for subject in dict.fromkeys(window.subjects)
    ]


def _split(spans: Iterable[_Span]) -> tuple[list[_Span], list[_Span]]:
    """Each span as whole UTC days and as the hours before the first and after the last of them."""
    days, hours = [], []
    for span in spans:
        first, last = ceil_day(span.starting_at), floor_day(span.ending_before)
        if first >= last:
            hours.append(span)
            continue
        days.append(span._replace(starting_at=first, ending_before=last))
        if span.starting_at < first:
            hours.append(span._replace(ending_before=first))
        if last < span.ending_before:
            hours.append(span._replace(starting_at=last))
    return days, hours


def _day_columns(spans: Sequence[_Span]) -> list[list[Any]]:
    return [
        [span.slot for span in spans],
        [span.subject for span in spans],
        [span.starting_at.date() for span in spans],
        [span.ending_before.date() for span in spans],
    ]


def hour_columns(spans: Sequence[_Span]) -> list[list[Any]]:
    return [
        [span.slot for span in spans],
        [span.subject for span in spans],
        [span.starting_at for span in spans],
        [span.ending_before for span in spans],
        [span.starting_at.date() for span in spans],
        [(span.ending_before - HOUR).date() for span in spans],
    ]


def _answers(statement: str, parameters: list[Any]) -> dict[int, Used]:
    """The usage in each slot that has some."""
    found: dict[int, dict[Series, Decimal]] = defaultdict(dict)
    negative: set[int] = set()
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        for metric_id, text, slots, quantities, negative_slots in cursor.fetchall():
            series = _series(metric_id, text)
            for slot, quantity in zip(slots.split(), quantities.split(), strict=True):
                found[int(slot)][series] = Decimal(quantity)
            negative.update(map(int, (negative_slots or "").split()))
    return {slot: Used(quantities, slot in negative) for slot, quantities in found.items()}


@lru_cache(maxsize=2**14)
def _series(metric_id: UUID, values: str) -> Series:
    return series_of(metric_id, tuple(sorted(json.loads(values).items())))
