"""Balances: schedule, plus what was posted, plus what the drafts would take.

With `as_of` a balance is that of the instant: by the terms, prices, documents and entries of then, and by what had been
used until then, as it is known now. So at any instant of a month that is open, or was, no more is drawn than was used
by then.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.money import exact_sum
from billing_site.foundation.transactions import read_snapshot
from contracts.models import Contract
from contracts.queries import (
    AgreedCommit,
    Agreement,
    agreements,
    archived_commits,
    edit_number_at,
    shared_commits,
    with_granted,
)
from contracts.terms import QUANTITY
from invoicing.queries.closed import with_closed
from invoicing.queries.compute import Computation, computation_at
from invoicing.queries.derived import with_derived
from invoicing.queries.statements import Statement, statements


@dataclass(frozen=True, slots=True)
class Balance:
    """A commit or credit, the contract that it is part of (None: the customer's own), and its statement. It may be
    archived, by itself or with its contract."""

    contract: Contract | None
    committed: AgreedCommit
    statement: Statement
    is_archived: bool

    @property
    def unit_id(self) -> UUID | None:
        """What it is held in; None where it counts units of what is sold."""
        commit = self.committed.commit
        return None if commit.access_type == QUANTITY else commit.unit_id


def balances(customer_id: UUID, *, at: datetime, as_of: datetime | None = None) -> list[Balance]:
    """All commits and credits of the customer that stand, or stood at `as_of`, in order of creation.

    Raises NotFound, and Refusal where `as_of` is later than `at`.
    """
    return computed_balances(customer_id, at=at, as_of=as_of)[0]


def computed_balances(
    customer_id: UUID, *, at: datetime, as_of: datetime | None = None
) -> tuple[list[Balance], Computation]:
    """`balances`, with what they were computed by: read what goes with it in the same snapshot."""
    with read_snapshot():
        computed = computation_at(customer_id, at=at, as_of=as_of)
        known = None if as_of is None else computed.inputs.terms.edit_number
        contracts = agreements(customer_id, at_edit=known)
        archived = archived_commits(customer_id, at_edit=known)
        computed = with_closed(computed, contracts, archived)
        found = statements(computed, at=as_of or at, as_of=as_of)
        own = [(None, committed, False) for committed in shared_commits(customer_id, at_edit=known)]
        others: list[tuple[Contract | None, AgreedCommit, bool]] = [
            (agreed.contract, committed, agreed.is_archived)
            for agreed in with_derived(contracts, computed)
            for committed in agreed.commits
        ]
        others += [(committed.commit.contract, committed, True) for committed in archived]
        nothing = Statement(as_of or at, (), ())
        held = [
            Balance(contract, committed, found.get(committed.commit.pk, nothing), is_archived)
            for contract, committed, is_archived in (*own, *others)
        ]
    held.sort(key=lambda balance: (balance.committed.commit.created_at, balance.committed.commit.pk))
    return held, computed


def agreements_with_balances(
    customer_id: UUID,
    *,
    at: datetime,
    contract_ids: Collection[UUID] | None = None,
    as_of: datetime | None = None,
    with_balances: bool = False,
) -> tuple[list[Agreement], Mapping[UUID, Statement]]:
    """Contracts of the customer, as their terms stood after the edits made up to `as_of`, and the statement of each
    commit as of then.

    Without `with_balances` nothing is computed, unless a contract has taken something over. Raises NotFound.
    """
    with read_snapshot():
        if as_of is not None:
            as_of = min(as_of, at)  # no edit is of the future
        number = None if as_of is None else edit_number_at(customer_id, as_of)
        found = agreements(customer_id, contract_ids=contract_ids, at_edit=number)
        if not with_balances and not any(agreed.contract.renews_id for agreed in found):
            return [with_granted(agreed, at=at) for agreed in found], {}
        everything = found if contract_ids is None else agreements(customer_id, at_edit=number)
        computed = computation_at(customer_id, at=at, as_of=as_of)
        computed = with_closed(computed, everything)
        wanted = {agreed.contract.pk for agreed in found}
        complete = [agreed for agreed in with_derived(everything, computed) if agreed.contract.pk in wanted]
        return complete, statements(computed, at=as_of or at, as_of=as_of)


def net_balance(found: Collection[Balance], *, unit_id: UUID | None, with_drafts: bool) -> Decimal:
    """What is left over all of `found` that are held in one unit; None: that count units of what is sold."""
    alike = [balance for balance in found if balance.unit_id == unit_id]
    held = [balance.statement for balance in alike]
    return exact_sum([each.left if with_drafts else each.settled_left for each in held])
