"""Giving exact ratios their 12 decimals, once, so that lines, deductions and quantities add up exactly.

What is rounded is the sum: of what nobody paid, of what a balance paid (as its deduction was), of an item's quantity.
The parts share it by largest remainder.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from typing import TypeVar

from billing_site.foundation.money import QUANTUM, exact_sum, exact_total, largest_remainder, round_to
from invoicing.engine.balances import Balance
from invoicing.engine.conversions import Conversion
from invoicing.engine.drafts import UsageDraft
from invoicing.engine.items import Item
from invoicing.engine.rows import Row, grouped

Shared = TypeVar("Shared", Row, Conversion, Row | Conversion)


def share_out(rows: Sequence[Row], conversions: Sequence[Conversion], draft: UsageDraft) -> None:
    """Give every row and conversion, and each of its takes, its numbers."""
    everything: list[Row | Conversion] = [*rows, *conversions]
    for payer, paid in grouped(everything, lambda each: each.payer).items():
        _share_amounts(paid, payer, draft)
    for item, of_item in grouped(rows, lambda row: row.item).items():
        _share_quantities(item, of_item)
    for unit, alike in grouped(conversions, lambda each: each.converted).items():
        unpaid = exact_sum([row.amount for row in rows if row.payer is None and row.unit == unit])
        for each, share, shares in _shares(alike, unpaid, lambda one: [take.charge.amount for take in one.takes]):
            each.quantity, each.quantities = share, shares


def _share_amounts(paid: Sequence[Row | Conversion], payer: Balance | None, draft: UsageDraft) -> None:
    if payer is not None and payer.counts_units:
        units = [each for each in paid if isinstance(each, Row)]
        for row, share, _ in _shares(units, draft.deductions[payer], lambda one: [take.drawn for take in one.takes]):
            row.drawn = share
    for alike in grouped(paid, lambda each: each.unit).values():
        if payer is not None and not payer.counts_units:
            total = draft.deductions[payer]
        else:
            total = round_to(exact_total(chain.from_iterable(each.exact_amounts for each in alike)), QUANTUM)
        for each, share, shares in _shares(alike, total, lambda one: one.exact_amounts):
            each.amount, each.amounts = share, shares


def _share_quantities(item: Item, rows: Sequence[Row]) -> None:
    """Units and packages are each counted by themselves; what was metered follows the units."""
    for alike in grouped(rows, lambda row: row.reading.step.package_size).values():
        exact = exact_total(take.charge.quantity for row in alike for take in row.takes)
        for row, share, shares in _shares(
            alike, round_to(exact, QUANTUM), lambda one: [take.charge.quantity for take in one.takes]
        ):
            row.quantity, row.quantities = share, shares
    units = exact_total(take.charge.units for row in rows for take in row.takes)
    # A line may tell of later units inside a package, so it is the takes that are asked.
    if units == item.metered and all(take.charge.step.package_size is None for row in rows for take in row.takes):
        for row in rows:
            row.metered = row.quantities  # nothing was converted or rounded: a unit is a unit
        return
    metered = Fraction(item.metered) / units
    for row, _, shares in _shares(rows, item.metered, lambda one: [take.charge.units * metered for take in one.takes]):
        row.metered = shares


def _shares(
    several: Sequence[Shared], total: Decimal, exact: Callable[[Shared], list[Fraction]]
) -> Iterator[tuple[Shared, Decimal, list[Decimal]]]:
    """Of each: what it gets of `total`, and what each of its takes gets of that."""
    of_takes = [exact(each) for each in several]
    shares = largest_remainder(
        [takes[0] if len(takes) == 1 else exact_total(takes) for takes in of_takes], total, QUANTUM
    )
    for each, share, takes in zip(several, shares, of_takes, strict=True):
        yield each, share, [share] if len(takes) == 1 else largest_remainder(takes, share, QUANTUM)
