"""What is in force when, among dated things of which the later one supersedes the earlier."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

from billing_site.foundation.periods import Period

T = TypeVar("T")

SINCE_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """`value` holds from `starting_at` (None: since ever) up to `ending_before` (None: for good)."""

    value: T
    starting_at: datetime | None
    ending_before: datetime | None
    publication: int


@dataclass(frozen=True, slots=True)
class Timeline(Generic[T]):
    """`values[i]` is in force from `instants[i]` up to the next instant; None is nothing."""

    instants: tuple[datetime, ...]
    values: tuple[T | None, ...]

    def at(self, instant: datetime) -> T | None:
        index = bisect_right(self.instants, instant) - 1
        return self.values[index] if index >= 0 else None

    def holds(self, value: T) -> bool:
        """Whether it is in force, some time."""
        return value in self.values


def in_force(things: Iterable[Dated[T]]) -> Timeline[T]:
    """At each instant, of the things that hold then, the one with the greatest (starting_at, publication)."""
    ordered = sorted(things, key=lambda thing: (thing.starting_at or SINCE_EVER, thing.publication))
    starts = {thing.starting_at or SINCE_EVER for thing in ordered}
    instants = sorted(starts | {thing.ending_before for thing in ordered if thing.ending_before is not None})
    values: list[T | None] = []
    begun: list[Dated[T]] = []  # in order, so the last that has not ended is the one in force
    position = 0
    for instant in instants:
        while position < len(ordered) and (ordered[position].starting_at or SINCE_EVER) <= instant:
            begun.append(ordered[position])
            position += 1
        while begun and _is_over(begun[-1].ending_before, instant):
            begun.pop()
        values.append(begun[-1].value if begun else None)
    return Timeline(tuple(instants), tuple(values))


def stretches(timeline: Timeline[T]) -> Iterator[tuple[T, datetime, datetime | None]]:
    """Each thing with the ranges in which it is the one in force."""
    begun: tuple[T, datetime] | None = None
    for instant, value in zip(timeline.instants, timeline.values, strict=True):
        if begun is not None and value is not begun[0]:
            yield *begun, instant
            begun = None
        if value is not None and begun is None:
            begun = (value, instant)
    if begun is not None:
        yield *begun, None


class HasPeriod(Protocol):
    @property
    def period(self) -> Period: ...


P = TypeVar("P", bound=HasPeriod)


def all_in_force(terms: Iterable[P], instants: Sequence[datetime]) -> Iterator[tuple[P, ...]]:
    """For each of the ascending instants, all terms whose period holds it, in the order in which they were given."""
    given = list(terms)
    upcoming = sorted(range(len(given)), key=lambda index: given[index].period.starting_at, reverse=True)
    current: list[int] = []
    for instant in instants:
        while upcoming and given[upcoming[-1]].period.starting_at <= instant:
            current.append(upcoming.pop())
        current = sorted(index for index in current if not _is_over(given[index].period.ending_before, instant))
        yield tuple(given[index] for index in current)


def _is_over(ending_before: datetime | None, instant: datetime) -> bool:
    return ending_before is not None and ending_before <= instant
