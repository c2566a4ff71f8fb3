"""A product with 3 models × 4 regions × 3 tiers, and its prices by combination."""

from datetime import UTC, datetime
from decimal import Decimal as D

from pricing import queries
from pricing.services import NewNode

JANUARY, MARCH, MAY, JULY = (datetime(2025, month, 1, tzinfo=UTC) for month in (1, 3, 5, 7))
MODELS = {"small": "0.5", "medium": "1", "xl": "4"}
REGIONS = {"eu": "1.1", "us": "1", "asia": "1.2", "africa": "0.9"}
TIERS = {"basic": "1", "plus": "1.25", "pro": "1.5"}


def node(name, number, **values):
    return NewNode(name, D(number), values)


def factor(name, numbers):
    """A node for each value of the key that the factor is named after."""
    return [node(name, number, **{name: value}) for value, number in numbers.items()]


NODES = [node("base", "100"), *factor("model", MODELS), *factor("region", REGIONS), *factor("tier", TIERS)]


def priced(card, product, at):
    """The price of each combination, by its values."""
    rates = queries.rates_of_product(card, product.pk).over_time()
    found = {values: timeline.at(at) for values, timeline in rates.items()}
    return {values: rate.tariff.price for values, rate in found.items() if rate}


def of(model, region, tier):
    return (("model", model), ("region", region), ("tier", tier))
