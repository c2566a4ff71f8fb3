"""Events out of the rows of a file, batch by batch, each batch in a transaction of its own.

Whatever stops an import, the next one goes on: rows that are in the ledger already are duplicates and change nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import msgspec

from billing_site.foundation.periods import format_instant
from billing_site.foundation.refusals import FieldError, shown
from ledger.mapping import BadCell, Columns, EventParts
from ledger.rows import BadFile, Row
from ledger.services.ingest import BadEvents, Event, Source, ingest_events, read_event, read_events

NAMED = 20  # rows that a summary names; the others it counts
PLACE = re.compile(r"\[(\d+)\]\.?")  # of an event in a call, at the beginning of a refused field's path

_encode = msgspec.json.Encoder(decimal_format="number").encode

T = TypeVar("T")


@dataclass(slots=True)
class Tally:
    """How many rows, and the first of them with what there is to say of each."""

    count: int = 0
    first: list[tuple[Row, str]] = field(default_factory=list)

    def add(self, row: Row, reason: str) -> None:
        self.count += 1
        if len(self.first) < NAMED:
            self.first.append((row, reason))


@dataclass(slots=True)
class Summary:
    """Every row is one of the four. `stopped` says why the rest of the file could not be read, if so."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: Tally = field(default_factory=Tally)
    refused: Tally = field(default_factory=Tally)
    stopped: str = ""

    @property
    def rows(self) -> int:
        return self.accepted + self.duplicates + self.conflicts.count + self.refused.count

    @property
    def is_complete(self) -> bool:
        """Whether every row of the file is in the ledger, by this import or an earlier one."""
        return not (self.conflicts.count or self.refused.count or self.stopped)


def import_rows(
    rows: Iterable[Row],
    columns: Columns,
    *,
    name: str,
    batch: int,
    at: datetime,
    source: Source,
    after_batch: Callable[[Summary], None] = lambda summary: None,
) -> Summary:
    """Store one event a row. A row that breaks a rule is left out and reported; the others of its batch are stored.

    `name` stands for the file's content: with the number of the row it is the transaction id of an event that has
    none of its own. Raises DatabaseError; the batches before are stored then.
    """
    summary = Summary()
    for part in _batches(_readable(rows, summary), batch):
        good = list(_good_events(part, columns, name, at, summary))
        _store(good, at, source, summary)
        after_batch(summary)
    return summary


def _readable(rows: Iterable[Row], summary: Summary) -> Iterator[Row]:
    try:
        yield from rows
    except BadFile as problem:
        summary.stopped = str(problem)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


def _good_events(
    rows: Sequence[Row], columns: Columns, name: str, at: datetime, summary: Summary
) -> Iterator[tuple[Row, Event]]:
    """The rows that make an event which keeps every rule; the others go to the summary."""
    sent: list[tuple[Row, dict[str, Any]]] = []
    for row in rows:
        try:
            if row.problem:
                raise BadCell(row.problem)
            sent.append((row, _wire(columns.to_event(row.cells, default_id=f"{name}:{row.number}"))))
        except BadCell as problem:
            summary.refused.add(row, str(problem))
    if not sent:
        return
    try:
        events = read_events(_encode([event for _, event in sent]), at=at)
    except BadEvents:
        yield from _one_by_one(sent, at, summary)
    else:
        yield from zip([row for row, _ in sent], events, strict=True)


def _one_by_one(
    sent: Sequence[tuple[Row, dict[str, Any]]], at: datetime, summary: Summary
) -> Iterator[tuple[Row, Event]]:
    for row, event in sent:
        try:
            yield row, read_event(_encode(event), at=at)
        except BadEvents as refusal:
            summary.refused.add(row, _reasons(refusal.errors))


def _store(good: Sequence[tuple[Row, Event]], at: datetime, source: Source, summary: Summary) -> None:
    """Some rules depend on the metrics and show only here; each round takes out the rows that break them."""
    while good:
        try:
            receipt = ingest_events([event for _, event in good], at=at, source=source)
        except BadEvents as refusal:
            errors: dict[int, list[FieldError]] = {}
            for error in refusal.errors:
                place = PLACE.match(error.field)
                if place is None:
                    raise
                errors.setdefault(int(place[1]), []).append(error)
            for index, found in sorted(errors.items()):
                summary.refused.add(good[index][0], _reasons(found))
            good = [one for index, one in enumerate(good) if index not in errors]
            continue
        summary.accepted += receipt.accepted
        summary.duplicates += receipt.duplicates
        for conflict in receipt.conflicts:
            differs = ", ".join(conflict.differs)
            reason = f"the transaction id {conflict.transaction_id!r} was used before with other {differs}"
            summary.conflicts.add(good[conflict.index][0], reason)
        return


def _wire(parts: EventParts) -> dict[str, Any]:
    """The event as it would be sent to the API."""
    return {
        "transaction_id": parts.transaction_id,
        "customer_id": parts.customer_id,
        "event_type": parts.event_type,
        "timestamp": format_instant(parts.timestamp),
        "properties": parts.properties,
    }


def _reasons(errors: Iterable[FieldError]) -> str:
    return "; ".join(
        f"{PLACE.sub('', error.field, count=1)}: {error.rule} (got {shown(error.value)})" for error in errors
    )
