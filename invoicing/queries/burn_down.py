"""A balance as it burns down: what was left of it by each day, or by fewer instants where it lasts long.

A document draws on a segment once, dated at the end of its period. How much of that was drawn by an instant follows
from the usage behind the parts of its lines that the segment pays (`invoicing/queries/spread.py`):

    100 from 1 October; October draws 40, 30 of it by the usage up to the 10th

    1 Oct    10 Oct    20 Oct    1 Nov
    100      70        60        60
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billing_site.foundation.money import QUANTUM, round_to
from billing_site.foundation.periods import DAY, floor_day
from billing_site.foundation.transactions import read_snapshot
from contracts.models import Customer
from invoicing.queries.balances import Balance
from invoicing.queries.compute import Computation
from invoicing.queries.documents import finals_by_id, shown_drafts
from invoicing.queries.movements import Movement
from invoicing.queries.shown import ShownDocument
from invoicing.queries.spread import Asked, Shares, shares

MOST_POINTS = 60


@dataclass(frozen=True, slots=True)
class Point:
    at: datetime
    left: Decimal


def burn_down(customer: Customer, held: Balance, computed: Computation, *, at: datetime) -> tuple[Point, ...]:
    """In order of time, from the first movement to `at`; none where nothing has begun. `held` is of what was
    `computed`, in the same snapshot."""
    moved = held.statement.movements
    if not moved or moved[0].timestamp >= at:
        return ()
    instants = _instants(moved, at)
    drawing = {each.invoice_id for each in moved if each.is_deduction}
    with read_snapshot():
        drafts = shown_drafts(computed, customer)
        finals = finals_by_id(customer.pk, {each for each in drawing if each is not None})
        documents = [each for each in (*drafts, *finals.values()) if each.id in drawing]
        asked = [Asked.of(each, instants, computed.inputs) for each in documents]
        shared = {
            each.id: (each, of_each) for each, of_each in zip(documents, shares(asked, computed.inputs), strict=True)
        }
    return tuple(Point(instant, _left(moved, shared, instant)) for instant in instants)


def _instants(moved: Sequence[Movement], at: datetime) -> tuple[datetime, ...]:
    start = moved[0].timestamp
    step = max((at - start) // MOST_POINTS // DAY, 1) * DAY
    first, count = floor_day(start) + DAY, (at - start) // step + 1
    days = {first + index * step for index in range(count)}
    own = {each.timestamp for each in moved if not each.is_deduction}
    return tuple(sorted(instant for instant in {start, *days, *own, at} if start <= instant <= at))


def _left(moved: Sequence[Movement], shared: Mapping[UUID, tuple[ShownDocument, Shares]], instant: datetime) -> Decimal:
    left = Fraction(0)
    for movement in moved:
        found = shared.get(movement.invoice_id) if movement.is_deduction and movement.invoice_id else None
        if found is not None:
            left += Fraction(movement.amount) * _drawn(*found, movement.segment_id, instant)
        elif movement.timestamp <= instant:
            left += Fraction(movement.amount)
    return round_to(max(left, Fraction(0)), QUANTUM)


def _drawn(document: ShownDocument, of_parts: Shares, segment_id: UUID | None, instant: datetime) -> Fraction:
    """The share of what the document draws on a segment that was drawn by an instant."""
    parts = [part for line in document.lines for part in line.parts if part.segment_id == segment_id and part.amount]
    whole = sum((Fraction(part.amount) for part in parts), Fraction(0))
    if not whole:
        return Fraction(1)
    return sum((Fraction(part.amount) * of_parts[part][instant] for part in parts), Fraction(0)) / whole
