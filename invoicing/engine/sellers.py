"""A contract as a seller: which products it sells, and what one unit costs under it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.terms import Contract, CustomerTerms
from pricing.engine.catalog import Catalog, RateCard
from pricing.engine.prices import Price, Unpriced, price_at
from pricing.engine.targets import Offer, applies
from pricing.engine.timelines import all_in_force


@dataclass(frozen=True, slots=True, eq=False)
class Seller:
    """A contract with a rate card."""

    contract: Contract
    card: RateCard
    product_ids: tuple[UUID, ...]  # usage products that it may sell, in the order of invoice lines

    def prices(self, offer: Offer, instants: Sequence[datetime]) -> Iterator[Price | Unpriced]:
        """The price of the offer at each of the ascending instants; outside of the contract's term it is not sold."""
        scheme = self.contract.prioritization
        overrides = [override for override in self.contract.overrides if applies(override.targets, offer)]
        for at, holding in zip(instants, all_in_force(overrides, instants), strict=True):
            if at in self.contract.term:
                yield price_at(self.card, offer, at, overrides=holding, prioritization=scheme)
            else:
                yield Unpriced.NOT_ENTITLED

    def cuts(self, offer: Offer) -> Iterator[datetime | None]:
        """Every instant at which the price of the offer may change; None is never."""
        yield from (self.contract.term.starting_at, self.contract.term.ending_before)
        yield from self.card.over_time((offer.product_id, offer.pricing_group_values, "")).instants
        for override in self.contract.overrides:
            if applies(override.targets, offer):
                yield from (override.period.starting_at, override.period.ending_before)


def sellers(terms: CustomerTerms, catalog: Catalog) -> Mapping[UUID, Seller]:
    """By contract: everyone who sells by usage."""
    return {
        contract.id: Seller(contract, card, tuple(_usage_products(contract, card, catalog)))
        for contract in terms.contracts
        if contract.rate_card_id is not None
        for card in [catalog.rate_cards[contract.rate_card_id]]
    }


def _usage_products(contract: Contract, card: RateCard, catalog: Catalog) -> Iterator[UUID]:
    """The usage products on the card, and those that an override entitles to."""
    named = (
        target.product_id
        for override in contract.overrides
        if override.entitled
        for target in override.targets
        if target.product_id is not None
    )
    for product_id in dict.fromkeys((*card.product_order, *named)):
        if any(version.metric_id is not None for version in catalog.products[product_id]):
            yield product_id
