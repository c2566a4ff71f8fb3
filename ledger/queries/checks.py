"""Whether what is derived still says what the facts say."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, Inexact
from typing import Any
from uuid import UUID

from django.db import connection

from billing_site.foundation.periods import DAY, HOUR, add_months, floor_hour
from billing_site.foundation.transactions import read_snapshot
from ledger.metering import UNIT, Measure, UnreadableValue, quantity, unique_text
from ledger.models import DroppedMonth, EventCorrection, Series, UnreadValue
from ledger.queries.counting import STORED, Counting, stored_event

# Every key has its body, or lies in a month that was dropped.
_LOST = """
SELECT key.subject FROM ledger_eventkey key
LEFT JOIN ledger_eventbody body USING (subject, transaction_id, received_at)
LEFT JOIN ledger_ingestcall call ON call.id = body.call_id
WHERE call.id IS NULL AND NOT EXISTS (
    SELECT FROM ledger_droppedmonth dropped WHERE dropped.month = date_trunc('month', key.received_at, 'UTC')::date
)
LIMIT 1
"""

# The whole day has no hour. An hour counts as held when any of its arrays has something there.
_DAYS = """
SELECT subject, series_id, day, NULL, count, sum, has_negative, NULL, NULL, NULL, NULL, NULL
FROM ledger_dailyusage WHERE count <> 0 OR sum <> 0
UNION ALL
SELECT subject, series_id, day, hour, coalesce(hour_counts[hour], 0), coalesce(hour_sums[hour], 0), NULL,
       hour_maxima[hour], hour_latest[hour], hour_latest_at[hour], hour_latest_transaction_ids[hour],
       coalesce(hour_levels[hour], 0)
FROM ledger_dailyusage, generate_series(0, 23) AS hour
WHERE coalesce(hour_counts[hour], 0) <> 0 OR coalesce(hour_sums[hour], 0) <> 0 OR coalesce(hour_levels[hour], 0) <> 0
   OR hour_maxima[hour] IS NOT NULL OR hour_latest_at[hour] IS NOT NULL
