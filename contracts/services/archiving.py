"""Archiving: a contract, or one commit or credit by itself. What was known before still says all of
it.

of a contract
    drafts, and charges and payments to come     gone
    commits and credits                          archived; what is left of a balance expires
    final documents                              stay, unless `invoicing/services/archiving.py` voids them
of a commit or credit, as long as it has moved nothing
    access, payments to come, a true-up          gone
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.problems import save
from billing_site.foundation.refusals import Conflict
from contracts.inputs import EditInput
from contracts.models import Commit, Contract, ContractEdit, Customer
from contracts.queries import AgreedCommit, agreement, customer_terms, shared_commits
from contracts.services.commit_changes import refuse_used
from contracts.services.commit_edits import refuse_of_archived_contract, standing_commit
from contracts.services.contracts import refuse_archived
from contracts.services.edits import edit_contract
from contracts.services.meanwhile import refuse_edited_meanwhile
from contracts.services.recording import record_edit, remove_terms
from contracts.terms import CustomerTerms
from contracts.transactions import money_transaction


class WasRenewed(Conflict):
    """A renewal has taken over what was left of the contract."""


class StillBills(Conflict):
    """`commit` is the customer's, and to be billed under the contract yet."""

    commit: Commit


@money_transaction
def archive_contract(
    customer: Customer,
    contract_id: UUID,
    *,
    reason: str = "",
    based_on_edit: int | None = None,
    at: datetime,
    by: Actor,
) -> Contract:
    """Archive a contract of the customer by one edit. Archiving twice changes nothing.

    Raises NotFound; EditedMeanwhile; Conflict where a renewal or a commit of the customer stands on it.
    """
    contract = _contract_to_archive(customer.pk, contract_id, at=at)
    if contract.archived_at is not None:
        return contract
    refuse_edited_meanwhile(customer, contract_id, based_on_edit)
    contract.archived_at = at
    save(contract, reason=reason)
    record_edit(customer, ContractEdit.Kind.ARCHIVE, contract=contract, reason=reason, at=at, by=by)
    return contract


def terms_after_archived_contract(customer_id: UUID, contract_id: UUID, *, at: datetime) -> CustomerTerms:
    """What would be agreed with the customer if the contract were archived, its final documents staying. Writes
    nothing; raises what `archive_contract` raises."""
    _contract_to_archive(customer_id, contract_id, at=at)
    now = customer_terms(customer_id)
    contracts = tuple(contract for contract in now.contracts if contract.id != contract_id)
    return replace(now, edit_number=now.edit_number + 1, contracts=contracts)


def archive_commit(
    customer: Customer,
    commit_id: UUID,
    *,
    types: Collection[str],
    reason: str = "",
    based_on_edit: int | None = None,
    at: datetime,
    by: Actor,
) -> None:
    """Archive a commit of one of `types`, of a contract or of the customer, by one edit of either.

    Raises NotFound, EditedMeanwhile, and MoreWasTaken where it has moved anything.
    """
    commit = standing_commit(customer.pk, commit_id, types, at=at).commit
    if commit.contract_id is None:
        _archive_shared(customer, commit_id, types=types, reason=reason, based_on_edit=based_on_edit, at=at, by=by)
        return
    given = EditInput(
        archive_credits=(commit_id,) if commit.is_credit else (),
        archive_commits=() if commit.is_credit else (commit_id,),
        reason=reason,
        based_on_edit=based_on_edit,
    )
    edit_contract(customer, commit.contract_id, given, at=at, by=by)


def terms_after_archived_commit(
    customer_id: UUID, commit_id: UUID, *, types: Collection[str], at: datetime
) -> CustomerTerms:
    """What would be agreed with the customer if `archive_commit` were called. Writes nothing; raises what it raises."""
    customer = Customer.objects.get(pk=customer_id)
    _commit_to_archive(customer, commit_id, types, at=at)
    now = customer_terms(customer_id)
    return replace(
        now,
        edit_number=now.edit_number + 1,
        contracts=tuple(
            replace(contract, commits=tuple(each for each in contract.commits if each.id != commit_id))
            for contract in now.contracts
        ),
        commits=tuple(each for each in now.commits if each.id != commit_id),
    )


@money_transaction
def _archive_shared(
    customer: Customer,
    commit_id: UUID,
    *,
    types: Collection[str],
    reason: str,
    based_on_edit: int | None,
    at: datetime,
    by: Actor,
) -> None:
    """Of the customer's own."""
    refuse_edited_meanwhile(customer, None, based_on_edit)
    committed = _commit_to_archive(customer, commit_id, types, at=at)
    edit = record_edit(customer, ContractEdit.Kind.BALANCE, reason=reason, at=at, by=by)
    for rows in committed.rows():
        remove_terms(edit, rows)


def _commit_to_archive(customer: Customer, commit_id: UUID, types: Collection[str], *, at: datetime) -> AgreedCommit:
    committed = standing_commit(customer.pk, commit_id, types, at=at)
    refuse_archived(customer)
    refuse_of_archived_contract(committed)
    refuse_used([("credit_id" if committed.commit.is_credit else "commit_id", committed)], at=at)
    return committed


def _contract_to_archive(customer_id: UUID, contract_id: UUID, *, at: datetime) -> Contract:
    agreed = agreement(customer_id, contract_id)
    contract = agreed.contract
    if contract.archived_at is not None:
        return contract
    if agreed.renewed_by is not None:
        rule = f"must be the id of a contract that is not renewed; {agreed.renewed_by} has taken over what was left"
        raise WasRenewed.of("contract_id", contract_id, rule)
    for committed in shared_commits(customer_id):
        commit = committed.commit
        to_come = any(item.issued_at > at for item in committed.invoice_items)
        if commit.is_invoiced and commit.invoice_contract_id == contract_id and to_come:
            rule = f"must not bill {commit} ({commit.pk}) of the customer: let another contract do so first"
            refusal = StillBills.of("contract_id", contract_id, rule)
            refusal.commit = commit
            raise refusal
    return contract
