"""What the job cluster does for the price list."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.jobs import Payload, enqueue, every_minute, in_words, job
from pricing import services
from pricing.queries.names import named_otherwise, names_of_products

NAME_PRODUCT = "name_product"


@job(NAME_PRODUCT)
def name_product(payload: Payload, at: datetime) -> None:
    """Let a product have the name of its definition."""
    services.name_product(UUID(payload["product_id"]), at=at, by=Actor.job("names"))


@in_words(NAME_PRODUCT, "Name a product as its definition does")
def which_product(payloads: Sequence[Payload]) -> list[str]:
    names = names_of_products({UUID(payload["product_id"]) for payload in payloads})
    return [names[UUID(payload["product_id"])] for payload in payloads]


@every_minute
def queue_naming() -> None:
    """Products whose definition has begun to call them otherwise, once for each version."""
    for product_id, version_id in named_otherwise(at=clock.now()):
        enqueue(NAME_PRODUCT, f"{product_id}:{version_id}", {"product_id": str(product_id)})
