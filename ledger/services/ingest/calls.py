"""Calls, and their events on the way into the database."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from billing_site.foundation.ids import uuid7
from ledger.services.ingest.events import Event
from ledger.services.ingest.measuring import Measured, measure
from ledger.services.metrics import known_metrics


@dataclass(frozen=True, slots=True)
class Source:
    """Who sent a call: the name that its token is bound to, and the token."""

    name: str
    token_id: UUID | None = None


@dataclass(slots=True, eq=False)
class Call:
    """Events that were sent together, measured by the metrics known then."""

    events: Sequence[Event]
    at: datetime
    source: Source
    measured: Measured
    id: UUID = field(default_factory=uuid7)
    event_types: Counter[str] = field(init=False)

    def __post_init__(self) -> None:
        self.event_types = Counter([event.event_type for event in self.events])

    @classmethod
    def of(cls, events: Sequence[Event], *, at: datetime, source: Source) -> "Call":
        """Raises BadEvents."""
        return cls(events, at, source, measure(events, known_metrics().measures))


# An event on its way: its key, the number of its call and its place there. Plain tuples, as there are so many of them.
Entry = tuple[str, str, int, int, Event]
Key = tuple[str, str]


def sorted_entries(calls: Sequence[Call]) -> tuple[list[Entry], list[Entry]]:
    """The first entry of each key (subject, transaction id), and the entries that repeat one.

    Both are in the order of keys, and of two with one key the one that was sent first comes first. It is the order
    of the database's collation "C" too. No two writers wait for each other in a circle when all take keys in it.
    """
    entries = [
        (event.subject, event.transaction_id, number, index, event)
        for number, call in enumerate(calls)
        for index, event in enumerate(call.events)
    ]
    entries.sort()
    if len({entry[:2] for entry in entries}) == len(entries):
        return entries, []
    firsts: list[Entry] = []
    repeats: list[Entry] = []
    for entry in entries:
        (repeats if firsts and firsts[-1][:2] == entry[:2] else firsts).append(entry)
    return firsts, repeats
