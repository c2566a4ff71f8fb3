"""What usage of one contract comes to so far, line by line, with what keeps it from being billed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing_site.foundation.money import Unit
from billing_site.foundation.transactions import read_snapshot
from contracts.models import Contract
from invoicing.models import Invoice
from invoicing.queries.compute import computation
from invoicing.queries.documents import shown_drafts
from invoicing.queries.shown import ShownDocument
from invoicing.queries.spending import ProductSpend, products_of
from pricing.models import PricingUnit


@dataclass(frozen=True, slots=True)
class OpenUsage:
    """A draft of usage, with a row for each product."""

    document: ShownDocument
    products: tuple[ProductSpend, ...]
    unit: Unit

    @property
    def has_usage(self) -> bool:
        return bool(self.document.findings) or any(each.quantity or each.amount for each in self.products)


def open_usage(contract_id: UUID, *, at: datetime) -> list[OpenUsage]:
    """The drafts of a contract with usage on them, the earliest first. A fixed number of statements."""
    with read_snapshot():
        contract = Contract.objects.select_related("customer").get(pk=contract_id)
        computed = computation(contract.customer_id, at=at)
        units = {unit.pk: unit.to_unit() for unit in PricingUnit.objects.all()}
        drafts = shown_drafts(computed, contract.customer)
        usage = [each for each in drafts if each.contract_id == contract_id and each.kind == Invoice.Kind.USAGE]
    catalog = computed.inputs.catalog
    found = [OpenUsage(draft, products_of(draft, catalog, units), units[draft.unit_id]) for draft in usage]
    return sorted((each for each in found if each.has_usage), key=lambda each: each.document.issued_at)
