"""A closed period against what it is by now: the difference of each item, composites, and what balances get or pay."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from uuid import UUID

from billing_site.foundation.money import QUANTUM, Unit, ratio, round_to
from invoicing.engine.balances import Balance
from invoicing.engine.composites import composite_item, layers, lists
from invoicing.engine.documents import Adjusted
from invoicing.engine.drafts import UsageDraft
from invoicing.engine.items import Item
from invoicing.engine.late.closed import Closed, Pieces, units_of
from invoicing.engine.late.rerate import Rerated
from invoicing.engine.late.slices import NotAsComputed, Payment, SettledMove, Slice
from invoicing.engine.notes.anew import Billed, parts, rated_anew, within
from invoicing.engine.stretches import Stretch
from pricing.engine.catalog import GroupValues, ProductVersion

ZERO = Fraction(0)
Key = tuple[UUID, GroupValues]
Payer = tuple[Payment | None, Unit]


@dataclass(frozen=True, slots=True)
class Reopened:
    """A final usage document, what was billed for its period in order of posting, and the period without usage as it
    was known for that (`then`), and with the usage that was billed, as it is known now."""

    adjusts: Adjusted
    billed: tuple[Billed, ...]
    then: UsageDraft
    now: UsageDraft


@dataclass(slots=True)
class Correction:
    """What stands for the period from then on, and how that differs from what was posted."""

    billed: tuple[Billed, ...]  # until then
    standing: list[Billed]
    rerated: Rerated


def correct(reopened: Reopened, left: Mapping[UUID, Fraction]) -> Correction:
    """The difference, where balances have so much `left` by access segment."""
    corrector = _Corrector(reopened, dict(left))
    corrector.give_back()
    for item, used in _used(reopened.now):
        corrector.take_up(item, used)
    for layer in layers(reopened.now):
        for version in layer:
            for unit in corrector.units_billed(version):
                corrector.take_up_composite(version, unit)
    corrector.take_up_what_is_gone()
    return corrector.settled()


@dataclass(slots=True)
class _Corrector:
    reopened: Reopened
    budgets: dict[UUID, Fraction]  # what each balance may pay, by access segment
    standing: list[Billed] = field(default_factory=list)
    slices: list[Slice] = field(default_factory=list)
    charged: dict[Balance, Fraction] = field(default_factory=dict)
    waiting: dict[Key, list[Billed]] = field(default_factory=dict)  # what was billed and not been looked at yet
    tags: dict[tuple[UUID, object], tuple[str, ...]] = field(default_factory=dict)

    def give_back(self) -> None:
        """Everything that balances have paid for the period, before anything is asked of them."""
        for each in self.reopened.billed:
            self.waiting.setdefault((each.product_id, each.values), []).append(each)
            paid = self._paid_by(each)
            if paid is not None:
                segment_id, drawn = paid.balance.segment.id, _drawn(each, paid)
                self.budgets[segment_id] = self.budgets.get(segment_id, ZERO) + drawn
                self.charged[paid.balance] = self.charged.get(paid.balance, ZERO) - drawn

    def take_up(self, item: Item, used: Mapping[Stretch, Fraction], unit: Unit | None = None) -> None:
        """Rate an item again; of a composite, in one unit."""
        waiting = self.waiting.get((item.product_id, item.values), [])
        was = [each for each in waiting if _is_of(each, item, unit)]
        self.waiting[item.product_id, item.values] = [each for each in waiting if not _is_of(each, item, unit)]
        pieces = list(within(rated_anew(item, used, was), self.budgets))
        now = parts(pieces, item, was)
        payments = [piece.payment for piece in pieces]
        for billed, piece in zip(now, pieces, strict=True):
            self.standing.append(billed)
            self.tags[item.product_id, billed.part.period.starting_at] = piece.stretch.tags
            if piece.payment is not None:
                balance = piece.payment.balance
                drawn = _drawn(billed, piece.payment)
                self.charged[balance] = self.charged.get(balance, ZERO) + drawn
        self._differ(item, was, list(zip(now, payments, strict=True)))

    def take_up_composite(self, version: ProductVersion, unit: Unit) -> None:
        item = composite_item(self.reopened.now, version, unit)
        base = self._base(version, unit)
        if item.stretch.price is not None and base:
            self.take_up(item, {item.stretch: base}, unit)

    def take_up_what_is_gone(self) -> None:
        """Items that are not billed at all any more."""
        for (product_id, values), was in self.waiting.items():
            if was:
                self._differ(_former_item(self.reopened.then, product_id, values, was), was, [])

    def units_billed(self, version: ProductVersion) -> list[Unit]:
        """The units of what the composite is a share of."""
        units = {each.unit for each in self.standing if self._is_listed(version, each)}
        return sorted(units, key=lambda unit: unit.name)

    def settled(self) -> Correction:
        closed = Closed(self.reopened.adjusts, (), self.reopened.now)
        deductions = {balance: round_to(amount, QUANTUM) for balance, amount in self.charged.items()}
        return Correction(self.reopened.billed, self.standing, Rerated(closed, self.slices, deductions))

    def _base(self, version: ProductVersion, unit: Unit) -> Fraction:
        found = (each for each in self.standing if each.unit == unit and self._is_listed(version, each))
        return sum((ratio(each.part.amount) for each in found), ZERO)

    def _is_listed(self, version: ProductVersion, billed: Billed) -> bool:
        is_composite = billed.product_id in {each.product_id for each in self.reopened.now.composites}
        if is_composite and not version.include_composite_spend:
            return False
        return lists(version, billed.product_id, self.tags[billed.product_id, billed.part.period.starting_at])

    def _paid_by(self, billed: Billed) -> Payment | None:
        """Who has paid a part, by the terms that it was billed by."""
        converts = billed.part.converted_by is not None
        for balance in self.reopened.now.balances if billed.payer_id else ():
            if balance.segment.id == billed.payer_id:
                exchange = self.reopened.then.seller.card.exchange(billed.unit) if converts else None
                return Payment(balance, Fraction(1) if exchange is None else exchange, converts)
        return None

    def _differ(self, item: Item, was: Sequence[Billed], now: Sequence[tuple[Billed, Payment | None]]) -> None:
        """The moves from what was billed to what stands now; none where each payer has what it had."""
        moves: dict[Payer, list[SettledMove]] = {}
        for each in was:
            moves.setdefault((self._paid_by(each), each.unit), []).append(SettledMove(each.taken_back(), each.unit))
        for each, payment in now:
            moves.setdefault((payment, each.unit), []).append(SettledMove(each.part, each.unit))
        moves = {payer: kept for payer, found in moves.items() if (kept := _without_what_stays(found))}
        by_exchange: dict[Fraction, Slice] = {}
        for (payment, unit), found in moves.items():
            if any((sum((each.amount for each in found), ZERO), sum((each.units for each in found), ZERO))):
                is_former = bool(was) and not now
                card = (self.reopened.then if is_former else self.reopened.now).seller.card
                exchange = card.exchange(unit) or Fraction(1)
                if exchange not in by_exchange:
                    by_exchange[exchange] = _whole(item, exchange)
                by_exchange[exchange].moves.setdefault(payment, []).extend(found)
        self.slices += by_exchange.values()


def _used(draft: UsageDraft) -> Iterator[tuple[Item, dict[Stretch, Fraction]]]:
    """The items of usage in the order of their lines."""
    order = draft.product_order
    for item in sorted(draft.items.values(), key=lambda each: (order.index(each.product_id), each.values_order)):
        yield item, {stretch: units for stretch, units in units_of(item).items() if stretch.price is not None}


def _is_of(billed: Billed, item: Item, unit: Unit | None) -> bool:
    """Whether a part was billed for an item, of whose product there may be several runs in a period."""
    if unit is not None:
        return billed.unit == unit
    return item.run.starting_at <= billed.part.period.starting_at < item.run.ending_before


def _drawn(billed: Billed, payment: Payment) -> Fraction:
    if payment.balance.counts_units:
        return billed.units
    return ratio(billed.part.amount) * payment.exchange


def _without_what_stays(moves: Sequence[SettledMove]) -> list[SettledMove]:
    """Without pairs of which one takes back exactly what the other bills again."""
    found: list[SettledMove] = []
    for move in moves:
        part = move.part
        twin = next(
            (
                each
                for each in found
                if (each.part.period, each.part.above, each.part.upto, each.part.amount)
                == (part.period, part.upto, part.above, -part.amount)
            ),
            None,
        )
        if twin is None:
            found.append(move)
        else:
            found.remove(twin)
    return found


def _whole(item: Item, exchange: Fraction) -> Slice:
    """All of the item's time as one slice, whose moves are settled."""
    stretch = replace(item.stretches[0], ending_before=item.stretches[-1].ending_before, exchange=exchange)
    return Slice(item, stretch, Pieces(), ZERO, ZERO, ZERO, ZERO, ZERO)


def _former_item(then: UsageDraft, product_id: UUID, values: GroupValues, was: Sequence[Billed]) -> Item:
    """The item by the terms that it was billed by."""
    starting_at = was[0].part.period.starting_at
    for number, run in enumerate(then.runs.get(product_id, ())):
        if run.starting_at <= starting_at < run.ending_before:
            return then.item(product_id, number, values)
    for version in then.composites:
        if version.product_id == product_id:
            return composite_item(then, version, was[0].unit)
    raise NotAsComputed(
        f"{then.open.contract.name}: the product {product_id} was billed at {starting_at}, and not sold."
    )
