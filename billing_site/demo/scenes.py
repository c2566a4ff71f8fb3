"""What happens in the story, through the official SDK and nothing else."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from metronome import Metronome

from billing_site.demo import story
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


def send_usage(client: Metronome, period: Period, tell: Callable[[int], None] = lambda sent: None) -> int:
    """Post the usage of `period` as Acme's services would. Gives the number of events sent."""
    sent = 0
    for batch in _batches(story.events(period)):
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
    filters: list[dict[str, Any]] = [{"name": good.property, "exists": True}]
    if good.model:
        filters.append({"name": "model", "in_values": [good.model]})
    metric = client.v1.billable_metrics.create(
        name=good.name,
        aggregation_type="SUM",
        aggregation_key=good.property,
        event_type_filter={"in_values": [good.event_type]},
        property_filters=filters,  # type: ignore[arg-type]
    ).data.id
    conversion: dict[str, Any] = {}
    if good.priced_per != 1:
        conversion = {
            "quantity_conversion": {
                "conversion_factor": good.priced_per,
                "operation": "DIVIDE",
                "name": "million tokens",
            }
        }
    return client.v1.contracts.products.create(
        name=good.name, type="USAGE", billable_metric_id=metric, **conversion
    ).data.id


def _batches(events: Iterator[dict[str, object]]) -> Iterator[list[Any]]:
    while batch := list(islice(events, BATCH)):
        yield batch
