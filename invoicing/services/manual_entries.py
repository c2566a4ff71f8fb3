"""Entries by hand: a person adds to a segment of a commit or credit, or takes from it, and says why.

100, of which final documents have drawn 30 and drafts would take 50      what may be taken is 20
-20                                                                       posted, and nothing is left
-1                                                                        refused: a conflict with what was drawn
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.ids import uuid7
from billing_site.foundation.money import exact_sum
from billing_site.foundation.periods import format_instant
from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import Conflict, FieldError, NotFound
from contracts.models import Customer
from contracts.transactions import money_transaction
from invoicing.engine.calendar import TRUE_UP
from invoicing.engine.documents import Standing
from invoicing.frozen import digits
from invoicing.queries.compute import Computation, computation
from ledger.models import LedgerEntry
from ledger.services.entries import NewEntry, post_entries

KEY_LENGTH = 128
BY_SEAT = "per_group_amounts"


class MoreThanIsLeft(Conflict):
    """Less is left of the segment than was to be taken from it: `left`, in what the balance is held in."""

    left = Decimal(0)


@dataclass(frozen=True, slots=True)
class Part:
    """What is posted on one segment, and what the request calls it."""

    held: Standing
    amount: Decimal
    field: str


@dataclass(frozen=True, slots=True)
class ManualEntryInput:
    """`amount` is signed: money or units, as the balance is held. `timestamp` None: the start of the segment.

    With `per_group_amounts` it is that of several seats, each on what that seat has of its own of the balance.
    """

    balance_id: UUID
    segment_id: UUID
    amount: Decimal
    reason: str
    contract_id: UUID | None = None
    timestamp: datetime | None = None
    uniqueness_key: str | None = None
    per_group_amounts: Mapping[str, Decimal] = field(default_factory=dict)  # by the ids of seats


@money_transaction
def add_manual_entry(customer: Customer, given: ManualEntryInput, *, at: datetime, by: Actor) -> LedgerEntry:
    """Post an entry on a segment of a commit or credit, or one for each seat that is named; the first comes back.

    Raises NotFound, MoreThanIsLeft, Conflict where the key was used or the true-up of the commit is final, and Refusal
    naming every field that breaks a rule.
    """
    key = given.uniqueness_key
    posted_as = f"by hand {key}" if key else f"by hand {uuid7()}"
    if LedgerEntry.objects.filter(customer=customer, idempotency_key=posted_as).exists():
        raise Conflict.of("uniqueness_key", key, "was already used for this customer; nothing was done again")
    computed = computation(customer.pk, at=at)  # after the lock, never before
    held = _held(given, computed)
    problems = Problems()
    _check(given, held, problems)
    problems.refuse()
    _refuse_what_is_settled(held, computed)
    parts = _of_seats(given, held, computed) or [Part(held, given.amount, "amount")]
    for part in parts:
        if part.held.left + part.amount < 0:
            left = max(part.held.left, Decimal(0))
            rule = f"must not take more than the {digits(left)} left of it"
            refusal = MoreThanIsLeft.of(part.field, part.amount, rule)
            refusal.left = left
            raise refusal
    entries = [
        NewEntry(
            type=f"{part.held.commit.ledger_name}_MANUAL",
            commit_id=part.held.commit.id,
            segment_id=part.held.segment.id,
            contract_id=part.held.commit.contract_id,
            amount=part.amount,
            billed_amount=Decimal(0),
            timestamp=given.timestamp or part.held.segment.period.starting_at,
            reason=given.reason,
            idempotency_key=f"seat {place} {posted_as}" if place else posted_as,
        )
        for place, part in enumerate(parts)
    ]
    return post_entries(customer, entries, at=at, by=by)[0]


def _of_seats(given: ManualEntryInput, held: Standing, computed: Computation) -> list[Part]:
    """What goes to each seat, in the order of their ids. Raises Refusal."""
    if not given.per_group_amounts:
        return []
    seats = {
        each.segment.seat[1]: each
        for each in computed.result.balances
        if each.commit.id == held.commit.id and each.segment.seat is not None
    }
    problems, parts = Problems(), []
    for seat, amount in sorted(given.per_group_amounts.items()):
        name = f"{BY_SEAT}.{seat}"
        if not seat or seat not in seats:
            problems.add(name, seat, "must be a seat that has something of its own of this commit or credit")
            continue
        if problems.number(name, amount) and amount == 0:
            problems.add(name, amount, "must not be zero")
        _check_timestamp(given, seats[seat], problems)
        parts.append(Part(seats[seat], amount, name))
    if exact_sum(list(given.per_group_amounts.values())) != given.amount:
        problems.add(BY_SEAT, digits(given.amount), "must add up to amount")
    problems.refuse()
    return parts


def _held(given: ManualEntryInput, computed: Computation) -> Standing:
    of_commit = [each for each in computed.result.balances if each.commit.id == given.balance_id]
    commit = next((each for each in computed.result.commits if each.id == given.balance_id), None)
    if commit is not None and commit.gate is not None and not commit.segments:
        what = "has failed" if commit.gate.has_failed else "has not been recorded"
        raise Conflict.of("id", commit.id, f"must be of a commit that can be drawn on: its payment {what}")
    if not of_commit:
        rule = "must be the id of a commit or credit of this customer"
        raise NotFound("There is no such commit or credit.", FieldError("id", given.balance_id, rule))
    for each in of_commit:
        if each.segment.id == given.segment_id:
            return each
    rule = "must be the id of a segment of the commit or credit"
    raise NotFound("There is no such segment.", FieldError("segment_id", given.segment_id, rule))


def _check(given: ManualEntryInput, held: Standing, problems: Problems) -> None:
    if problems.number("amount", given.amount) and given.amount == 0:
        problems.add("amount", given.amount, "must not be zero")
    problems.reason("reason", given.reason)
    if given.contract_id not in (None, held.commit.contract_id):
        problems.add("contract_id", given.contract_id, "must be the contract that the commit or credit is part of")
    if given.uniqueness_key is not None and not 0 < len(given.uniqueness_key) <= KEY_LENGTH:
        problems.add("uniqueness_key", given.uniqueness_key, f"must have from 1 to {KEY_LENGTH} characters")
    _check_timestamp(given, held, problems)


def _check_timestamp(given: ManualEntryInput, held: Standing, problems: Problems) -> None:
    period = held.segment.period
    if given.timestamp is not None and given.timestamp not in period:
        end = "" if period.ending_before is None else f" and before {format_instant(period.ending_before)}"
        rule = f"must be within the segment: from {format_instant(period.starting_at)} on{end}"
        problems.add("timestamp", given.timestamp.isoformat(), rule)


def _refuse_what_is_settled(held: Standing, computed: Computation) -> None:
    """What is final does not change: a commitment whose rest was billed has nothing left to change."""
    slot = str(held.commit.id)
    settled = any(kind == TRUE_UP and which == slot for _, kind, which in computed.inputs.posted.documents)
    if settled:
        raise Conflict.of("id", held.commit.id, "must be of a commit whose true-up is not final")
