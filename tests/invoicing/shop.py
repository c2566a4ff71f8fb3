"""A shop run through the API alone: what is sold, for how much, to whom, what was used, and the draft that prints it.

October 2025, looked at on the 31st at 23:00. The official client makes metrics, products, a rate card, rates and a
contract; usage is sent as events. Prices, usage and lines may be written as in a price list:

    price    FLAT 2                            2 for each unit
             TIERED 10 for 100 (50), 8 (30)    10 for each of 100 units with a fee of 50, then 8 with a fee of 30
             VOLUME 10 for 100, 8              likewise
             PACKAGE 12 per 10                 12 for each 10 units begun
             PERCENTAGE 0.1                    a tenth of a spend
             A then B                          A up to 15 October, B from then on
    used     60 on 5, 60 on 20                 that many units on these days; "100" is on the 10th
    line     100 at 10 = 1050                  quantity, unit price, total; lines are separated by semicolons
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from metronome import Metronome

from contracts.models import Customer
from pricing.models import BillableMetric
from tests.factories.contracts import CustomerFactory
from tests.invoicing.conftest import OCTOBER, at, use

MIDDLE = "2025-10-15"
TIER = re.compile(r"(?P<price>\S+?)(?: for (?P<size>\S+))?(?: \((?P<fee>\S+)\))?")


class Shop:
    """One rate card, one customer, one contract."""

    def __init__(self, client: Metronome, currency: str = "USD", **card: Any) -> None:
        self.v1, self.v2 = client.v1, client.v2
        self.customer: Customer = CustomerFactory(aliases=["acme"])
        units = {unit.name.partition(" ")[0]: unit.id for unit in self.v1.pricing_units.list()}
        self.card: str = self.v1.contracts.rate_cards.create(
            name="List", fiat_credit_type_id=units[currency], **card
        ).data.id
        self.metrics: dict[str, BillableMetric] = {}
        self.products: dict[str, str] = {}

    def metric(self, name: str, aggregation: str = "SUM", keys: Sequence[str] = ()) -> str:
        """A measure of events of the type `name`: of their property "value", unless it counts them."""
        key = {} if aggregation == "COUNT" else {"aggregation_key": "value"}
        made = self.v1.billable_metrics.create(
            name=name,
            aggregation_type=aggregation,
            event_type_filter={"in_values": [name]},
            group_keys=[list(keys)] if keys else [],
            **key,
        ).data.id
        self.metrics[name] = BillableMetric.objects.get(pk=made)
        return made

    def product(self, name: str = "Units", *, aggregation: str = "SUM", **definition: Any) -> str:
        """A USAGE product with a metric of its own name, unless `definition` says otherwise."""
        if "type" not in definition:
            keys = [*definition.get("pricing_group_key", []), *definition.get("presentation_group_key", [])]
            metric = definition.get("billable_metric_id") or self.metric(name, aggregation, keys)
            definition = {"type": "USAGE"} | definition | {"billable_metric_id": metric}
        self.products[name] = self.v1.contracts.products.create(name=name, **definition).data.id
        return self.products[name]

    def changes(self, product: str, since: str = MIDDLE, /, **changes: Any) -> None:
        """The product is something else from then on."""
        self.v1.contracts.products.update(product_id=self.products[product], starting_at=at(since), **changes)

    def prices(self, *rates: dict[str, Any]) -> None:
        """Add rates, all in one request."""
        self.v1.contracts.rate_cards.rates.add_many(rate_card_id=self.card, rates=rates)

    def price(self, name: str, price: str, *, since: str = "2025-10-01", **terms: Any) -> list[dict[str, Any]]:
        """The rates that a written price is made of."""
        starts = [since, MIDDLE][: price.count(" then ") + 1]
        return [
            {"product_id": self.products[name], "starting_at": at(start), "entitled": True, **tariff(each), **terms}
            for start, each in zip(starts, price.split(" then "), strict=True)
        ]

    def uses(self, name: str, used: str, **values: str) -> None:
        for quantity, day in readings(used):
            use(self.metrics[name], f"2025-10-{day:0>2}T05", quantity, values)

    def contract(self, **terms: Any) -> str:
        given = {"customer_id": str(self.customer.pk), "rate_card_id": self.card, "starting_at": OCTOBER} | terms
        return self.v1.contracts.create(**given).data.id

    def invoice(self, status: str = "DRAFT") -> Any:
        """October's document, as the client reads it."""
        (found,) = self.v1.customers.invoices.list(customer_id=str(self.customer.pk), status=status).data
        return found

    def lines(self) -> dict[str, str]:
        """The draft's lines by name, as they are written."""
        found: dict[str, list[str]] = {}
        for line in self.invoice().line_items:
            text = f"{shown(line.quantity)} at {shown(line.unit_price)} = {shown(line.total)}"
            found.setdefault(line.name, []).append(text)
        return {name: "; ".join(texts) for name, texts in found.items()}


def tariff(price: str, *, wire: Decimal | int = 1) -> dict[str, Any]:
    """The fields of a rate for one written price, of which one is so many on the wire."""
    rate_type, _, rest = price.partition(" ")
    if rate_type in ("TIERED", "VOLUME", "TIERED_PERCENTAGE"):
        return {"rate_type": rate_type, "tiers": [_tier(tier, wire) for tier in rest.split(", ")]}
    amount, _, size = rest.partition(" per ")
    return {"rate_type": rate_type, "price": _number(amount, wire), **({"package_size": _number(size)} if size else {})}


def readings(used: str) -> Iterator[tuple[str, str]]:
    """Each quantity with its day."""
    for reading in used.split(", ") if used else []:
        quantity, _, day = reading.partition(" on ")
        yield quantity, day or "10"


def table(text: str) -> list[list[str]]:
    """The cells of each row of a written table, without its first row."""
    return [[cell.strip() for cell in row.split("|")] for row in text.strip().splitlines()[1:]]


def shown(number: Any) -> str:
    """A number of the API without anything behind its last digit."""
    return f"{Decimal(str(number)).normalize():f}"


def _tier(text: str, wire: Decimal | int) -> Mapping[str, Any]:
    found = TIER.fullmatch(text)
    assert found is not None, text
    sent = {"price": (found["price"], wire), "size": (found["size"], 1), "flat_fee": (found["fee"], wire)}
    return {name: _number(text, scale) for name, (text, scale) in sent.items() if text is not None}


def _number(text: str, scale: Decimal | int = 1) -> float:
    return float(Decimal(text) * scale)
