"""What happens in the story, through the official SDK and nothing else."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from metronome import Metronome, Omit

from billing_site.demo import story, town
from billing_site.foundation.periods import Period

BATCH = 500


@dataclass(frozen=True, slots=True)
class Cast:
    """The ids of the story, kept beside the demo's database so that a second run finds them."""

    customer_id: str
    contract_id: str
    commitment_product_id: str
    product_ids: list[str]
    admin_token: str
    customer_token: str

    def save(self, file: Path) -> None:
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(self), indent=2))

    @classmethod
    def load(cls, file: Path) -> "Cast":
        return cls(**json.loads(file.read_text()))


def set_the_stage(client: Metronome) -> dict[str, Any]:
    """Metrics, products, a rate card, Acme and its contract. Gives the ids for `Cast`."""
    products = [_sold_by_usage(client, good) for good in story.GOODS]
    commitment = client.v1.contracts.products.create(name="Commitment", type="FIXED").data.id
    card = client.v1.contracts.rate_cards.create(name="List prices 2025").data.id
    client.v1.contracts.rate_cards.rates.add_many(
        rate_card_id=card,
        rates=[
            {
                "product_id": product,
                "starting_at": "2025-01-01T00:00:00Z",
                "entitled": True,
                "rate_type": "FLAT",
                "price": float(good.price),  # the SDK takes floats; 0.2 is written as 0.2
            }
            for good, product in zip(story.GOODS, products, strict=True)
        ],
    )
    customer = client.v1.customers.create(name=story.CUSTOMER, ingest_aliases=[story.ALIAS]).data.id
    contract = client.v1.contracts.create(
        customer_id=customer,
        name="Acme 2025",
        rate_card_id=card,
        starting_at=story.TERM.starting_at,
        ending_before=story.YEAR_END,
    ).data.id
    return {
        "customer_id": customer,
        "contract_id": contract,
        "commitment_product_id": commitment,
        "product_ids": products,
    }


def move_in_the_town(client: Metronome) -> None:
    """The other customers with their products, rate cards and contracts. The stage must be set."""
    ids = {product.current.name: product.id for product in client.v1.contracts.products.list()}
    for good in (*town.MORE_GOODS, town.INFERENCE):
        ids[good.name] = _sold_by_usage(client, good)
    for name in ("Support plan", "Onboarding"):
        ids[name] = client.v1.contracts.products.create(name=name, type="FIXED").data.id
    [euros] = [unit.id for unit in client.v1.pricing_units.list() if unit.id and unit.name == "EUR"]
    cards = {card.name: card.id for card in client.v1.contracts.rate_cards.list(body={})}
    for name, prices in town.CARDS.items():
        if name not in cards:
            unit = euros if name == "Europe 2025" else Omit()
            cards[name] = client.v1.contracts.rate_cards.create(name=name, fiat_credit_type_id=unit).data.id
        client.v1.contracts.rate_cards.rates.add_many(
            rate_card_id=cards[name], rates=[_rate(price, ids[price.good]) for price in prices]
        )
    for company in town.COMPANIES:
        customer = client.v1.customers.create(name=company.name, ingest_aliases=[company.alias]).data.id
        if company.card:
            terms = _with_ids(company.terms, ids)
            if company.term.ending_before is not None:
                terms["ending_before"] = company.term.ending_before
            client.v1.contracts.create(
                customer_id=customer,
                name=f"{company.name.split()[0]} {company.term.starting_at:%Y}",
                rate_card_id=cards[company.card],
                starting_at=company.term.starting_at,
                **terms,
            )


def send_usage(client: Metronome, period: Period, tell: Callable[[int], None] = lambda sent: None) -> int:
    """Post the usage of `period` as Acme's services would. Gives the number of events sent."""
    return _send(client, story.events(period), tell)


def send_usage_of_the_town(client: Metronome, period: Period) -> int:
    """Post what everybody else uses in `period`, nobody's subjects too. Gives the number of events sent."""
    return _send(client, town.events(period), lambda sent: None)


def _send(client: Metronome, events: Iterable[dict[str, object]], tell: Callable[[int], None]) -> int:
    sent = 0
    for batch in _batches(iter(events)):
        client.v1.usage.ingest(usage=batch)
        sent += len(batch)
        tell(sent)
    return sent


def make_the_deal(client: Metronome, cast: Cast) -> str:
    """One atomic edit: $100,000 by the end of the year, and half off everything from 15 October."""
    edit = client.v2.contracts.edit(
        customer_id=cast.customer_id,
        contract_id=cast.contract_id,
        uniqueness_key="the-deal",
        add_commits=[
            {
                "type": "POSTPAID",
                "product_id": cast.commitment_product_id,
                "name": "$100,000 by the end of 2025",
                "priority": 100,
                "access_schedule": {
                    "schedule_items": [
                        {
                            "amount": story.COMMITMENT,
                            "starting_at": story.TERM.starting_at,
                            "ending_before": story.YEAR_END,
                        }
                    ]
                },
                "invoice_schedule": {"schedule_items": [{"amount": story.COMMITMENT, "timestamp": story.YEAR_END}]},
            }
        ],
        add_overrides=[
            {
                "type": "MULTIPLIER",
                "multiplier": 0.5,
                "starting_at": story.DISCOUNT_FROM,
                "override_specifiers": [{"product_id": product} for product in cast.product_ids],
            }
        ],
    )
    return edit.data.id


def _sold_by_usage(client: Metronome, good: story.Good) -> str:
    filters: list[dict[str, Any]] = [{"name": good.property, "exists": True}] if good.property else []
    if good.model:
        filters.append({"name": "model", "in_values": [good.model]})
    metered: dict[str, Any] = {"aggregation_type": "COUNT"}
    if good.property:
        metered = {"aggregation_type": "SUM", "aggregation_key": good.property}
    if filters:
        metered["property_filters"] = filters
    if good.dimensions:
        metered["group_keys"] = [list(good.dimensions)]
    metric = client.v1.billable_metrics.create(
        name=good.name, event_type_filter={"in_values": [good.event_type]}, **metered
    ).data.id
    sold: dict[str, Any] = {"tags": list(good.tags), "pricing_group_key": list(good.dimensions)}
    if good.priced_per != 1:
        sold["quantity_conversion"] = {
            "conversion_factor": good.priced_per,
            "operation": "DIVIDE",
            "name": "million tokens",
        }
    return client.v1.contracts.products.create(name=good.name, type="USAGE", billable_metric_id=metric, **sold).data.id


def _rate(price: town.Price, product_id: str) -> Any:
    return {
        "product_id": product_id,
        "starting_at": price.starting_at,
        "entitled": True,
        "rate_type": "FLAT",
        "price": float(price.price),
        **({"pricing_group_values": dict(price.values)} if price.values else {}),
    }


def _with_ids(terms: Any, ids: Mapping[str, str]) -> Any:
    """The same terms, with the id of each product where its name stands."""
    if isinstance(terms, Mapping):
        return {key: ids[value] if key == "product_id" else _with_ids(value, ids) for key, value in terms.items()}
    return [_with_ids(item, ids) for item in terms] if isinstance(terms, list) else terms


def _batches(events: Iterator[dict[str, object]]) -> Iterator[list[Any]]:
    while batch := list(islice(events, BATCH)):
        yield batch
