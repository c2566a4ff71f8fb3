"""Editing a contract: everything of one edit happens together, and nothing is overwritten."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from billing_site.foundation.actor import Actor
from contracts.inputs import EditInput
from contracts.models import ContractEdit, Customer
from contracts.queries import customer_terms
from contracts.queries.compiled import to_terms
from contracts.queries.customers import no_such_customer
from contracts.services.planning import plan_edit
from contracts.services.recording import add_terms, record_edit, remove_terms
from contracts.terms import CustomerTerms
from contracts.transactions import money_transaction


@money_transaction
def edit_contract(customer: Customer, contract_id: UUID, given: EditInput, *, at: datetime, by: Actor) -> ContractEdit:
    """Change a contract's terms by one atomic, numbered edit.

    Added terms hold from the dates they name; removed ones as if they had never been agreed. A shorter term drops
    access to balances and scheduled charges after its end, and brings true-ups forward to it. Archiving a scheduled
    charge keeps the dates that have fallen due.

    Raises NotFound, Conflict where the uniqueness key was used, EditedMeanwhile, MoreWasTaken, NotSupported, and
    Refusal naming every field that breaks a rule, among them whatever would reach back into final invoices.
    """
    planned = plan_edit(customer, contract_id, given, at=at)
    contract = planned.agreed.contract
    edit = record_edit(
        customer,
        ContractEdit.Kind.EDIT,
        contract=contract,
        changes=planned.changes,
        uniqueness_key=given.uniqueness_key,
        reason=given.reason,
        at=at,
        by=by,
    )
    planned.rows.save(contract, edit)
    for terms in planned.removed:
        remove_terms(edit, terms)
    if planned.terms is not None:
        add_terms(edit, [planned.terms])
    for terms in planned.added:
        add_terms(edit, terms)
    return edit


def terms_after_edit(customer_id: UUID, contract_id: UUID, given: EditInput, *, at: datetime) -> CustomerTerms:
    """What would be agreed with the customer if `edit_contract` were called. Writes nothing.

    Read it in one snapshot with what it is compared to. Raises what `edit_contract` raises.
    """
    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is None:
        raise no_such_customer(customer_id)
    planned = plan_edit(customer, contract_id, given, at=at)
    now = customer_terms(customer_id)
    after = to_terms(planned.after())
    contracts = tuple(after if contract.id == contract_id else contract for contract in now.contracts)
    return replace(now, edit_number=now.edit_number + 1, contracts=contracts)
