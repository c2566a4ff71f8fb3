"""What each seat of a contract's subscriptions has of its own (`docs/subscriptions.md`, "Allowances by the seat").

The parts of all commits and credits are added up by unit, those that are over with what was granted and nothing left.

    5.00 a month and seat; ada and bob have one since 1 October, cy since 16 November; on 20 November, 1.00 used by ada

    seat   granted   left   of which
    ada    10.00     4.00   October: over; November: 5.00 less 1.00
    bob    10.00     5.00   October: over; November: 5.00
    cy     2.50      2.50   November, by time
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.money import exact_sum
from billing_site.foundation.periods import HOUR, floor_hour
from billing_site.foundation.refusals import Refusal
from billing_site.foundation.transactions import read_snapshot
from contracts.models import Commit
from contracts.queries import AgreedSubscription, Agreement, agreement, to_terms
from contracts.recurring import instances
from invoicing.engine.documents import Standing
from invoicing.queries.balances import balances
from invoicing.queries.movements import Movement


@dataclass(frozen=True, slots=True)
class SeatPart:
    """What a seat has of its own of one commit or credit, and what moved that, in order of time."""

    commit: Commit
    standing: Standing
    left: Decimal
    movements: tuple[Movement, ...]

    @property
    def unit_id(self) -> UUID:
        return self.commit.held_in.id


@dataclass(frozen=True, slots=True)
class SeatBalance:
    seat_id: str
    parts: tuple[SeatPart, ...]  # in order of the creation of their commits

    def sums(self) -> Iterator[tuple[UUID, str, Decimal, Decimal]]:
        """Of each unit and access type: what there was, and what is left."""
        alike: dict[tuple[UUID, str], list[SeatPart]] = defaultdict(list)
        for part in self.parts:
            alike[part.unit_id, part.commit.access_type].append(part)
        for (unit_id, access_type), parts in alike.items():
            granted = exact_sum([part.standing.granted for part in parts])
            yield unit_id, access_type, granted, exact_sum([part.left for part in parts])


def seat_balances(
    customer_id: UUID, contract_id: UUID, *, at: datetime, subscription_ids: Collection[UUID] | None = None
) -> list[SeatBalance]:
    """Every seat that somebody has, has had or will have, in order of the ids; one that was granted nothing has no
    parts. `subscription_ids`: of these subscriptions alone.

    Raises NotFound, and Refusal for a subscription that is not one of the contract by the seat.
    """
    with read_snapshot():
        agreed = agreement(customer_id, contract_id)
        asked = _asked_for(agreed, subscription_ids)
        held = balances(customer_id, at=at)
    seats = _seats_of_segments(agreed, asked, at=at)
    parts: dict[str, list[SeatPart]] = {
        seat: [] for each in asked.values() for row in each.quantities for seat in row.assigned_seat_ids
    }
    for balance in held:
        moved: dict[UUID, list[Movement]] = defaultdict(list)
        for movement in balance.statement.movements:
            if movement.segment_id in seats:
                moved[movement.segment_id].append(movement)
        for standing in balance.statement.standings:
            seat = seats.get(standing.segment.id)
            if seat in parts:
                found = tuple(moved[standing.segment.id])
                parts[seat].append(SeatPart(balance.committed.commit, standing, standing.usable(at), found))
    return [SeatBalance(seat, tuple(found)) for seat, found in sorted(parts.items())]


def _asked_for(agreed: Agreement, subscription_ids: Collection[UUID] | None) -> dict[UUID, AgreedSubscription]:
    by_seat = {each.subscription.pk: each for each in agreed.subscriptions if each.terms.is_by_seat}
    if not subscription_ids:
        return by_seat
    for index, each in enumerate(subscription_ids):
        if each not in by_seat:
            rule = "must be the id of a SEAT_BASED subscription of the contract"
            raise Refusal.of(f"subscription_ids[{index}]", each, rule)
    return {each: by_seat[each] for each in subscription_ids}


def _seats_of_segments(agreed: Agreement, asked: Collection[UUID], *, at: datetime) -> dict[UUID, str]:
    """Whose each part is of what has been granted by `at`, also of a contract that is archived."""
    contract = to_terms(agreed)
    return {
        segment.id: segment.seat[1]
        for row in contract.recurring
        if row.seats is not None and row.seats.subscription_id in asked
        for instance in instances(contract, row, until=floor_hour(at) + HOUR)
        for segment in instance.segments
        if segment.seat is not None
    }
