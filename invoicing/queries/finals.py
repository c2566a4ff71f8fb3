"""A customer's documents that left draft, as they were known at some time: which stand, and which were taken back."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from contracts.terms import CustomerTerms
from invoicing.models import Invoice, InvoiceLine

Slot = tuple[UUID, str, str]  # contract, kind, slot: what one document bills, and no other does

MADE_OF = (
    *("number", "contract_id", "kind", "slot", "starting_at", "ending_before"),
    *("snapshot", "edit_number", "publication", "money_version"),
    *("void__money_version", "void__voided_at"),
)


@dataclass(frozen=True, slots=True)
class Finals:
    """All of them, in the order in which they became final, and the customer's money version at which some were
    voided, by document."""

    documents: tuple[Invoice, ...]
    voided: Mapping[UUID, int]

    @property
    def standing(self) -> list[Invoice]:
        return [each for each in self.documents if each.pk not in self.voided]

    @property
    def occupied(self) -> frozenset[Slot]:
        """What has no draft: also what waits for another document in the place of a void one."""
        return frozenset(each.occupied for each in self.documents)

    @property
    def waiting(self) -> frozenset[Slot]:
        """What is to be regenerated. Late usage is not: the next document carries it."""
        void = {each.occupied for each in self.documents if each.pk in self.voided and each.is_regenerated_once_void}
        return frozenset(void - {each.occupied for each in self.standing})

    def of(self, contract_ids: Collection[UUID]) -> "Finals":
        """Those of some contracts."""
        return replace(self, documents=tuple(each for each in self.documents if each.contract_id in contract_ids))


def final_documents(customer_id: UUID, *, as_of: datetime | None = None, before: int | None = None) -> Finals:
    """Those that are final and void now, or were by `as_of`, or before the customer's money version `before`: what they
    were made of. One query."""
    invoices = Invoice.objects.filter(customer_id=customer_id)
    if as_of is not None:
        invoices = invoices.filter(finalized_at__lte=as_of)
    if before is not None:
        invoices = invoices.filter(Q(money_version=None) | Q(money_version__lt=before))
    found = invoices.select_related("void").only(*MADE_OF).order_by("finalized_at", "money_version", "pk")
    voids = {each.pk: each.void for each in found if hasattr(each, "void")}
    known = {
        invoice_id: void.money_version
        for invoice_id, void in voids.items()
        if (as_of is None or void.voided_at <= as_of) and (before is None or void.money_version < before)
    }
    return Finals(tuple(found), known)


def charged_on_usage(finals: Finals, terms: CustomerTerms) -> dict[UUID, Slot]:
    """Which scheduled items were billed on usage documents, void ones too, and on which. One query at the most."""
    consolidated = {contract.id for contract in terms.contracts if contract.charges_on_usage}
    usage = {
        each.pk: each.occupied
        for each in finals.documents
        if each.kind == Invoice.Kind.USAGE and each.contract_id in consolidated
    }
    if not usage:
        return {}
    lines = InvoiceLine.objects.filter(
        customer_id=terms.customer_id, invoice_id__in=list(usage), details__has_key="scheduled_item_id"
    )
    found = lines.values_list("invoice_id", "details__scheduled_item_id")
    return {UUID(item_id): usage[invoice_id] for invoice_id, item_id in found}
