"""`python -m benchmarks.pricing`: what pricing costs, without a database. Takes a quarter of a minute.

Two questions. How long do the engines take over 1,000 slices of 10 products with 5 overrides each: prices alone, and a
customer's whole walk. And does finding a rate cost more on a card of 10,000 than on a card of 10. `--profile` says
where the walk's time goes.
"""

import argparse
import cProfile
import json
import pstats
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from billing_site.foundation.ids import derived_id
from billing_site.foundation.money import Unit
from billing_site.foundation.periods import HOUR, Period
from contracts.terms import AccessSegment, Commit, Contract, CustomerTerms
from invoicing.engine.documents import Result
from invoicing.engine.inputs import Inputs, Posted
from invoicing.engine.walk import answered, compute, plan
from ledger.used import Used, series_of
from pricing.engine.catalog import Catalog, Metric, ProductVersion, Rate, RateCard
from pricing.engine.charges import charge
from pricing.engine.overrides import Override
from pricing.engine.prices import Price, price_at
from pricing.engine.rates import rate_in_force
from pricing.engine.targets import Offer, Target
from pricing.engine.tariffs import Tariff, Tier, flat

SLICES, PRODUCTS, OVERRIDES = 1_000, 10, 5
START = datetime(2025, 10, 1, tzinfo=UTC)
END = datetime(2026, 1, 1, tzinfo=UTC)
USD = Unit(derived_id("USD"), "USD (cents)", 2, 2)
TIERS = (Tier(Decimal(10), Decimal(1_000), Decimal(5)), Tier(Decimal(8), Decimal(9_000)), Tier(Decimal(5)))
TARIFFS = (
    flat(Decimal(10)),
    Tariff("TIERED", tiers=TIERS),
    Tariff("PACKAGE", Decimal(12), package_size=Decimal(10)),
    Tariff("VOLUME", tiers=TIERS),
)
NAMES = ("FLAT", "TIERED", "PACKAGE", "VOLUME")


def main() -> None:
    options = _options()
    found: dict[str, Any] = {"slices": SLICES, "products": PRODUCTS, "overrides_a_product": OVERRIDES}
    for name, tariffs in (*((name, (tariff,)) for name, tariff in zip(NAMES, TARIFFS, strict=True)), ("all", TARIFFS)):
        inputs = world(tariffs)
        found[name] = {
            "price_us": _microseconds(lambda of=inputs: priced(of), options.rounds) / (SLICES * PRODUCTS),
            "walk_us": _microseconds(lambda of=inputs: walked(of), options.rounds) / (SLICES * PRODUCTS),
        }
    found["look_up_us"] = {size: _look_up(size, options.rounds) for size in (10, 100, 1_000, 10_000)}
    _say(found)
    if options.profile:
        profile = cProfile.Profile()
        profile.runcall(walked, world(TARIFFS))
        pstats.Stats(profile).sort_stats("cumulative").print_stats(options.profile)
    print(json.dumps(found))


def world(tariffs: tuple[Tariff, ...]) -> Inputs:
    """A quarter in which some price changes at each of 1,000 instants, and a balance that pays a part of it."""
    versions = {
        product_id: ProductVersion(product_id, "USAGE", f"product {number}", None, 1, derived_id("metric", number))
        for number, product_id in enumerate(_products())
    }
    rates = tuple(
        _rate(product_id, tariffs[number % len(tariffs)], START + change * HOUR, publication=change + 1)
        for change in range(SLICES)
        for number, product_id in enumerate(_products())
        if change % PRODUCTS == number or change == 0
    )
    overrides = tuple(
        Override(
            derived_id("override", number, position),
            "MULTIPLIER",
            Period(START + position * timedelta(days=5)),
            (Target(product_id),),
            1,
            position,
            multiplier=Decimal(95 - position) / 100,
        )
        for number, product_id in enumerate(_products())
        for position in range(OVERRIDES)
    )
    contract = Contract(
        id=derived_id("contract"),
        customer_id=derived_id("customer"),
        name="Acme",
        term=Period(START, END),
        created_at=START,
        rate_card_id=derived_id("card"),
        frequency="QUARTERLY",
        billing_anchor_at=START,
        grace_hours=24,
        net_payment_terms_days=None,
        prioritization="LOWEST_MULTIPLIER",
        overrides=overrides,
        commits=(_commit(),),
    )
    metrics = {version.metric_id: Metric(version.metric_id, "", "SUM") for version in versions.values()}
    versions[derived_id("commitment")] = ProductVersion(derived_id("commitment"), "FIXED", "Commitment", None, 1)
    return Inputs(
        at=END - HOUR,
        terms=CustomerTerms(contract.customer_id, 1, (contract,), ()),
        catalog=Catalog(
            publication=SLICES,
            metrics=metrics,
            products={product_id: (version,) for product_id, version in versions.items()},
            rate_cards={derived_id("card"): RateCard(derived_id("card"), "List", USD, rates, _products())},
        ),
        posted=Posted(frozenset(), {}, {}),
    )


