"""What a contract's customer pays: each list price beside the override that holds instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts import terms
from pricing.engine.prices import Price, price_at
from pricing.engine.targets import Offer
from pricing.models import RateCard
from pricing.queries import PriceSegment, rates_in_force
from pricing.queries.catalog import compiled_card


@dataclass(frozen=True, slots=True)
class ContractPrice:
    """A list price with the range in which it holds, and what the contract makes of it at the instant asked for."""

    rate_card_id: UUID
    segment: PriceSegment
    price: Price


def contract_prices(
    contract: terms.Contract, card: RateCard, keys: Sequence[Any], *, at: datetime
) -> list[ContractPrice]:
    """The prices of `keys` (of `pricing.queries.keys_priced_at`) that the contract entitles to, at an instant.

    Overrides that single out presentation values are left out: a price by itself has none.
    """
    segments = rates_in_force(card, keys, at=at)
    page = compiled_card(card, [segment.rate for segment in segments])
    priced = [
        (
            segment,
            price_at(
                page,
                Offer(segment.rate.product_id, tuple(segment.version.tags), segment.rate.values, ()),
                at,
                overrides=contract.overrides,
                prioritization=contract.prioritization,
            ),
        )
        for segment in segments
    ]
    return [ContractPrice(card.pk, segment, price) for segment, price in priced if isinstance(price, Price)]
