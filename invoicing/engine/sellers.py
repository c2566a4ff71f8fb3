"""A contract as a seller: which products it sells, and what a unit costs under it, whoever pays."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.terms import Contract, CustomerTerms
from pricing.engine.catalog import Catalog, ProductVersion, RateCard
from pricing.engine.overrides import COMMIT_RATE, Override, Payer
from pricing.engine.prices import Price, Unpriced, price_at
from pricing.engine.targets import Offer, applies
from pricing.engine.tariffs import VOLUME
from pricing.engine.timelines import all_in_force

COMPOSITE = "COMPOSITE"


@dataclass(frozen=True, slots=True, eq=False)
class Quote:
    """What an offer costs under a contract at an instant: its `price` while no balance pays, or while one does."""

    seller: "Seller"
    offer: Offer
    at: datetime
    overrides: tuple[Override, ...]  # that hold then
    price: Price | Unpriced
    made_of: Callable[[Price], Price] | None = None  # what is charged, where that is not the price as it is found

    @property
    def depends_on_payer(self) -> bool:
        """Whether some balance could make a difference to the price."""
        has_commit_rate = isinstance(self.price, Price) and self.price.rate.commit_tariff is not None
        return has_commit_rate or any(override.is_commit_specific for override in self.overrides)

    def paid_by(self, payer: Payer) -> Price | Unpriced:
        """The price while a balance pays; the same object where that makes no difference."""
        has_commit_rate = isinstance(self.price, Price) and self.price.rate.commit_tariff is not None
        at_commit_rate = has_commit_rate and payer.rate_type == COMMIT_RATE
        if not at_commit_rate and not any(override.is_commit_specific for override in self.overrides):
            return self.price
        return self.seller.price(self.offer, self.at, self.overrides, payer, made_of=self.made_of)


@dataclass(frozen=True, slots=True, eq=False)
class Seller:
    """A contract with a rate card."""

    contract: Contract
    card: RateCard
    product_ids: tuple[UUID, ...]  # usage products that it may sell, in the order of invoice lines
    composite_ids: tuple[UUID, ...] = ()  # composite products likewise

    @property
    def prices_by_volume(self) -> bool:
        """Whether some price depends on what the whole period comes to."""
        own = (override.tariff for override in self.contract.overrides)
        return self.card.prices_by_volume or any(tariff is not None and tariff.type == VOLUME for tariff in own)

    def quotes(
        self, offer: Offer, instants: Sequence[datetime], made_of: Callable[[Price], Price] | None = None
    ) -> Iterator[Quote]:
        """What the offer costs at each of the ascending instants; outside of the contract's term it is not sold.

        What is charged is `made_of` the price: a composite in the unit of what it is a share of, a fee for its time.
        """
        overrides = [override for override in self.contract.overrides if applies(override.targets, offer)]
        for at, holding in zip(instants, all_in_force(overrides, instants), strict=True):
            yield Quote(self, offer, at, holding, self.price(offer, at, holding, made_of=made_of), made_of)

    def prices(self, offer: Offer, instants: Sequence[datetime]) -> Iterator[Price | Unpriced]:
        """Of each quote, the price while no balance pays."""
        return (quote.price for quote in self.quotes(offer, instants))

    def price(
        self,
        offer: Offer,
        at: datetime,
        overrides: Iterable[Override],
        payer: Payer | None = None,
        *,
        made_of: Callable[[Price], Price] | None = None,
    ) -> Price | Unpriced:
        if at not in self.contract.term:
            return Unpriced.NOT_ENTITLED
        scheme = self.contract.prioritization
        price = price_at(self.card, offer, at, overrides=overrides, prioritization=scheme, payer=payer)
        return made_of(price) if made_of is not None and isinstance(price, Price) else price

    def cuts(self, offer: Offer) -> Iterator[datetime | None]:
        """Every instant at which the price of the offer may change; None is never."""
        yield from (self.contract.term.starting_at, self.contract.term.ending_before)
        yield from (each.starting_at for each in self.contract.usage_filters)
        yield from self.card.over_time((offer.product_id, offer.pricing_group_values, "")).instants
        for override in self.contract.overrides:
            if applies(override.targets, offer):
                yield from (override.period.starting_at, override.period.ending_before)


def sellers(terms: CustomerTerms, catalog: Catalog) -> Mapping[UUID, Seller]:
    """By contract: everyone who sells by usage."""
    return {
        contract.id: Seller(
            contract,
            card,
            tuple(_sold(contract, card, catalog, lambda version: version.metric_id is not None)),
            tuple(_sold(contract, card, catalog, lambda version: version.type == COMPOSITE)),
        )
        for contract in terms.contracts
        if contract.rate_card_id is not None
        for card in [catalog.rate_cards[contract.rate_card_id]]
    }


def _sold(
    contract: Contract, card: RateCard, catalog: Catalog, is_meant: Callable[[ProductVersion], bool]
) -> Iterator[UUID]:
    """The products on the card, and those that an override entitles to, some version of which is meant."""
    named = (
        target.product_id
        for override in contract.overrides
        if override.entitled
        for target in override.targets
        if target.product_id is not None
    )
    for product_id in dict.fromkeys((*card.product_order, *named)):
        if any(is_meant(version) for version in catalog.products[product_id]):
            yield product_id
