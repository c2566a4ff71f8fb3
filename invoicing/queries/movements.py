"""What moved a commit or credit, in order of time: its schedule, what was posted, and what the drafts would post.

Starts and expirations are functions of how each segment stands (`invoicing/engine/standings.py`), so they are there in
the first hour in which they hold, whether or not anything ran meanwhile, and for what has no row, too: instances of
what recurs, and what a renewal took over.

A draft has one entry for each segment that it draws on, dated like the one that it will post, at the end of its period:
so a reader tells what is pending by its date. How much was drawn by an instant is asked for by `as_of`.

    100 from 1 October to 1 November, 30 of it used in October, which is not final yet:

    read on      entries                                                            balance
    30 Sep                                                                          0
    1 Oct        +100 start                                                         100
    15 Oct       +100 start   -30 by the draft of October (dated 1 Nov)             70
    1 Nov        +100 start   -30 by the draft of October   -70 expiration          0

Usage of October that comes while its draft is open still draws on the segment, and less of it expires.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.money import exact_sum
from invoicing.engine import calendar
from invoicing.engine.calendar import draft_id
from invoicing.engine.documents import Standing
from invoicing.queries.compute import Computation
from ledger.models import LedgerEntry
from ledger.models.entries import MANUAL, ROLLOVER
from ledger.queries.entries import posted_entries

INITIAL_BALANCE = "POSTPAID_COMMIT_INITIAL_BALANCE"
TRUE_UP = LedgerEntry.Type.POSTPAID_COMMIT_TRUEUP
START, DEDUCTION, EXPIRATION = "_SEGMENT_START", "_AUTOMATED_INVOICE_DEDUCTION", "_EXPIRATION"
SEATS = "_SEAT_BASED_ADJUSTMENT"
GIVEN_BACK = "_CREDITED"


@dataclass(frozen=True, slots=True)
class Movement:
    """An entry as a reader sees it. `is_pending` while only a draft says so."""

    type: str
    amount: Decimal
    timestamp: datetime
    segment_id: UUID | None = None
    invoice_id: UUID | None = None
    contract_id: UUID | None = None
    is_pending: bool = False
    reason: str = ""
    new_contract_id: UUID | None = None  # of what goes over to a renewal

    @property
    def is_start(self) -> bool:
        return self.type == INITIAL_BALANCE or self.type.endswith((START, SEATS))

    @property
    def is_deduction(self) -> bool:
        """Whether it says what a document draws, or has drawn before it was voided."""
        return self.type.endswith((DEDUCTION, GIVEN_BACK))

    @property
    def order(self) -> tuple[datetime, int]:
        """At one instant: what was drawn or given back, what goes over, what expires, what opens, what came by hand
        into what is open, and last a true-up."""
        expires, by_hand = self.type.endswith(EXPIRATION), self.type in MANUAL
        steps = (self.type in ROLLOVER, expires, self.is_start, by_hand, self.type == TRUE_UP)
        return self.timestamp, next((step for step, is_it in enumerate(steps, start=1) if is_it), 0)


def movements(
    computed: Computation, *, at: datetime, as_of: datetime | None = None
) -> dict[UUID, tuple[Movement, ...]]:
    """By commit or credit, each list in order of time. One query.

    What was posted by hand on a segment that has not begun comes with its start, so that the sum is what is left. Where
    the contract has come to an end before that, the segment never opens, and what was posted on it is not told.
    """
    moved: dict[UUID, list[Movement]] = defaultdict(list)
    for entry in posted_entries(computed.inputs.terms.customer_id, as_of=as_of):
        if entry.type == TRUE_UP and entry.amount == 0:
            continue  # the commitment was met to the last digit
        moved[entry.commit_id].append(_posted(entry))
    for commit_id, movement in (*_pending(computed), *_gone_over(computed)):
        moved[commit_id].append(movement)
    begun: set[UUID | None] = {None}
    for standing in computed.result.balances:
        if standing.segment.period.starting_at <= at:
            begun.add(standing.segment.id)
            moved[standing.commit.id].extend(_scheduled(standing, at))
    told = {commit_id: [each for each in found if each.segment_id in begun] for commit_id, found in moved.items()}
    return {commit_id: tuple(sorted(found, key=lambda each: each.order)) for commit_id, found in told.items()}


def _pending(computed: Computation) -> Iterator[tuple[UUID, Movement]]:
    for draft in computed.result.documents:
        for entry in draft.entries:
            # What a true-up would bill is still to be spent until it is final.
            if entry.type != TRUE_UP or entry.adjusts is not None:
                yield (
                    entry.commit_id,
                    Movement(
                        entry.type,
                        entry.amount,
                        entry.timestamp,
                        entry.segment_id,
                        draft.id,
                        draft.contract_id,
                        is_pending=True,
                        new_contract_id=entry.new_contract_id,
                    ),
                )


def _gone_over(computed: Computation) -> Iterator[tuple[UUID, Movement]]:
    """What a renewal has taken over that no document posts: contracts on fixed terms have no documents of usage, and
    neither has a renewal that nothing was used under."""
    told: dict[UUID, list[Decimal]] = defaultdict(list)
    for segment_id, amount in computed.inputs.posted.rolled_over.items():
        told[segment_id].append(amount)
    for draft in computed.result.documents:
        for entry in draft.entries:
            if entry.type in ROLLOVER and entry.segment_id is not None:
                told[entry.segment_id].append(-entry.amount)
    renewals = {into.commit.rolled_over_from: into for into in computed.result.balances}
    for standing in computed.result.balances:
        amount = exact_sum([standing.rolled_over, *(-each for each in told[standing.segment.id])])
        if amount:
            into = renewals[standing.commit.id]
            yield (
                standing.commit.id,
                Movement(
                    f"{standing.commit.ledger_name}_ROLLOVER",
                    -amount,
                    into.segment.period.starting_at,
                    standing.segment.id,
                    contract_id=standing.commit.contract_id,
                    new_contract_id=into.commit.contract_id,
                ),
            )


def _posted(entry: LedgerEntry) -> Movement:
    invoice_id = entry.invoice_id
    if entry.type == TRUE_UP and invoice_id is None and entry.contract_id is not None:
        # Documents rounded up have met the commitment, and this closes what is left of a cent. Clients want an id.
        invoice_id = draft_id(entry.contract_id, calendar.TRUE_UP, str(entry.commit_id))
    return Movement(
        entry.type,
        entry.amount,
        entry.timestamp,
        entry.segment_id,
        invoice_id,
        entry.contract_id,
        reason=entry.reason,
        new_contract_id=entry.new_contract_id,
    )


def _scheduled(standing: Standing, at: datetime) -> Iterator[Movement]:
    """The start of a segment that has begun, and the end of one that is over, for what nobody has drawn of it."""
    commit, segment = standing.commit, standing.segment
    if not standing.granted:
        return
    named = segment.id if commit.pays else None
    start = f"{commit.ledger_name}{SEATS if segment.is_for_seats else START}" if commit.pays else INITIAL_BALANCE
    yield Movement(start, standing.granted, segment.period.starting_at, named)
    expired = standing.expired(at)
    if expired and segment.period.ending_before is not None:
        yield Movement(f"{commit.ledger_name}{EXPIRATION}", -expired, segment.period.ending_before, named)
