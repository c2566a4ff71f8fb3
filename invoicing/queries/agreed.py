"""What a customer and we agreed, and what that makes of prices."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing_site.foundation.transactions import read_snapshot
from contracts.models import Customer
from contracts.queries import AgreedCommit, Agreement, agreements, customer_terms, no_such_customer, shared_commits
from invoicing.queries.prices_in_force import PriceInForce, prices_in_force
from invoicing.queries.prices_to_come import PriceToCome, prices_to_come
from pricing.queries import catalog


@dataclass(frozen=True, slots=True)
class Agreed:
    """Contracts that are not archived, in order of start; `shared` are the customer's own commits and credits."""

    customer_name: str
    contracts: tuple[Agreement, ...]
    shared: tuple[AgreedCommit, ...]
    prices: tuple[PriceInForce, ...]
    to_come: tuple[PriceToCome, ...]


def agreed(customer_id: UUID, *, at: datetime) -> Agreed:
    """A fixed number of statements. Raises NotFound."""
    with read_snapshot():
        customer = Customer.objects.filter(pk=customer_id).first()
        if customer is None:
            raise no_such_customer(customer_id)
        terms = customer_terms(customer_id)
        cards = [each.rate_card_id for each in terms.contracts if each.rate_card_id is not None]
        prices = catalog(rate_card_ids=cards)
        contracts = [each for each in agreements(customer_id) if not each.is_archived]
        shared = shared_commits(customer_id)
    return Agreed(
        customer_name=customer.name,
        contracts=tuple(contracts),
        shared=tuple(shared),
        prices=tuple(prices_in_force(terms, prices, at=at)),
        to_come=tuple(prices_to_come(terms, prices, at=at)),
    )
