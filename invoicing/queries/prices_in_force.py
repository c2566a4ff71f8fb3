"""What each product costs now under a customer's contracts, beside its list price, and since when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.terms import Contract, CustomerTerms
from invoicing.engine.items import name_with_values
from invoicing.engine.sellers import Seller, sellers
from invoicing.queries.prices_to_come import combinations, reading
from invoicing.queries.spending import unit_name
from pricing.engine.catalog import Catalog, GroupValues
from pricing.engine.prices import Price, Unpriced
from pricing.engine.products import version_in_force
from pricing.engine.targets import Offer


@dataclass(frozen=True, slots=True)
class PriceInForce:
    """`since` is when it began to read as it does."""

    contract: Contract
    product_id: UUID
    name: str
    unit_name: str
    price: Price
    since: datetime


def prices_in_force(terms: CustomerTerms, catalog: Catalog, *, at: datetime) -> list[PriceInForce]:
    """Under the contracts that run at `at`, in the order of contracts and of invoice lines.

    Overrides that single out presentation values are left out: a price by itself has none.
    """
    return [
        found
        for seller in sellers(terms, catalog).values()
        if at in seller.contract.term
        for product_id in (*seller.product_ids, *seller.composite_ids)
        for values in combinations(seller, product_id)
        for found in _found(seller, product_id, values, catalog, at)
    ]


def _found(
    seller: Seller, product_id: UUID, values: GroupValues, catalog: Catalog, at: datetime
) -> Iterator[PriceInForce]:
    version = version_in_force(catalog.products[product_id], at)
    if version is None:
        return
    offer = Offer(version.product_id, version.tags, values, ())
    instants = sorted({cut for cut in seller.cuts(offer) if cut is not None and cut <= at} | {at})
    prices: list[Price | Unpriced] = list(seller.prices(offer, instants))
    now = prices[-1]
    if not isinstance(now, Price):
        return
    since = at
    for instant, price in zip(reversed(instants), reversed(prices), strict=True):
        if not isinstance(price, Price) or _reads(price) != _reads(now):
            break
        since = instant
    yield PriceInForce(
        contract=seller.contract,
        product_id=product_id,
        name=name_with_values(version.name, values),
        unit_name=unit_name(catalog, version.product_id, at),
        price=now,
        since=since,
    )


def _reads(price: Price) -> tuple[object, ...]:
    return (*reading(price), price.rate.tariff, price.rate.unit)
