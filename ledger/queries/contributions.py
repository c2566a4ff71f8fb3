"""How much of what was measured is each event's: events in order of time, whose parts add up to what is billed.

    metric         an event's part
    COUNT, SUM     1, or its value
    MAX            what it adds to the greatest value so far
    UNIQUE         1 where its value is the first of its kind
    LATEST         its value where no event is later, else nothing
    WEIGHTED_SUM   its change × the time left, in unit-hours

What is not additive in time is so within a period and for one combination of group values, as it is billed
(`ledger.queries.scoped`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from typing import Any

from billing_site.foundation.money import QUANTUM, exact_sum, round_to
from billing_site.foundation.periods import DAY, Period, floor_day
from contracts.terms import ClaimWindow
from ledger.metering import EXACT, Measure, UnreadableValue, quantity, unique_text
from ledger.models import UnreadValue
from ledger.queries.counting import Counting, StoredEvent, events_within, measure_of
from ledger.queries.usage import Window, windows_of
from pricing.engine.catalog import GroupValues
from pricing.models import BillableMetric

LEVELS, LATEST = "WEIGHTED_SUM", "LATEST"
SINCE_EVER = "-infinity"
FEW, MOST_DAYS = 500, 32  # events that are few enough to read more days at once; and how many days at the most


@dataclass(frozen=True, slots=True)
class Sought:
    """Usage of a metric over the hours of some closed periods, of the subjects claimed then, with these group values
    and others that it `takes` at the instant. What is not additive is one over all of it. A level is looked at up to
    `at`."""

    metric: BillableMetric
    values: GroupValues
    periods: Sequence[Period]
    claims: Sequence[ClaimWindow]
    takes: Callable[[GroupValues, datetime], bool]
    at: datetime

    @property
    def is_additive(self) -> bool:
        return self.metric.aggregation_type in ("COUNT", "SUM")


@dataclass(frozen=True, slots=True)
class Contribution:
    event: StoredEvent
    quantity: Decimal

    @property
    def place(self) -> tuple[datetime, str, str]:
        return self.event.timestamp, self.event.transaction_id, self.event.subject


def contributions(
    sought: Sought, *, snapshot: str | None = None, since: datetime | None = None, is_by_day: bool = False
) -> Iterator[list[Contribution]]:
    """The events that have a part, in order of time, as they count now or as `snapshot` saw them; of what is additive,
    from the day of `since` on. Only events whose body is kept.

    They come day by day, or several days together where these have few: it holds the events of a day, or some more. Of
    a level it holds all.
    """
    matching = _Matching(sought, snapshot)
    if sought.metric.aggregation_type == LEVELS:
        yield _levels(sought, matching)
        return
    if sought.metric.aggregation_type == LATEST:
        backwards = reversed(list(matching.days(since)))
        yield next((found[-1:] for day in backwards if (found := list(_plain(matching.of(day), _value)))), [])
        return
    part = _PARTS[sought.metric.aggregation_type]()
    together = 1
    days = matching.days(since)
    while held := list(islice(days, together)):
        counted = matching.of(Period(held[0].starting_at, held[-1].ending_before))
        yield [each for each in _plain(counted, part) if each.quantity]
        is_quiet = len(counted) < FEW and not is_by_day
        together = min(2 * together, MOST_DAYS) if is_quiet else 1


class _Matching:
    """The events that the metric counts."""

    def __init__(self, sought: Sought, snapshot: str | None) -> None:
        self.sought, self.snapshot = sought, snapshot
        self.measure: Measure = measure_of(sought.metric)
        self.windows = [window for period in sought.periods for window in windows_of(sought.claims, period)]
        self.counting = Counting()
        unread = UnreadValue.objects.filter(metric_id=sought.metric.pk)
        self.unread = set(unread.values_list("subject", "transaction_id"))

    def days(self, since: datetime | None) -> Iterator[Period]:
        if not self.windows:
            return
        day = floor_day(max(filter(None, [since, min(window.starting_at for window in self.windows)])))
        end = max(window.ending_before for window in self.windows)
        while day < end:
            yield Period(day, day + DAY)
            day += DAY

    def of(self, day: Period) -> list[tuple[StoredEvent, Any]]:
        """The events of a day, or of some, with the value that the metric reads of each, in order of time."""
        assert day.ending_before is not None
        within = []
        for window in self.windows:
            start, end = max(window.starting_at, day.starting_at), min(window.ending_before, day.ending_before)
            if start < end:
                within.append(Window(window.subjects, start, end))
        return self._found(within)

    def ever(self) -> list[tuple[StoredEvent, Any]]:
        """The same of all that was before the end of each window."""
        return self._found(self.windows, since_ever=True)

    def _found(self, windows: Sequence[Window], *, since_ever: bool = False) -> list[tuple[StoredEvent, Any]]:
        spans = [(subject, window) for window in windows for subject in window.subjects]
        columns = {
            "subjects": [subject for subject, _ in spans],
            "starts": [SINCE_EVER if since_ever else window.starting_at for _, window in spans],
            "ends": [window.ending_before for _, window in spans],
            "types": self.sought.metric.event_type_filter.get("in_values"),
        }
        if not spans:
            return []
        events = events_within(columns, snapshot=self.snapshot)
        found = {(event.subject, event.transaction_id): event for event in events}.values()
        counted = [(event, value) for event in found if (value := self._value(event)) is not None]
        return sorted(counted, key=lambda each: (each[0].timestamp, each[0].transaction_id, each[0].subject))

    def _value(self, event: StoredEvent) -> Any:
        """What the metric reads of the event; None where it does not count it."""
        measure, properties = self.measure, event.properties
        if event.is_void or measure.metric_id not in self.counting.metric_ids(event):
            return None
        if not (measure.wants_type(event.event_type) and measure.wants(properties)):
            return None
        if (event.subject, event.transaction_id) in self.unread:
            return None
        group = dict(zip(measure.group_keys, measure.group_of(properties), strict=True))
        if any(group.get(key) != value for key, value in self.sought.values):
            return None
        if not self.sought.takes(tuple(group.items()), event.timestamp):
            return None
        if measure.key is None:
            return Decimal(1)
        if measure.aggregation == "UNIQUE":
            return unique_text(properties[measure.key])
        try:
            return EXACT.scaleb(Decimal(quantity(properties[measure.key])), -12)
        except UnreadableValue:
            return None


def _plain(counted: Sequence[tuple[StoredEvent, Any]], part: Callable[[Any], Decimal]) -> Iterator[Contribution]:
    for event, value in counted:
        yield Contribution(event, part(value))


def _value(value: Decimal) -> Decimal:
    return value


class _Greatest:
    def __init__(self) -> None:
        self.so_far: Decimal | None = None

    def __call__(self, value: Decimal) -> Decimal:
        before, self.so_far = self.so_far, value if self.so_far is None else max(self.so_far, value)
        return self.so_far if before is None else exact_sum([self.so_far, -before])


class _First:
    def __init__(self) -> None:
        self.seen: set[str] = set()

    def __call__(self, value: str) -> Decimal:
        is_first = value not in self.seen
        self.seen.add(value)
        return Decimal(is_first)


_PARTS: dict[str, Callable[[], Callable[[Any], Decimal]]] = {
    "COUNT": lambda: _value,
    "SUM": lambda: _value,
    "MAX": _Greatest,
    "UNIQUE": _First,
}


def _levels(sought: Sought, matching: _Matching) -> list[Contribution]:
    """Each change × the hours in which it lasted, of the hours in which its subject was claimed. To twelve decimals,
    which add up to what all of it comes to."""
    hours_of: dict[str, list[tuple[datetime, datetime]]] = {}
    for window in matching.windows:
        for subject in window.subjects:
            hours_of.setdefault(subject, []).append((window.starting_at, min(window.ending_before, sought.at)))
    exact, told, found = Fraction(0), Decimal(0), []
    for event, change in matching.ever():
        lasted = sum(
            (max(end - max(start, event.timestamp), timedelta(0)) for start, end in hours_of[event.subject]),
            timedelta(0),
        )
        exact += Fraction(change) * Fraction(lasted // timedelta(microseconds=1), 3_600_000_000)
        part = exact_sum([round_to(exact, QUANTUM), -told])
        told = exact_sum([told, part])
        if part:
            found.append(Contribution(event, part))
    return found
