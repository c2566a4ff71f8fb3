"""Composite products: a percentage of what a period's usage came to.

**The base** is the usage of the listed products, or of products that had any of the listed tags when they were used,
within the contract and the period, as it was finally priced, whoever pays for it. What is in the base is counted in
its own pricing unit; the composite's charge is in that unit, one for each.

- `exclude_free_usage` leaves out what was priced at zero. It adds nothing to a spend; but a composite of nothing else
  is not charged then, where it would have a line of zero.
- `include_composite_spend` takes the listed composites in, as they came out. So they are charged one after the other,
  each after those that it stands on; a cycle has no such order and is refused.

**The charge** has its place in the period's last hour, after that hour's usage: the rate, the override and the
definition that hold then count, and the balances of money that hold then pay, in their order; a share of a spend has no
units for a balance that counts those.

    usage   price   came to      composite               base   charge
    10 A    10      100          Support 20 % of A, B    130    26
    30 B    1        30          Tax 10 % of Support,     26     2.6
                                 composites included
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter
from uuid import UUID

from billing_site.foundation.money import QUANTUM, Unit, round_to
from billing_site.foundation.periods import HOUR
from invoicing.engine.drafts import UsageDraft
from invoicing.engine.hours import serve
from invoicing.engine.items import Item
from invoicing.engine.stretches import Stretch, stretch_under
from pricing.engine.catalog import ProductVersion
from pricing.engine.prices import Price, Unpriced
from pricing.engine.products import Reign, Run
from pricing.engine.targets import Offer


class CompositeCycle(ValueError):
    """Composites stand on each other in a circle."""


def settle_composites(over: Sequence[UsageDraft]) -> None:
    """Charge the composites of drafts whose usage has been walked to the end."""
    in_order = [(draft, list(layers(draft))) for draft in over]
    for depth in range(max((len(found) for _, found in in_order), default=0)):
        more: dict[Item, Fraction] = {}
        for draft, found in in_order:
            for version in found[depth] if depth < len(found) else ():
                more |= _charged(draft, version)
        serve(more)


def layers(draft: UsageDraft) -> Iterator[Sequence[ProductVersion]]:
    """The composites by their definitions in the last hour, those first that stand on no other."""
    found = {version.product_id: version for version in draft.composites}
    stands_on = {product_id: set(_stands_on(version, found)) for product_id, version in found.items()}
    sorter = TopologicalSorter(stands_on)
    try:
        sorter.prepare()
    except CycleError as cycle:
        names = " -> ".join(found[product_id].name for product_id in cycle.args[1])
        raise CompositeCycle(f"These composites stand on each other: {names}.") from cycle
    while sorter.is_active():
        ready = sorter.get_ready()
        yield [found[product_id] for product_id in ready]
        sorter.done(*ready)


def _stands_on(version: ProductVersion, composites: Mapping[UUID, ProductVersion]) -> Iterator[UUID]:
    if version.include_composite_spend:
        for other in composites.values():
            if lists(version, other.product_id, other.tags):
                yield other.product_id


def lists(version: ProductVersion, product_id: UUID, tags: Sequence[str]) -> bool:
    return product_id in version.composite_product_ids or any(tag in version.composite_tags for tag in tags)


def _charged(draft: UsageDraft, version: ProductVersion) -> dict[Item, Fraction]:
    """An item for each pricing unit of the composite's base, and how much of it there is."""
    charged: dict[Item, Fraction] = {}
    for unit, base in sorted(_base(draft, version).items(), key=lambda pair: pair[0].name):
        item = composite_item(draft, version, unit)
        stretch = item.stretch
        if stretch.price is None and stretch.refusal == Unpriced.NOT_ENTITLED:
            continue  # nobody used it: there is nothing to find
        draft.composite_items.append(item)
        if stretch.price is None:
            item.unbilled[stretch] = round_to(base, QUANTUM)
        elif base:
            item.metered, item.total = round_to(base, QUANTUM), base
            charged[item] = base
    return charged


def composite_item(draft: UsageDraft, version: ProductVersion, unit: Unit) -> Item:
    """What is charged of a composite in one unit, in the period's last hour; nothing yet."""
    stretch = _last_hour(draft, version, unit)
    return Item(draft.open.contract.id, _run(stretch, version), (), (), (stretch,))


def _base(draft: UsageDraft, version: ProductVersion) -> Mapping[Unit, Fraction]:
    found: dict[Unit, Fraction] = {}
    composites = draft.composite_items if version.include_composite_spend else []
    for item in (*draft.items.values(), *composites):
        for take in item.takes:
            amount = take.charge.amount
            if lists(version, item.product_id, take.stretch.tags) and (amount or not version.exclude_free_usage):
                found[take.price.unit] = found.get(take.price.unit, Fraction(0)) + amount
    return found


def _last_hour(draft: UsageDraft, version: ProductVersion, unit: Unit) -> Stretch:
    end = draft.open.ending_before
    start = end - HOUR
    offer = Offer(version.product_id, version.tags, (), ())
    (quote,) = draft.seller.quotes(offer, [start], lambda price: replace(price, unit=unit))
    price, refusal = (quote.price, "") if isinstance(quote.price, Price) else (None, quote.price.value)
    contract_id = draft.open.contract.id
    holding = [
        balance
        for balance in draft.balances
        if start in balance.period and not balance.counts_units and balance.applies_to(contract_id, offer)
    ]
    return stretch_under(start, end, version, quote, price, refusal, holding)


def _run(stretch: Stretch, version: ProductVersion) -> Run:
    return Run((Reign(stretch.starting_at, stretch.ending_before, version),))
