"""Editing one commit or credit, of a contract or of the customer."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import FieldError, NotFound, Refusal
from contracts.inputs import CommitChangeInput
from contracts.models import Commit, ContractEdit, Customer
from contracts.queries import AgreedCommit, agreements, shared_commits
from contracts.services.commit_changes import CommitChange, plan_changes
from contracts.services.contracts import refuse_archived
from contracts.services.recording import add_terms, record_edit, remove_terms
from contracts.transactions import money_transaction

COMMIT_TYPES = (Commit.Type.PREPAID, Commit.Type.POSTPAID)
CREDIT_TYPES = (Commit.Type.CREDIT,)


@money_transaction
def edit_commit(
    customer: Customer,
    given: CommitChangeInput,
    *,
    types: Collection[str],
    reason: str = "",
    at: datetime,
    by: Actor,
) -> Commit:
    """Change a commit of one of `types` by one edit: of its contract, or of the customer. What stands already is no
    change.

    Raises NotFound, MoreWasTaken, and Refusal naming every field that breaks a rule, among them whatever would reach
    back into final invoices.
    """
    committed = standing_commit(customer.pk, given.id, types)
    refuse_archived(customer)
    change = plan_commit_edit(customer, given, committed, at=at)
    save_change(customer, change, reason=reason, at=at, by=by)
    return committed.commit


def plan_commit_edit(
    customer: Customer, given: CommitChangeInput, committed: AgreedCommit, *, at: datetime
) -> CommitChange:
    """What `edit_commit` would write. Raises MoreWasTaken and Refusal."""
    if given == CommitChangeInput(given.id):
        raise Refusal("The edit changes nothing: give something to change.")
    refuse_of_archived_contract(committed)
    problems = Problems()
    changes = plan_changes(customer, [("", given, committed)], problems, at=at)
    problems.refuse()
    return changes[0]


def save_change(customer: Customer, change: CommitChange, *, reason: str = "", at: datetime, by: Actor) -> None:
    """Write a planned change as an edit of its own; none, where there is nothing to change."""
    if change.is_empty:
        return
    commit = change.committed.commit
    edit = record_edit(
        customer,
        ContractEdit.Kind.EDIT if commit.contract_id else ContractEdit.Kind.BALANCE,
        contract=commit.contract,
        reason=reason,
        at=at,
        by=by,
    )
    for terms in change.removed:
        remove_terms(edit, terms)
    for terms in change.added:
        add_terms(edit, terms)


def standing_commit(customer_id: UUID, commit_id: UUID, types: Collection[str]) -> AgreedCommit:
    """One of the customer or of its contracts. Raises NotFound, for a foreign or archived one too."""
    of_contracts = (committed for agreed in agreements(customer_id) for committed in agreed.commits)
    for committed in (*shared_commits(customer_id), *of_contracts):
        if committed.commit.pk == commit_id and committed.commit.type in types:
            return committed
    is_credit = Commit.Type.CREDIT in types
    noun = "credit" if is_credit else "commit" if Commit.Type.POSTPAID in types else "prepaid commit"
    name = "credit_id" if is_credit else "commit_id"
    raise NotFound(
        f"There is no such {noun}.", FieldError(name, commit_id, f"must be the id of a {noun} of this customer")
    )


def refuse_of_archived_contract(committed: AgreedCommit) -> None:
    contract = committed.commit.contract
    if contract is not None and contract.archived_at is not None:
        name = "credit_id" if committed.commit.is_credit else "commit_id"
        raise Refusal.of(name, committed.commit.pk, "must be of a contract that is not archived")
