"""Archiving a contract: nothing more is billed under it, and its commits and credits end with it.

drafts, and charges and payments to come     gone
commits and credits                          archived; what is left of a balance expires
final documents                              stay, unless they are voided with it (`invoicing/services/archiving.py`)
what was known before                        still says all of it
"""

from datetime import datetime
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.problems import save
from billing_site.foundation.refusals import Conflict
from contracts.models import Contract, ContractEdit, Customer
from contracts.queries import agreement, shared_commits
from contracts.services.recording import record_edit
from contracts.transactions import money_transaction


@money_transaction
def archive_contract(customer: Customer, contract_id: UUID, *, reason: str = "", at: datetime, by: Actor) -> Contract:
    """Archive a contract of the customer by one edit. Archiving twice changes nothing.

    Raises NotFound; Conflict where a renewal or a commit of the customer stands on it.
    """
    agreed = agreement(customer.pk, contract_id)
    contract = agreed.contract
    if contract.archived_at is not None:
        return contract
    if agreed.renewed_by is not None:
        rule = f"must be the id of a contract that is not renewed; {agreed.renewed_by} has taken over what was left"
        raise Conflict.of("contract_id", contract_id, rule)
    for committed in shared_commits(customer.pk):
        commit = committed.commit
        to_come = any(item.issued_at > at for item in committed.invoice_items)
        if commit.is_invoiced and commit.invoice_contract_id == contract_id and to_come:
            rule = f"must not bill {commit} ({commit.pk}) of the customer: let another contract do so first"
            raise Conflict.of("contract_id", contract_id, rule)
    contract.archived_at = at
    save(contract, reason=reason)
    record_edit(customer, ContractEdit.Kind.ARCHIVE, contract=contract, reason=reason, at=at, by=by)
    return contract
