"""Balances: schedule, plus what was posted, plus what the drafts would take."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.money import exact_sum
from billing_site.foundation.refusals import Refusal
from billing_site.foundation.transactions import read_snapshot
from contracts.queries import AgreedCommit, Agreement, agreements, edit_number_at
from contracts.terms import Commit
from invoicing.engine import calendar
from invoicing.engine.calendar import draft_id
from invoicing.queries.compute import Computation, computation
from ledger.models import LedgerEntry
from ledger.queries.entries import posted_entries

INITIAL_BALANCE = "POSTPAID_COMMIT_INITIAL_BALANCE"
TRUE_UP = LedgerEntry.Type.POSTPAID_COMMIT_TRUEUP


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


@dataclass(frozen=True, slots=True)
class Balance:
    """A commit and all that moved it, in order of time."""

    agreement: Agreement
    committed: AgreedCommit
    movements: tuple[Movement, ...]

    @property
    def amount(self) -> Decimal:
        """What is left now. For a postpaid commit: what is still to be spent."""
        return exact_sum([movement.amount for movement in self.movements])

    @property
    def settled_amount(self) -> Decimal:
        """The same with final documents alone."""
        return exact_sum([movement.amount for movement in self.movements if not movement.is_pending])


def balances(customer_id: UUID, *, at: datetime) -> list[Balance]:
    """All commits of the customer that stand, in order of creation. Raises NotFound."""
    with read_snapshot():
        computed = computation(customer_id, at=at)
        moved = movements(computed, at=at)
        found = [
            Balance(agreed, committed, moved[committed.commit.pk])
            for agreed in agreements(customer_id)
            for committed in agreed.commits
        ]
    return sorted(found, key=lambda balance: (balance.committed.commit.created_at, balance.committed.commit.pk))


def agreements_with_balances(
    customer_id: UUID,
    *,
    at: datetime,
    contract_ids: Collection[UUID] | None = None,
    as_of: datetime | None = None,
    with_balances: bool = False,
) -> tuple[list[Agreement], Mapping[UUID, tuple[Movement, ...]]]:
    """Contracts of the customer, as their terms stood after the edits made up to `as_of`, and by commit what moved it,
    as was known then.

    Without `with_balances` nothing is computed. Raises NotFound.
    """
    with read_snapshot():
        if as_of is not None:
            as_of = min(as_of, at)  # no edit is of the future
        number = None if as_of is None else edit_number_at(customer_id, as_of)
        found = agreements(customer_id, contract_ids=contract_ids, at_edit=number)
        if not with_balances:
            return found, {}
        return found, movements(computation(customer_id, at=at, as_of=as_of), at=at, as_of=as_of)


def net_balance(found: Collection[Balance], *, unit_id: UUID, with_drafts: bool) -> Decimal:
    """What is left over all of `found` in one unit. A balance below zero counts as zero."""
    amounts = [
        balance.amount if with_drafts else balance.settled_amount
        for balance in found
        if balance.committed.commit.unit_id == unit_id
    ]
    return exact_sum([max(amount, Decimal(0)) for amount in amounts])


def movements(
    computed: Computation, *, at: datetime, as_of: datetime | None = None
) -> dict[UUID, tuple[Movement, ...]]:
    """By commit: its start, what was posted, and what the drafts would post."""
    moved: dict[UUID, list[Movement]] = defaultdict(list)
    terms = computed.inputs.terms
    for commit in terms.all_commits:
        moved[commit.id].extend(_starts(commit, at))
    for entry in posted_entries(terms.customer_id, as_of=as_of):
        if entry.type == TRUE_UP and entry.amount == 0:
            continue  # the commitment was met to the last digit
        moved[entry.commit_id].append(_posted(entry))
    for draft in computed.result.documents:
        for pending in draft.entries:
            # What a true-up would bill is still to be spent until it is final.
            if pending.type != TRUE_UP:
                moved[pending.commit_id].append(
                    Movement(
                        pending.type,
                        pending.amount,
                        pending.timestamp,
                        pending.segment_id,
                        draft.id,
                        draft.contract_id,
                        is_pending=True,
                    )
                )
    return {
        commit_id: tuple(sorted(found, key=lambda movement: (movement.timestamp, movement.type == TRUE_UP)))
        for commit_id, found in moved.items()
    }


def _posted(entry: LedgerEntry) -> Movement:
    invoice_id = entry.invoice_id
    if invoice_id is None and entry.contract_id is not None:
        # Documents rounded up have met the commitment, and this closes what is left of a cent. Clients want an id.
        invoice_id = draft_id(entry.contract_id, calendar.TRUE_UP, str(entry.commit_id))
    return Movement(entry.type, entry.amount, entry.timestamp, entry.segment_id, invoice_id, entry.contract_id)


def _starts(commit: Commit, at: datetime) -> list[Movement]:
    """The obligation, once its access has begun."""
    if commit.type != "POSTPAID":
        raise Refusal(f"Balances of {commit.type} commits are not kept yet.")
    return [
        Movement(INITIAL_BALANCE, segment.amount, segment.period.starting_at)
        for segment in commit.segments
        if segment.period.starting_at <= at
    ]