def priced(inputs: Inputs) -> Fraction:
    """The price and the charge of every product in every slice, one by one."""
    (contract,), (card,) = inputs.terms.contracts, inputs.catalog.rate_cards.values()
    total, part = Fraction(0), Fraction(7)
    for number in range(SLICES):
        at = START + number * HOUR
        for product_id in _products():
            overrides = [each for each in contract.overrides if each.targets[0].product_id == product_id]
            price = price_at(card, Offer(product_id, (), (), ()), at, overrides=overrides)
            assert isinstance(price, Price)
            total += charge(price.steps(Fraction(SLICES * 7)), number * part, part)
    return total


def walked(inputs: Inputs) -> Result:
    """The customer's drafts, with usage in every slice of every product. The balance runs out half-way: that slice is
    of one hour."""
    planned = plan(inputs)
    used = {
        slice_: Used({series_of(metric_id, ()): Decimal(7) for metric_id in planned.metric_ids})
        for slice_ in planned.slices
    }
    return answered(compute(inputs, planned, used), lambda finer: {})


def _commit() -> Commit:
    segment = AccessSegment(derived_id("segment"), Decimal(200_000), Period(START, END))
    return Commit(
        id=derived_id("commit"),
        type="PREPAID",
        contract_id=derived_id("contract"),
        product_id=derived_id("commitment"),
        name="",
        priority=Decimal(100),
        unit=USD,
        segments=(segment,),
        invoice_items=(),
        targets=(),
        created_at=START,
    )


def _rate(product_id: UUID, tariff: Tariff, starting_at: datetime, *, publication: int) -> Rate:
    return Rate(
        id=derived_id("rate", product_id, publication),
        product_id=product_id,
        values=(),
        starting_at=starting_at,
        ending_before=None,
        entitled=True,
        tariff=tariff,
        unit=USD,
        publication=publication,
        published_at=START,
        published_by="a benchmark",
    )


def _products() -> tuple[UUID, ...]:
    return tuple(derived_id("product", number) for number in range(PRODUCTS))


def _look_up(size: int, rounds: int) -> float:
    """Microseconds for finding one rate on a card of so many, ten of each product; the index is built before."""
    products = [derived_id("product", number) for number in range(max(size // 10, 1))]
    rates = tuple(
        replace(_rate(product_id, TARIFFS[0], START + change * HOUR, publication=change + 1), values=())
        for product_id in products
        for change in range(10)
    )
    card = RateCard(derived_id("card", size), "List", USD, rates, tuple(products))
    at = START + 5 * HOUR
    for product_id in products:
        rate_in_force(card, product_id, (), at)

    def look_up() -> None:
        for number in range(10_000):
            rate_in_force(card, products[number % len(products)], (), at)

    return _microseconds(look_up, rounds) / 10_000


def _microseconds(work: Callable[[], object], rounds: int) -> float:
    """The best of so many rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best * 1e6


def _say(found: dict[str, Any]) -> None:
    print(f"{SLICES:,} slices x {PRODUCTS} products x {OVERRIDES} overrides, each product in each slice")
    print(f"{'':10}{'price and charge':>20}{'the whole walk':>20}")
    for name in (*NAMES, "all"):
        of = found[name]
        print(f"{name:10}{of['price_us']:>17.1f} us{of['walk_us']:>17.1f} us")
    sizes = ", ".join(f"{us:.2f} us of {size:,}" for size, us in found["look_up_us"].items())
    print(f"finding a rate on a card: {sizes}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many counts (3)")
    parser.add_argument("--profile", type=int, nargs="?", const=25, default=0, help="print where the walk's time goes")
    return parser.parse_args()


if __name__ == "__main__":
    main()
