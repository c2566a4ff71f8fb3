"""Reads of the price list."""

from pricing.queries.aliases import AliasSegment, alias_segments, rate_card_of_alias
from pricing.queries.catalog import catalog, latest_publication
from pricing.queries.rows import (
    default_unit,
    metric,
    metrics,
    pricing_unit,
    product,
    products,
    products_by_id,
    rate_card,
    rate_cards,
    unit,
    units,
    version_in_force,
)
from pricing.queries.schedule import KEY, PriceSegment, Selector, keys_priced_at, rate_schedule, rates_in_force

__all__ = [
    "KEY",
    "AliasSegment",
    "PriceSegment",
    "Selector",
    "alias_segments",
    "catalog",
    "default_unit",
    "keys_priced_at",
    "latest_publication",
    "metric",
    "metrics",
    "pricing_unit",
    "product",
    "products",
    "products_by_id",
    "rate_card",
    "rate_card_of_alias",
    "rate_cards",
    "rate_schedule",
    "rates_in_force",
    "unit",
    "units",
    "version_in_force",
]
