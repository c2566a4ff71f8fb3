"""All balances of a customer with how they have burnt down."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing_site.foundation.transactions import read_snapshot
from contracts.models import Customer
from invoicing.models import Invoice
from invoicing.queries.balances import Balance, computed_balances
from invoicing.queries.burn_down import BurnDown, burn_downs


@dataclass(frozen=True, slots=True)
class BurntBalances:
    """`numbers` are those of the documents that have drawn, `contract_names` of the customer's contracts."""

    customer_name: str
    held: tuple[Balance, ...]
    burnt: Mapping[UUID, BurnDown]
    numbers: Mapping[UUID, str]
    contract_names: Mapping[UUID, str]


def burnt_balances(customer_id: UUID, *, at: datetime, unit_id: UUID | None = None) -> BurntBalances:
    """Those that are not archived, in one unit where one is given. A fixed number of statements. Raises NotFound."""
    with read_snapshot():
        found, computed = computed_balances(customer_id, at=at)
        customer = Customer.objects.get(pk=customer_id)
        held = [each for each in found if not each.is_archived and unit_id in (None, each.unit_id)]
        burnt = burn_downs(customer, held, computed, at=at)
        moved = {move.invoice_id for each in held for move in each.statement.movements if move.invoice_id is not None}
        numbers = dict(Invoice.objects.filter(customer=customer, pk__in=moved).values_list("pk", "number"))
    names = {each.id: each.name for each in computed.inputs.terms.contracts}
    return BurntBalances(customer.name, tuple(held), burnt, numbers, names)
