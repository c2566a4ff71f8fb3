"""The products of a rate card that are priced by dimensions, each with the address of its grid."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from billing_site.foundation.display import count_text
from pricing.models import RateCard
from pricing.queries import Key, products_by_id


@dataclass(frozen=True, slots=True)
class GridLink:
    name: str
    count: str
    url: str


def grid_links(card: RateCard, keys: Iterable[Key]) -> list[GridLink]:
    """In the order of `keys`, the prices that the card shows. At most two queries."""
    counts = Counter(key.product_id for key in keys if key.values)
    products = products_by_id(counts)
    return [
        GridLink(
            name=products[product_id].name,
            count=count_text(count, "combination", "combinations"),
            url=reverse("price_grid", args=[card.pk, product_id]),
        )
        for product_id, count in counts.items()
    ]
