"""The products of a rate card that are priced by dimensions, each with the addresses of its grid and its formula."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from billing_site.foundation.display import count_text
from pricing.models import RateCard
from pricing.queries import Key, products_by_id, products_with_formula


@dataclass(frozen=True, slots=True)
class GridLink:
    name: str
    count: str
    url: str
    formula: str  # what the link to its formula says
    formula_url: str


def grid_links(card: RateCard, keys: Iterable[Key]) -> list[GridLink]:
    """In the order of `keys`, the prices that the card shows. At most three queries."""
    counts = Counter(key.product_id for key in keys if key.values)
    products = products_by_id(counts)
    stated = products_with_formula(card)
    return [
        GridLink(
            name=products[product_id].name,
            count=count_text(count, "combination", "combinations"),
            url=reverse("price_grid", args=[card.pk, product_id]),
            formula="made by a formula" if product_id in stated else "state a formula",
            formula_url=reverse("admin:pricing_ratecard_formula", args=[card.pk, product_id]),
        )
        for product_id, count in counts.items()
    ]
