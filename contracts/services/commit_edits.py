"""Editing one commit or credit, of a contract or of the customer."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import FieldError, NotFound, Refusal
from contracts import terms
from contracts.inputs import CommitChangeInput
from contracts.models import Commit, ContractEdit, Customer
from contracts.queries import AgreedCommit, agreements, customer_terms, granted, no_such_customer, shared_commits
from contracts.services.commit_changes import CommitChange, plan_changes
from contracts.services.contracts import refuse_archived
from contracts.services.meanwhile import refuse_edited_meanwhile
from contracts.services.recording import add_terms, record_edit, remove_terms, stamp
from contracts.terms import CustomerTerms
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
    based_on_edit: int | None = None,
    at: datetime,
    by: Actor,
) -> Commit:
    """Change a commit of one of `types` by one edit: of its contract, or of the customer. What stands already is no
    change. `based_on_edit` is the last edit that the author has seen of either.

    Raises NotFound, EditedMeanwhile, MoreWasTaken, and Refusal naming every field that breaks a rule, among them
    whatever would reach back into final invoices.
    """
    committed = standing_commit(customer.pk, given.id, types, at=at)
    refuse_archived(customer)
    refuse_edited_meanwhile(customer, committed.commit.contract_id, based_on_edit)
    change = plan_commit_edit(customer, given, committed, at=at)
    save_change(customer, change, reason=reason, at=at, by=by)
    return committed.commit


def terms_after_commit_edit(
    customer_id: UUID, given: CommitChangeInput, *, types: Collection[str], at: datetime
) -> CustomerTerms:
    """What would be agreed with the customer if `edit_commit` were called. Writes nothing.

    Read it in one snapshot with what it is compared to. Raises what `edit_commit` raises.
    """
    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is None:
        raise no_such_customer(customer_id)
    refuse_archived(customer)
    change = plan_commit_edit(customer, given, standing_commit(customer_id, given.id, types, at=at), at=at)
    now = customer_terms(customer_id)
    edit = ContractEdit(customer=customer, number=now.edit_number + 1, created_at=at)
    for rows in change.added:
        stamp(edit, rows)
    committed = change.after()
    after = committed.to_commit()

    def with_it(commits: Sequence[terms.Commit]) -> tuple[terms.Commit, ...]:
        return tuple(after if commit.id == after.id else commit for commit in commits)

    contracts = tuple(replace(contract, commits=with_it(contract.commits)) for contract in now.contracts)
    return replace(now, edit_number=edit.number, contracts=contracts, commits=with_it(now.commits))


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
    for rows in change.removed:
        remove_terms(edit, rows)
    for rows in change.added:
        add_terms(edit, rows)


def standing_commit(customer_id: UUID, commit_id: UUID, types: Collection[str], *, at: datetime) -> AgreedCommit:
    """One of the customer or of its contracts. Raises NotFound, for a foreign or archived one too; Refusal for one that
    a recurring one has granted."""
    contracts = agreements(customer_id)
    of_contracts = (committed for agreed in contracts for committed in agreed.commits)
    for committed in (*shared_commits(customer_id), *of_contracts):
        if committed.commit.pk == commit_id and committed.commit.type in types:
            return committed
    is_credit = Commit.Type.CREDIT in types
    noun = "credit" if is_credit else "commit" if Commit.Type.POSTPAID in types else "prepaid commit"
    name = "credit_id" if is_credit else "commit_id"
    instances = {each.commit.pk: each for agreed in contracts for each in granted(agreed, at=at)}
    if commit_id in instances:
        rule = (
            f"must be of one that was agreed by itself: {instances[commit_id].recurring_id} has granted it, and can be"
            " changed for whatever has not begun, by an edit of its contract"
        )
        raise Refusal.of(name, commit_id, rule)
    raise NotFound(
        f"There is no such {noun}.", FieldError(name, commit_id, f"must be the id of a {noun} of this customer")
    )


def refuse_of_archived_contract(committed: AgreedCommit) -> None:
    contract = committed.commit.contract
    if contract is not None and contract.archived_at is not None:
        name = "credit_id" if committed.commit.is_credit else "commit_id"
        raise Refusal.of(name, committed.commit.pk, "must be of a contract that is not archived")
