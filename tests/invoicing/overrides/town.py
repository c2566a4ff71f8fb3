"""What is sold to Acme in October, what it used, and overrides in few words.

What is used, all on the 10th, and what it costs by the list:

    product                 tags     used   list price   amount
    Calls                   api       100        2         200
    Tokens, xl in eu        ai, gpu    10       40         400
    Tokens, xl in us        ai, gpu    10       40         400
    Tokens, small in eu     ai, gpu   100        1         100

The model chooses the price of tokens, the region only splits their lines. Each row of a table of the tests names
the amounts of these four in this order.
"""

from dataclasses import dataclass
from typing import Any

from contracts.models import Customer
from pricing.models import BillableMetric, Product, RateCard
from tests.invoicing.conftest import OCTOBER

LIST = (200, 400, 400, 100)
SCHEMES = ("LOWEST_MULTIPLIER", "EXPLICIT")
ORDER = (
    "Calls",
    "Tokens (model: xl, region: eu)",
    "Tokens (model: xl, region: us)",
    "Tokens (model: small, region: eu)",
)


@dataclass(frozen=True, slots=True)
class Town:
    """What is sold, and Acme, which uses it."""

    customer: Customer
    card: RateCard
    calls: Product
    tokens: Product
    calls_made: BillableMetric

    def named(self, given: Any) -> Any:
        """The same with the ids of the products instead of their names."""
        ids = {"Calls": str(self.calls.pk), "Tokens": str(self.tokens.pk)}
        if isinstance(given, dict):
            return {key: ids[v] if key == "product_id" else self.named(v) for key, v in given.items()}
        return [self.named(each) for each in given] if isinstance(given, list) else given


def dated(override: dict[str, Any]) -> dict[str, Any]:
    return {"starting_at": OCTOBER, **override}


def october(admin: Any, town: Town) -> tuple[int, ...]:
    drafts = admin.v1.customers.invoices.list(customer_id=str(town.customer.pk), status="DRAFT").data
    lines = [line for draft in drafts for line in draft.line_items]  # none where nothing is part of the deal
    assert {line.name for line in lines} <= {*ORDER}
    return tuple(sum(line.total for line in lines if line.name == name) for name in ORDER)


def times(multiplier: float, priority: float | None = None, **target: Any) -> dict[str, Any]:
    ranked = {} if priority is None else {"priority": priority}
    return {"type": "MULTIPLIER", "multiplier": multiplier, **ranked, **target}


def price(amount: float, product: str = "Calls", **values: str) -> dict[str, Any]:
    return {
        "type": "OVERWRITE",
        "overwrite_rate": {"rate_type": "FLAT", "price": amount},
        "override_specifiers": [{"product_id": product, "pricing_group_values": values}],
    }


def on(*specifiers: dict[str, Any]) -> dict[str, Any]:
    return {"override_specifiers": list(specifiers)}


CALLS = on({"product_id": "Calls"})