"""

_CARRIED = """
SELECT subject, series_id, month, change, level_seconds FROM ledger_carriedlevel
WHERE change <> 0 OR level_seconds <> 0
"""
_VALUES = "SELECT subject, series_id, hour, value, occurrences FROM ledger_uniquevalue WHERE occurrences <> 0"

_EXACT = Context(prec=76, traps=[Inexact])

# Subject, series (None: one that the dictionary does not have), day, and the hour or None for the whole day. For a
# carried level the first day of its month and "month"; for a unique value its day, hour and text.
_Place = tuple[str, UUID | None, date, int | str | tuple[int, str] | None]


@dataclass(frozen=True, slots=True)
class Folded:
    """What events come to. `has_negative` is said of days alone; the rest by metrics that are not additive."""

    count: int
    sum: Decimal
    has_negative: bool | None = None
    maximum: Decimal | None = None
    latest: tuple[datetime, str, Decimal] | None = None
    level_seconds: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Difference:
    """A day, or an hour of it, that holds something else than its events come to; None is no row, or no events."""

    subject: str
    series_id: UUID | None
    day: date
    hour: int | str | tuple[int, str] | None
    held: Folded | None
    events: Folded | None


def usage_differs() -> list[Difference]:
    """Where days and hours disagree with the events; empty while all is well. In one snapshot.

    Compared are the count, the sum and `has_negative` of every day, all that its arrays hold of every hour, carried
    levels and unique values, in both directions: with what the stored events come to as corrected, each folded anew,
    alone, by the metrics that have measured it, into the series that the dictionary has for its group values. Only
    what an event is to a metric (`ledger.metering`) is shared with ingest; batching, claiming, adding up and storing
    are not. What holds nothing but zeros says the same as what is not there. Days from before the retention horizon
    are left out: their events are gone.

    It reads every event, and holds as many rows as there are hours with usage. A key without its body or its call is
    an error (ValueError), since what it was folded into cannot be told any more.
    """
    with read_snapshot():
        events, held = _fold_of_events(), _held()
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


def _fold_of_events() -> dict[_Place, Folded]:
    for (subject,) in _rows(_LOST):
        raise ValueError(f"An event of {subject!r} has lost its body or its call.")
    counting = Counting()
    series = {(row.metric_id, frozenset(row.values.items())): row.pk for row in Series.objects.all()}
    unread = set(UnreadValue.objects.values_list("subject", "transaction_id", "metric_id"))
    sums: dict[_Place, _Sum] = defaultdict(_Sum)
    for row in _rows(STORED):
        event = stored_event(row)
        if event.is_void:
            continue
        subject, event_type, properties = event.subject, event.event_type, event.properties
        instant, transaction_id = event.timestamp, event.transaction_id
        for metric in map(counting.measures.__getitem__, counting.metric_ids(event)):
            if not (metric.wants_type(event_type) and metric.wants(properties)):
                continue
            values = zip(metric.group_keys, metric.group_of(properties), strict=True)
            series_id = series.get((metric.metric_id, frozenset(values)))
            if series_id is None and (subject, transaction_id, metric.metric_id) in unread:
                continue  # a series too many
            if metric.aggregation == "UNIQUE":
                said = unique_text(properties[metric.key or ""])
                sums[subject, series_id, instant.date(), (instant.hour, said)].count += 1
                continue
            try:
                units = quantity(properties[metric.key]) if metric.key is not None else 0
            except UnreadableValue:
                continue  # an `UnreadValue` says so
            for hour in (None, instant.hour):
                _add(sums[subject, series_id, instant.date(), hour], metric, units, instant, transaction_id)
            if metric.aggregation == "WEIGHTED_SUM":
                month = instant.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
                carried = sums[subject, series_id, month.date(), "month"]
                carried.units += units
                carried.moment += units * ((add_months(month, 1) - instant) // timedelta(microseconds=1))
    folded = {place: one.folded(place[3]) for place, one in sums.items()}
    return {place: one for place, one in folded.items() if one != Folded(0, Decimal(0))}


@dataclass(slots=True)
class _Sum:
    """`units` of 10⁻¹²; `moment` is units × microseconds that are left."""

    count: int = 0
    units: int = 0
    negative: bool = False
    maximum: int | None = None
    latest: tuple[datetime, str, int] | None = None
    moment: int = 0

    def folded(self, hour: Any) -> Folded:
        return Folded(
            self.count,
            _scaled(self.units),
            self.negative if hour is None else None,
            None if self.maximum is None or hour is None else _scaled(self.maximum),
            None if self.latest is None or hour is None else (*self.latest[:2], _scaled(self.latest[2])),
            Decimal(0) if hour is None else _EXACT.divide(_scaled(self.moment), Decimal(10**6)),
        )


def _add(held: _Sum, metric: Measure, units: int, instant: datetime, transaction_id: str) -> None:
    held.count += 1
    if metric.aggregation == "MAX":
        held.maximum = units if held.maximum is None else max(held.maximum, units)
    elif metric.aggregation == "LATEST":
        now = instant, transaction_id, units
        held.latest = now if held.latest is None else max(held.latest, now)
    else:
        held.units += units
        held.negative = held.negative or units < 0
        if metric.aggregation == "WEIGHTED_SUM":
            held.moment += units * ((floor_hour(instant) + HOUR - instant) // timedelta(microseconds=1))


def _scaled(units: int) -> Decimal:
    return _EXACT.divide(Decimal(units), Decimal(UNIT))


def _held() -> dict[_Place, Folded]:
    found: dict[_Place, Folded] = {}
    for subject, series_id, day, hour, count, total, has_negative, maximum, latest, at, by, level in _rows(_DAYS):
        newest = None if at is None else (at.astimezone(UTC), by, latest)
        held = Folded(count, total, has_negative, maximum, newest, level or Decimal(0))
        found[subject, series_id, day, hour] = held
    for subject, series_id, month, change, level in _rows(_CARRIED):
        found[subject, series_id, month, "month"] = Folded(0, change, level_seconds=level)
    for subject, series_id, hour, value, occurrences in _rows(_VALUES):
        instant = hour.astimezone(UTC)
        found[subject, series_id, instant.date(), (instant.hour, value)] = Folded(occurrences, Decimal(0))
    return found


def _rows(statement: str) -> Iterator[tuple]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement)
        yield from cursor
