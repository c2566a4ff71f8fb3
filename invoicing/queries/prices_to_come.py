"""Prices that are known to change: scheduled on the rate card or in the contract, as the customer will pay them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from contracts.terms import Contract, CustomerTerms
from invoicing.engine.items import name_with_values
from invoicing.engine.sellers import Seller, sellers
from invoicing.queries.spending import unit_name
from pricing.engine.catalog import Catalog, GroupValues
from pricing.engine.prices import Price
from pricing.engine.products import version_in_force
from pricing.engine.targets import Offer


@dataclass(frozen=True, slots=True)
class PriceToCome:
    """`before` is None where the product is not sold until then."""

    contract: Contract
    name: str
    unit_name: str
    at: datetime
    before: Price | None
    after: Price


def prices_to_come(terms: CustomerTerms, catalog: Catalog, *, at: datetime) -> list[PriceToCome]:
    """Every change of a price after `at` under the contracts that run at `at`, in order of time.

    Overrides that single out presentation values are left out: a price by itself has none.
    """
    found = [
        change
        for seller in sellers(terms, catalog).values()
        if at in seller.contract.term
        for product_id in seller.product_ids
        for values in combinations(seller, product_id)
        for change in _changes(seller, product_id, values, catalog, at)
    ]
    return sorted(found, key=lambda change: change.at)


def combinations(seller: Seller, product_id: UUID) -> Iterator[GroupValues]:
    """The pricing group values for which a product has rates."""
    for rated, values, frequency in seller.card.rates_by_key:
        if rated == product_id and not frequency:
            yield values


def _changes(
    seller: Seller, product_id: UUID, values: GroupValues, catalog: Catalog, at: datetime
) -> Iterator[PriceToCome]:
    versions = catalog.products[product_id]
    version = version_in_force(versions, at)
    if version is None:
        return
    offer = Offer(version.product_id, version.tags, values, ())
    cuts = sorted({cut for cut in seller.cuts(offer) if cut is not None and cut > at})
    if not cuts:
        return
    instants = [at, *cuts]
    priced = zip(instants, seller.prices(offer, instants), strict=True)
    for (_, before), (instant, after) in pairwise(priced):
        if not isinstance(after, Price):
            continue
        if isinstance(before, Price) and reading(before) == reading(after):
            continue
        yield PriceToCome(
            contract=seller.contract,
            name=name_with_values(version.name, values),
            unit_name=unit_name(catalog, version.product_id, instant),
            at=instant,
            before=before if isinstance(before, Price) else None,
            after=after,
        )


def reading(price: Price) -> tuple[object, ...]:
    """What a customer sees of a price, wherever it comes from."""
    shown = price.as_tariff
    return (shown, price.unit) if shown is not None else (price.tariff, price.multiples, price.unit)
