"""What stored events come to, folded anew and alone: what days, hours, levels and unique values should hold.

Only what an event is to a metric (`ledger.metering`) is shared with ingest; batching, claiming, adding up and storing
are not.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Context, Decimal, Inexact
from typing import Any
from uuid import UUID

from billing_site.foundation.periods import HOUR, add_months, floor_hour
from ledger.metering import UNIT, Measure, UnreadableValue, quantity, unique_text
from ledger.models import Series, UnreadValue
from ledger.queries.counting import Counting, StoredEvent

_EXACT = Context(prec=76, traps=[Inexact])

# Subject, series (None: one that the dictionary does not have), day, and the hour or None for the whole day. For a
# carried level the first day of its month and "month"; for a unique value its day, hour and text.
Place = tuple[str, UUID | None, date, int | str | tuple[int, str] | None]


@dataclass(frozen=True, slots=True)
class Folded:
    """What events come to. `has_negative` is said of days alone; the rest by metrics that are not additive."""

    count: int
    sum: Decimal
    has_negative: bool | None = None
    maximum: Decimal | None = None
    latest: tuple[datetime, str, Decimal] | None = None
    level_seconds: Decimal = Decimal(0)


def fold(events: Iterable[StoredEvent], *, by: Callable[[UUID], bool] | None = None) -> dict[Place, Folded]:
    """What the events come to, each folded alone, by the metrics that have measured it (of those for which `by` holds),
    into the series that the dictionary has for its group values. Places where that is nothing are left out.

    It holds as many rows as there are hours with usage, however many events these have.
    """
    counting = Counting()
    series = {(row.metric_id, frozenset(row.values.items())): row.pk for row in Series.objects.all()}
    unread = set(UnreadValue.objects.values_list("subject", "transaction_id", "metric_id"))
    sums: dict[Place, _Sum] = defaultdict(_Sum)
    for event in events:
        if event.is_void:
            continue
        subject, event_type, properties = event.subject, event.event_type, event.properties
        instant, transaction_id = event.timestamp, event.transaction_id
        for metric in map(counting.measures.__getitem__, counting.metric_ids(event)):
            if not (metric.wants_type(event_type) and metric.wants(properties)):
                continue
            if by is not None and not by(metric.metric_id):
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
