"""Closed periods rated again: first what is given back, then what is asked for, in time order, then composites.

Of several closed periods all give back before any asks. What is drawn on a balance is settled period by period in 12
decimals, as it will be posted.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billing_site.foundation.money import QUANTUM, Unit, floor_to, ratio, round_to
from invoicing.engine.balances import Balance
from invoicing.engine.composites import composite_item, layers, lists
from invoicing.engine.documents import Finding
from invoicing.engine.findings import findings
from invoicing.engine.hours import serve
from invoicing.engine.items import Item
from invoicing.engine.late.closed import Cell, Closed, Pieces, standing, units_of
from invoicing.engine.late.slices import Slice
from pricing.engine.catalog import ProductVersion
from pricing.engine.prices import Unpriced

ZERO = Fraction(0)


@dataclass(slots=True, eq=False)
class Rerated:
    """A closed period, the slices in which it differs, and what it draws on balances, signed."""

    closed: Closed
    slices: list[Slice]
    deductions: dict[Balance, Decimal] = field(default_factory=dict)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Usage that came in late and cannot be billed: what would have held the document, had it been in time.

        It is listed and holds nothing: no price that is published now is one that was known for the period.
        """
        return tuple(replace(finding, blocking=False) for finding in findings(self.closed.now) if finding.blocking)

    def settle(self) -> None:
        """Settle what it draws to the quantum in which it will be posted: no more than there is, as periods before may
        have drawn what later ones give back, and no more back than was drawn, which was rounded, too."""
        drawn: dict[Balance, Fraction] = {}
        for slice_ in self.slices:
            for paying, moves in slice_.moves.items():
                if paying is not None:
                    parts = (
                        move.units if paying.balance.counts_units else move.amount * paying.exchange for move in moves
                    )
                    drawn[paying.balance] = drawn.get(paying.balance, ZERO) + sum(parts, ZERO)
        for balance, exact in drawn.items():
            most, least = floor_to(balance.left + exact, QUANTUM), -floor_to(balance.drawn - exact, QUANTUM)
            amount = max(min(round_to(exact, QUANTUM), most), least)
            self.deductions[balance] = amount
            balance.pay(Fraction(amount) - exact)


def rerate(closed: Sequence[Closed], shared: Iterable[Balance]) -> list[Rerated]:
    """The differences of closed periods, and what they draw on the customer's balances, which pay at once."""
    money = {balance.segment.id: balance for balance in shared}
    found = [Rerated(each, list(_slices(each, standing(each.held)))) for each in closed]
    for step in (_give_back, _ask):
        for each in found:
            with _what_is_left(each.closed, money):
                step(each)
    return [each for each in found if each.slices or each.findings]


@contextmanager
def _what_is_left(closed: Closed, money: Mapping[UUID, Balance]) -> Iterator[None]:
    """A period knows balances by its own terms: they have what is left of them by now, and what they pay is paid."""
    pairs = [(known, money.get(known.segment.id)) for known in closed.now.balances]
    for known, real in pairs:
        known.pay(known.left - (ZERO if real is None else real.left))
        if real is not None:
            known.drawn = real.drawn  # of a balance that was raised since, more is left, and no less was drawn
    yield
    for known, real in pairs:
        if real is not None:
            real.pay(real.left - known.left)


def _give_back(rerated: Rerated) -> None:
    for slice_ in rerated.slices:
        slice_.give_back()


def _ask(rerated: Rerated) -> None:
    by_start: dict[datetime, list[Slice]] = {}
    for slice_ in rerated.slices:
        by_start.setdefault(slice_.stretch.starting_at, []).append(slice_)
    for _, together in sorted(by_start.items()):
        _ask_for(together)
    for layer in layers(rerated.closed.now):
        of_layer = [made for version in layer for made in _composites(rerated, version)]
        for slice_ in of_layer:
            slice_.give_back()
        _ask_for(of_layer)
        rerated.slices += of_layer
    rerated.slices = [slice_ for slice_ in rerated.slices if any(slice_.moves.values())]
    rerated.settle()


def _ask_for(slices: Sequence[Slice]) -> None:
    """What stays and costs more, then what follows, of slices that begin together."""
    for slice_ in slices:
        slice_.offer()
    served = {slice_: slice_.item_for_more() for slice_ in slices if slice_.more}
    serve({item: slice_.more for slice_, item in served.items()})
    for slice_, item in served.items():
        slice_.take(item.takes)


def _slices(closed: Closed, stands: Mapping[Cell, Pieces]) -> Iterator[Slice]:
    """Those of usage that differ."""
    draft = closed.now
    for product_id, values, starting_at in stands:
        for number, run in enumerate(draft.runs.get(product_id, ())):
            if run.starting_at <= starting_at < run.ending_before:
                draft.item(product_id, number, values)  # all of whose usage may be gone
    for item in draft.items.values():
        yield from _of_item(item, stands)


def _of_item(item: Item, stands: Mapping[Cell, Pieces]) -> Iterator[Slice]:
    units = units_of(item)
    used = []
    for stretch in item.stretches:
        was = stands.get((item.product_id, item.values, stretch.starting_at), Pieces())
        if stretch in units or was.holdings or was.paid:
            used.append((stretch, was, units.get(stretch, ZERO)))
    before = sum((was.total for _, was, _ in used), ZERO)
    now = sum((some for _, _, some in used), ZERO)
    above_before = above = ZERO
    for stretch, was, some in used:
        slice_ = Slice(item, stretch, was, some, above_before, above, before, now)
        if not slice_.is_unchanged:
            yield slice_
        above_before, above = above_before + was.total, above + some


def _composites(rerated: Rerated, version: ProductVersion) -> Iterator[Slice]:
    """The difference of a composite, for each unit of its base."""
    draft = rerated.closed.now
    for unit, more in sorted(_base(rerated, version).items(), key=lambda pair: pair[0].name):
        difference = round_to(more, QUANTUM)
        item = composite_item(draft, version, unit)
        stretch = item.stretch
        if not difference or (stretch.price is None and stretch.refusal == Unpriced.NOT_ENTITLED):
            continue
        if stretch.price is None:
            item.unbilled[stretch] = difference
            draft.composite_items.append(item)
            continue
        posted = (held for held in rerated.closed.held if held.unit_id == unit.id)
        was = standing(posted).get((version.product_id, (), stretch.starting_at), Pieces())
        now = max(was.total + ratio(difference), ZERO)
        yield Slice(item, stretch, was, now, ZERO, ZERO, was.total, now)


def _base(rerated: Rerated, version: ProductVersion) -> Mapping[Unit, Fraction]:
    """What the usage, and the composites, that it is a share of came to more or less.

    Composites are among the slices only once a layer of them is through, and what follows that layer includes them.
    """
    found: dict[Unit, Fraction] = {}
    for slice_ in rerated.slices:
        if lists(version, slice_.item.product_id, slice_.stretch.tags):
            for unit, amount in slice_.amount.items():
                found[unit] = found.get(unit, ZERO) + amount
    return found
