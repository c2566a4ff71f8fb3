"""A balance as it burns down: what was left of it by each day, or by fewer instants where it lasts long.

A document draws on a segment once, dated at the end of its period. How much of that was drawn by an instant follows
from the usage behind the parts of its lines that the segment pays (`invoicing/queries/spread.py`):

    100 from 1 October; October draws 40, 30 of it by the usage up to the 10th

    1 Oct    10 Oct    20 Oct    1 Nov
    100      70        60        60
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billing_site.foundation.money import QUANTUM, round_to
from billing_site.foundation.periods import DAY, HOUR, Period, floor_day, floor_hour
from billing_site.foundation.transactions import read_snapshot
from contracts.models import Customer
from invoicing.queries.balances import Balance
from invoicing.queries.commitments import DAYS_OF_PACE
from invoicing.queries.compute import Computation
from invoicing.queries.documents import finals_by_id, shown_drafts
from invoicing.queries.movements import Movement
from invoicing.queries.shown import ShownDocument
from invoicing.queries.spread import Asked, Shares, shares

MOST_POINTS = 60

Drawing = tuple[ShownDocument, Shares]


@dataclass(frozen=True, slots=True)
class Point:
    at: datetime
    left: Decimal


@dataclass(frozen=True, slots=True)
class Pace:
    """What was drawn over `window`, which ends with the last whole hour, and what has been drawn since."""

    window: Period
    drawn: Decimal
    since: Decimal


@dataclass(frozen=True, slots=True)
class BurnDown:
    """`points` are in order of time, from the first movement to now; none where nothing has begun. There is a `pace`
    once a day has passed."""

    points: tuple[Point, ...] = ()
    pace: Pace | None = None


def burn_downs(
    customer: Customer, held: Collection[Balance], computed: Computation, *, at: datetime
) -> dict[UUID, BurnDown]:
    """By commit or credit. They are of what was `computed`, in the same snapshot. A fixed number of queries, however
    many they are."""
    begun = {
        each.committed.commit.pk: each.statement.movements
        for each in held
        if each.statement.movements and each.statement.movements[0].timestamp < at
    }
    instants = {commit_id: _instants(moved, at) for commit_id, moved in begun.items()}
    windows = {commit_id: _window(moved, at) for commit_id, moved in begun.items()}
    wanted: dict[UUID, set[datetime]] = {}  # by document
    for commit_id, moved in begun.items():
        window = windows[commit_id]
        edges = {window.starting_at, window.ending_before} if window and window.ending_before else set()
        for movement in moved:
            if movement.is_deduction and movement.invoice_id is not None:
                wanted.setdefault(movement.invoice_id, set()).update(
                    map(_ceil_hour, {*instants[commit_id], *edges, at})
                )
    with read_snapshot():
        drafts = shown_drafts(computed, customer)
        finals = finals_by_id(customer.pk, set(wanted))
        documents = [each for each in (*drafts, *finals.values()) if each.id in wanted]
        asked = [Asked.of(each, tuple(sorted(wanted[each.id])), computed.inputs) for each in documents]
        shared = {
            each.id: (each, of_each) for each, of_each in zip(documents, shares(asked, computed.inputs), strict=True)
        }
    none_yet = {each.committed.commit.pk: BurnDown() for each in held}
    return none_yet | {
        commit_id: BurnDown(
            tuple(Point(instant, _left(moved, shared, instant)) for instant in instants[commit_id]),
            _pace(moved, shared, windows[commit_id], at),
        )
        for commit_id, moved in begun.items()
    }


def _ceil_hour(instant: datetime) -> datetime:
    """Usage is kept by the hour: what was used in the hour of an instant counts as used by then."""
    floor = floor_hour(instant)
    return floor if floor == instant else floor + HOUR


def _window(moved: Sequence[Movement], at: datetime) -> Period | None:
    end = floor_hour(at)
    start = max(floor_hour(moved[0].timestamp), end - DAYS_OF_PACE * DAY)
    return Period(start, end) if end - start >= DAY else None


def _pace(
    moved: Sequence[Movement], shared: Mapping[UUID, Drawing], window: Period | None, at: datetime
) -> Pace | None:
    if window is None or window.ending_before is None:
        return None
    before, by_end, now = (_drawn_by(moved, shared, each) for each in (window.starting_at, window.ending_before, at))
    return Pace(window, round_to(by_end - before, QUANTUM), round_to(now - by_end, QUANTUM))


def _drawn_by(moved: Sequence[Movement], shared: Mapping[UUID, Drawing], instant: datetime) -> Fraction:
    drawn = Fraction(0)
    for movement in moved:
        if movement.is_deduction:
            drawn -= _moved_by(movement, shared, instant)
    return drawn


def _moved_by(movement: Movement, shared: Mapping[UUID, Drawing], instant: datetime) -> Fraction:
    """What it had moved by an instant: what a document draws follows the usage behind it."""
    found = shared.get(movement.invoice_id) if movement.is_deduction and movement.invoice_id else None
    if found is not None:
        return Fraction(movement.amount) * _drawn(*found, movement.segment_id, _ceil_hour(instant))
    return Fraction(movement.amount) if movement.timestamp <= instant else Fraction(0)


def _instants(moved: Sequence[Movement], at: datetime) -> tuple[datetime, ...]:
    start = moved[0].timestamp
    step = max((at - start) // MOST_POINTS // DAY, 1) * DAY
    first, count = floor_day(start) + DAY, (at - start) // step + 1
    days = {first + index * step for index in range(count)}
    own = {each.timestamp for each in moved if not each.is_deduction}
    return tuple(sorted(instant for instant in {start, *days, *own, at} if start <= instant <= at))


def _left(moved: Sequence[Movement], shared: Mapping[UUID, Drawing], instant: datetime) -> Decimal:
    left = sum((_moved_by(movement, shared, instant) for movement in moved), Fraction(0))
    return round_to(max(left, Fraction(0)), QUANTUM)


def _drawn(document: ShownDocument, of_parts: Shares, segment_id: UUID | None, instant: datetime) -> Fraction:
    """The share of what the document draws on a segment that was drawn by an instant."""
    parts = [part for line in document.lines for part in line.parts if part.segment_id == segment_id and part.amount]
    whole = sum((Fraction(part.amount) for part in parts), Fraction(0))
    if not whole:
        return Fraction(1)
    return sum((Fraction(part.amount) * of_parts[part][instant] for part in parts), Fraction(0)) / whole
