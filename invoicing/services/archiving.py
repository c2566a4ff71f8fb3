"""Archiving a contract, and taking back what was billed under it.

    documents of the contract    without voiding             with it
    drafts                       gone                        gone
    final                        stay                        void, the last first, and what they drew is given back
    void, not made anew          stay                        stay

All of it or nothing: where one of the documents cannot be voided, the contract is not archived. No void document waits
to be made anew under an archived contract.
"""

from datetime import datetime
from uuid import UUID

from billing_site.foundation.actor import Actor
from contracts import services
from contracts.models import Contract, Customer
from contracts.transactions import money_transaction
from invoicing.models import Invoice
from invoicing.services.voiding import void_invoice

VOIDED_BECAUSE = "The contract was archived"


@money_transaction
def archive_contract(
    customer: Customer,
    contract_id: UUID,
    *,
    void_invoices: bool,
    reason: str = "",
    based_on_edit: int | None = None,
    at: datetime,
    by: Actor,
) -> Contract:
    """Archive a contract of the customer. One that is archived already stays as it is; its documents can still be
    voided.

    Raises NotFound; EditedMeanwhile; Conflict where a renewal or a commit of the customer stands on it; OthersBuildOnIt
    where a document cannot be voided.
    """
    contract = services.archive_contract(
        customer, contract_id, reason=reason, based_on_edit=based_on_edit, at=at, by=by
    )
    if void_invoices:
        standing = Invoice.objects.filter(customer=customer, contract=contract, void=None)
        for invoice in standing.order_by("-finalized_at", "-money_version", "-pk"):  # later ones build on earlier ones
            void_invoice(customer, invoice.pk, reason=reason or VOIDED_BECAUSE, at=at, by=by)
    return contract
