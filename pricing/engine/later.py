"""Prices that are published already and begin while new ones hold.

Each takes over when it begins, unless it is withdrawn with the publication of the new ones:

    new: $0.30 from 1 December         there already: $0.20 from 1 January
    the later one stays                $0.30 in December, then $0.20
    it is withdrawn                    $0.30 for good

What begins together with a new price is replaced by it and is no question. Nor is a price that another one hides for
all of its time: once that one is withdrawn, it is.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar


class Begins(Protocol):
    @property
    def starting_at(self) -> datetime: ...


P = TypeVar("P", bound=Begins)


@dataclass(frozen=True, slots=True)
class Later(Generic[P]):
    """In order of time, and which of them are withdrawn."""

    found: tuple[P, ...]
    withdrawn: tuple[P, ...]

    @classmethod
    def of(
        cls,
        standing: Iterable[P],
        *,
        since: datetime,
        until: datetime | None = None,
        replaced: Collection[datetime] = (),
        withdraws: Callable[[P], bool],
    ) -> "Later[P]":
        """Those of one key that begin after `since`, when the first new price does, and before `until`, when the last
        one ends. `replaced` are the starts of new prices."""
        begun = (each for each in standing if each.starting_at > since and each.starting_at not in replaced)
        within = (each for each in begun if until is None or each.starting_at < until)
        found = tuple(sorted(within, key=lambda each: each.starting_at))
        return cls(found, tuple(each for each in found if withdraws(each)))

    def left(self, standing: Iterable[P]) -> list[P]:
        """What stays of `standing`."""
        return [each for each in standing if each not in self.withdrawn]

    def asked(self, holds: Callable[[P], bool]) -> Iterator[tuple[P, bool]]:
        """Those that somebody has to decide on, each with whether it is withdrawn. `holds` says of one that stays
        whether it is in force, some time, beside the new prices."""
        for each in self.found:
            is_withdrawn = each in self.withdrawn
            if is_withdrawn or holds(each):
                yield each, is_withdrawn
