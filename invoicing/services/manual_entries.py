"""Entries by hand: a person adds to a segment of a commit or credit, or takes from it, and says why.

100, of which final documents have drawn 30 and drafts would take 50      what may be taken is 20
-20                                                                       posted, and nothing is left
-1                                                                        refused: a conflict with what was drawn
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.ids import uuid7
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


class MoreThanIsLeft(Conflict):
    """Less is left of the segment than was to be taken from it: `left`, in what the balance is held in."""

    left = Decimal(0)


@dataclass(frozen=True, slots=True)
class ManualEntryInput:
    """`amount` is signed: money or units, as the balance is held. `timestamp` None: the start of the segment."""

    balance_id: UUID
    segment_id: UUID
    amount: Decimal
    reason: str
    contract_id: UUID | None = None
    timestamp: datetime | None = None
    uniqueness_key: str | None = None


@money_transaction
def add_manual_entry(customer: Customer, given: ManualEntryInput, *, at: datetime, by: Actor) -> LedgerEntry:
    """Post an entry on a segment of a commit or credit.

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
    if held.left + given.amount < 0:
        left = max(held.left, Decimal(0))
        refusal = MoreThanIsLeft.of("amount", given.amount, f"must not take more than the {digits(left)} left of it")
        refusal.left = left
        raise refusal
    entry = NewEntry(
        type=f"{held.commit.ledger_name}_MANUAL",
        commit_id=held.commit.id,
        segment_id=held.segment.id,
        contract_id=held.commit.contract_id,
        amount=given.amount,
        billed_amount=Decimal(0),
        timestamp=given.timestamp or held.segment.period.starting_at,
        reason=given.reason,
        idempotency_key=posted_as,
    )
    [row] = post_entries(customer, [entry], at=at, by=by)
    return row


def _held(given: ManualEntryInput, computed: Computation) -> Standing:
    of_commit = [each for each in computed.result.balances if each.commit.id == given.balance_id]
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
