"""The combinations of pricing group values of one product on a card, and what each costs at an instant."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from pricing.engine.timelines import Dated, in_force
from pricing.models import Product, Rate, RateCard
from pricing.queries.catalog import rates_known

Combination = tuple[str, ...]  # a value for each of the keys, in their order


@dataclass(frozen=True, slots=True)
class Combinations:
    """`rates` are those known at a publication, by combination, whenever they hold."""

    keys: tuple[str, ...]
    rates: dict[Combination, list[Rate]]

    def held(self, at: datetime) -> dict[Combination, Rate]:
        """The rate in force of each combination that has one."""
        found = {
            combination: in_force(
                Dated(rate, rate.starting_at, rate.ending_before, rate.publication_id) for rate in rates
            ).at(at)
            for combination, rates in self.rates.items()
        }
        return {combination: rate for combination, rate in found.items() if rate is not None}


def combinations(card: RateCard, product: Product, keys: tuple[str, ...], *, known: int) -> Combinations:
    """Those whose values are of exactly these keys. One query."""
    rates = rates_known(known).filter(rate_card=card, product=product, billing_frequency="").select_related("unit")
    found: dict[Combination, list[Rate]] = defaultdict(list)
    for rate in rates:
        if set(rate.pricing_group_values) == set(keys):
            found[tuple(rate.pricing_group_values[key] for key in keys)].append(rate)
    return Combinations(keys, dict(found))
