"""What events say to metrics that are not additive in time, folded and on its way into the database.

Each aggregation has rows of its own, so its statements come in a fixed order: MAX, LATEST, the hours of WEIGHTED_SUM
and its months, UNIQUE. Within each the rows are in the order of their keys.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from ledger.metering import SeriesBytes, quantity_text
from ledger.services.ingest import statements
from ledger.services.ingest.binary import (
    FALSE,
    TRUE,
    BooleanArray,
    InstantArray,
    IntegerArray,
    TextArray,
    UuidArray,
    element,
)
from ledger.services.ingest.calls import Call, Entry
from ledger.services.ingest.events import Event
from ledger.services.ingest.measuring import Mark
from ledger.services.ingest.parameters import HOUR, HOURS_BEFORE_2000

_DAYS_BEFORE_2000 = HOURS_BEFORE_2000 // 24
_DAY = 24 * HOUR
LEVEL_PLACES = 18  # of change × seconds: twelve of the change, six of the second

Statement = tuple[str, list[Any]]
_Place = tuple[bytes, SeriesBytes, int]  # subject, series, and the hour counted from the beginning of the year 1


class Marked:
    """Marks of many events, added up by place. `sign` -1 takes back what is additive: levels and unique values."""

    def __init__(self) -> None:
        self.series: set[SeriesBytes] = set()
        self.maxima: dict[_Place, tuple[int, int]] = {}  # number of events, and the greatest
        self.latest: dict[_Place, tuple[int, tuple[int, str], int]] = {}  # number, (microsecond, id), value
        self.levels: dict[_Place, tuple[int, int, int, bool]] = {}  # number, change, change × µs left, any below zero
        self.months: dict[_Place, tuple[int, int]] = {}  # by first day of month: change, change × µs left
        self.values: dict[tuple[bytes, SeriesBytes, int, bytes], int] = {}  # by hour and value: occurrences

    def add(self, event: Event, marks: Sequence[Mark], sign: int = 1) -> None:
        subject = event.subject.encode()
        hour = event.microseconds // HOUR + HOURS_BEFORE_2000
        for aggregation, series, said in marks:
            self.series.add(series)
            place = subject, series, hour
            if aggregation == "UNIQUE":
                of_value = *place, said.encode()
                self.values[of_value] = self.values.get(of_value, 0) + sign
            elif aggregation == "MAX":
                number, greatest = self.maxima.get(place, (0, said))
                self.maxima[place] = number + 1, max(greatest, said)
            elif aggregation == "LATEST":
                when = event.microseconds, event.transaction_id
                number, last, value = self.latest.get(place, (0, when, said))
                self.latest[place] = (number + 1, *max((last, value), (when, said)))
            else:
                self._change(event, place, sign * said, sign)

    def _change(self, event: Event, place: _Place, change: int, sign: int) -> None:
        left = HOUR - event.microseconds % HOUR
        number, changed, level, has_negative = self.levels.get(place, (0, 0, 0, False))
        self.levels[place] = number + sign, changed + change, level + change * left, has_negative or change < 0
        first, following = _month_of(event)
        month = *place[:2], first + _DAYS_BEFORE_2000
        changed, level = self.months.get(month, (0, 0))
        self.months[month] = changed + change, level + change * (following * _DAY - event.microseconds)

    def statements(self) -> Iterator[Statement]:
        for maxima in _rounds(self.maxima):
            yield (
                statements.FOLD_MAX,
                [*_places(maxima), _numbers([row[0] for _, row in maxima]), _texts([row[1] for _, row in maxima])],
            )
        for latest in _rounds(self.latest):
            yield (
                statements.FOLD_LATEST,
                [
                    *_places(latest),
                    _numbers([number for _, (number, _, _) in latest]),
                    _texts([value for _, (_, _, value) in latest]),
                    InstantArray.of_microseconds([at for _, (_, (at, _), _) in latest]),
                    TextArray.of([element(transaction_id.encode()) for _, (_, (_, transaction_id), _) in latest]),
                ],
            )
        for levels in _rounds(self.levels):
            yield (
                statements.FOLD_LEVEL,
                [
                    *_places(levels),
                    _numbers([row[0] for _, row in levels]),
                    _texts([row[1] for _, row in levels]),
                    _texts([row[2] for _, row in levels], LEVEL_PLACES),
                    BooleanArray.of([TRUE if row[3] else FALSE for _, row in levels]),
                ],
            )
        if self.months:
            months = sorted(self.months.items())
            yield (
                statements.CARRY,
                [
                    *_places(months),
                    _texts([change for _, (change, _) in months]),
                    _texts([level for _, (_, level) in months], LEVEL_PLACES),
                ],
            )
        if self.values:
            values = sorted(self.values.items())
            yield (
                statements.UNIQUE,
                [
                    TextArray.of([element(key[0]) for key, _ in values]),
                    UuidArray.of([key[1] for key, _ in values]),
                    InstantArray.of_microseconds([(key[2] - HOURS_BEFORE_2000) * HOUR for key, _ in values]),
                    TextArray.of([element(key[3]) for key, _ in values]),
                    _numbers([number for _, number in values]),
                ],
            )


def marked(calls: Sequence[Call], entries: Sequence[Entry]) -> Marked:
    """What the claimed entries say."""
    found = Marked()
    if any(call.measured.marks for call in calls):
        for _, _, call, index, event in entries:
            marks = calls[call].measured.marks.get(index)
            if marks:
                found.add(event, marks)
    return found


def _rounds(rows: dict[_Place, Any]) -> Iterator[list[tuple[_Place, Any]]]:
    """A statement changes a row once, so each round has one hour of each day; the first one locks all days."""
    days = [list(hours) for _, hours in groupby(sorted(rows.items()), key=lambda row: (*row[0][:2], row[0][2] // 24))]
    while days:
        yield [hours.pop(0) for hours in days]
        days = [hours for hours in days if hours]


def _places(rows: Sequence[tuple[_Place, Any]]) -> list[Any]:
    return [
        TextArray.of([element(subject) for (subject, _, _), _ in rows]),
        UuidArray.of([series for (_, series, _), _ in rows]),
        _numbers([number for (_, _, number), _ in rows]),
    ]


def _numbers(numbers: Sequence[int]) -> IntegerArray:
    return IntegerArray.of_numbers(numbers)


def _texts(units: Sequence[int], places: int = 12) -> TextArray:
    return TextArray.of([element(quantity_text(one, places).encode()) for one in units])


def _month_of(event: Event) -> tuple[int, int]:
    """The first day of the event's month and of the next one, counted from the year 2000."""
    year, month = event.timestamp.year, event.timestamp.month
    first = date(year, month, 1).toordinal()
    following = date(year + month // 12, month % 12 + 1, 1).toordinal() if (year, month) != (9999, 12) else first + 31
    origin = date(2000, 1, 1).toordinal()
    return first - origin, following - origin
