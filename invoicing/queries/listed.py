"""A page of a customer's documents, with what each comes to by product."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing_site.foundation.money import Unit
from billing_site.foundation.transactions import read_snapshot
from contracts.models import Customer
from contracts.transactions import no_such_customer
from invoicing.queries.documents import Filters, Place, documents_page
from invoicing.queries.shown import ShownDocument
from invoicing.queries.spending import ProductSpend, products_of
from pricing.models import PricingUnit
from pricing.queries import catalog


@dataclass(frozen=True, slots=True)
class ListedDocument:
    document: ShownDocument
    products: tuple[ProductSpend, ...]
    unit: Unit


@dataclass(frozen=True, slots=True)
class ListedPage:
    """Newest first; `after` is where the next page begins, where there is one."""

    customer_name: str
    documents: tuple[ListedDocument, ...]
    after: Place | None


def listed_page(
    customer_id: UUID, wanted: Filters, *, at: datetime, limit: int, after: Place | None = None
) -> ListedPage:
    """A fixed number of statements. Raises NotFound."""
    with read_snapshot():
        customer = Customer.objects.filter(pk=customer_id).first()
        if customer is None:
            raise no_such_customer(customer_id)
        found, last = documents_page(customer_id, wanted, at=at, limit=limit, after=after, newest_first=True)
        units = {unit.pk: unit.to_unit() for unit in PricingUnit.objects.all()}
        prices = catalog(rate_card_ids=[])
    documents = tuple(ListedDocument(each, products_of(each, prices, units), units[each.unit_id]) for each in found)
    return ListedPage(customer.name, documents, last)
