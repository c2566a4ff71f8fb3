"""Rows: what one payer took of one item at one price, in neighbouring stretches. Each becomes a line.

A stretch in which the item was not used at all comes between nothing, so a month reads as two unit prices and not as
seven hundred hours. Tiers are rows of their own: `10 for 100 units, then 8` is two prices. Usage in a custom unit that
a balance in money paid is one row with what nobody paid, as both are still to be converted (`conversions.py`).
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from math import inf
from typing import Any, NamedTuple, TypeVar

from billing_site.foundation.money import Unit
from billing_site.foundation.periods import Period
from invoicing.engine.balances import Balance
from invoicing.engine.drafts import UsageDraft
from invoicing.engine.items import Item
from invoicing.engine.takes import Take
from pricing.engine.steps import Step

One = TypeVar("One")
Key = TypeVar("Key", bound=Hashable)


class Reading(NamedTuple):
    """How a price reads to the customer, wherever it comes from."""

    step: Step
    list_price: Decimal | None
    unit: Unit


@dataclass(slots=True, eq=False)
class Row:
    item: Item
    payer: Balance | None
    reading: Reading
    takes: Sequence[Take]  # in order of the counter
    period: Period
    # In 12 decimals, known when they are shared out: of the line, and of each take.
    amount: Decimal = Decimal(0)
    quantity: Decimal = Decimal(0)
    drawn: Decimal = Decimal(0)  # off a balance that counts units
    amounts: list[Decimal] = field(default_factory=list)
    quantities: list[Decimal] = field(default_factory=list)
    metered: list[Decimal] = field(default_factory=list)

    @property
    def unit(self) -> Unit:
        return self.reading.unit

    @property
    def exact_amounts(self) -> list[Fraction]:
        return [take.charge.amount for take in self.takes]

    @property
    def order(self) -> tuple[Any, ...]:
        """Among the rows of an item: by time, then payer, with what nobody covers last, then tier."""
        payer = inf if self.payer is None else self.payer.rank
        return self.period.starting_at, payer, self.reading.step.above, self.reading.unit.name


def rows(draft: UsageDraft) -> list[Row]:
    """In the card's order of products, composites last; of a product by values, of these by run."""
    place = {product_id: number for number, product_id in enumerate(draft.product_order)}
    items = sorted(draft.all_items, key=lambda item: (place[item.product_id], item.values_order, item.run.starting_at))
    of_items = (sorted(_of_item(item, draft.open.period), key=lambda row: row.order) for item in items)
    return list(chain.from_iterable(of_items))


def grouped(several: Iterable[One], key: Callable[[One], Key]) -> dict[Key, list[One]]:
    """By what they have in common, in their order."""
    groups: dict[Key, list[One]] = {}
    for each in several:
        groups.setdefault(key(each), []).append(each)
    return groups


def _of_item(item: Item, whole: Period) -> Iterator[Row]:
    place = {stretch: index for index, stretch in enumerate(item.stretches)}
    cells: dict[tuple[Balance | None, Reading], dict[int, list[Take]]] = {}
    for take in item.takes:
        of_line = cells.setdefault((take.shown_payer, _reading(take, item)), {})
        of_line.setdefault(place[take.stretch], []).append(take)
    used = sorted({place[take.stretch] for take in item.takes})
    made: list[Row] = []
    paid_before: list[Take] = []
    for (payer, reads), takes in cells.items():
        for group in _neighbours(takes, used):
            found = [take for index in group for take in takes[index]]
            if any(take.charge.quantity or take.charge.amount or take.drawn for take in found):
                period = _within(whole, payer) if item.is_composite else _period(item, group, used, payer)
                made.append(Row(item, payer, reads, found, period))
            else:
                paid_before += found
    for take in paid_before:
        _follow(take, made)
    yield from made


def _follow(take: Take, made: Sequence[Row]) -> None:
    """What follows in a package that was paid for before is no line of its own: the line of the package tells of it."""
    before = [row for row in made if row.takes[0].order <= take.order]
    for row in [max(before, key=lambda row: row.takes[0].order)] if before else made[:1]:
        row.takes = [*row.takes, take]
        start = min(row.period.starting_at, take.stretch.starting_at)
        ends = [take.stretch.ending_before, *([row.period.ending_before] if row.period.ending_before else [])]
        row.period = Period(start, max(ends))


def _reading(take: Take, item: Item) -> Reading:
    return Reading(take.charge.step, take.price.list_price(take.charge.step, item.total), take.price.unit)


def _neighbours(takes: Mapping[int, Sequence[Take]], used: Sequence[int]) -> list[list[int]]:
    """The stretches of the takes, those together that follow each other among the used ones."""
    groups: list[list[int]] = []
    follows = False
    for index in used:
        if index in takes and follows:
            groups[-1].append(index)
        elif index in takes:
            groups.append([index])
        follows = index in takes
    return groups


def _period(item: Item, group: Sequence[int], used: Collection[int], payer: Balance | None) -> Period:
    """The time of a line: its stretches, and around them those at the same price in which nothing was used."""
    first, last = group[0], group[-1]
    while first > 0 and first - 1 not in used and _same(item, first - 1, first):
        first -= 1
    end = len(item.stretches) - 1
    while last < end and last + 1 not in used and _same(item, last + 1, last):
        last += 1
    if first == last:
        return item.stretches[first].period  # whoever pays in a stretch may pay in all of it
    return _within(Period(item.stretches[first].starting_at, item.stretches[last].ending_before), payer)


def _within(window: Period, payer: Balance | None) -> Period:
    return window if payer is None else window.overlap(payer.period) or window


def _same(item: Item, one: int, other: int) -> bool:
    first, second = item.stretches[one].price, item.stretches[other].price
    return first is not None and second is not None and first.reads_like(second, item.total)
