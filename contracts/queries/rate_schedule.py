"""What a contract's customer pays: each list price beside the override that holds instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from billing_site.foundation.money import Unit
from contracts import terms
from pricing.engine.overridden import overridden
from pricing.engine.overrides import Override, choose_override
from pricing.engine.targets import Offer
from pricing.engine.tariffs import Tariff
from pricing.models import RateCard
from pricing.queries import PriceSegment, rates_in_force


@dataclass(frozen=True, slots=True)
class ContractPrice:
    """A list price with the range in which it holds, and the override that changes it at the instant asked for."""

    rate_card_id: UUID
    segment: PriceSegment
    override: Override | None

    @property
    def tariff(self) -> Tariff | None:
        """What the contract's customer pays instead of the list price, where no balance does; None where no one
        tariff says it, or where the list price holds."""
        return overridden(self.segment.rate.tariff, self.override) if self.override is not None else None

    @property
    def unit(self) -> Unit:
        return (self.override and self.override.unit) or self.segment.rate.unit


def contract_prices(
    contract: terms.Contract, card: RateCard, keys: Sequence[Any], *, at: datetime, at_publication: int | None = None
) -> list[ContractPrice]:
    """The prices of `keys` (of `pricing.queries.keys_priced_at`) that the contract entitles to, at an instant, as known
    at a publication (default: the latest).

    Left out are overrides that single out presentation values, as a price by itself has none, and those that hold
    only while a balance pays: nobody's does here.
    """
    prices = []
    for segment in rates_in_force(card, keys, at=at, at_publication=at_publication):
        rate = segment.rate
        offer = Offer(rate.product_id, tuple(segment.version.tags), rate.values, (), rate.billing_frequency)
        choice = choose_override(contract.overrides, offer, at, contract.prioritization)
        if rate.entitled if choice.entitled is None else choice.entitled:
            prices.append(ContractPrice(card.pk, segment, choice.winner))
    return prices
