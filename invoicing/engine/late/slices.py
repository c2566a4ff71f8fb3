"""The difference of one slice of an item: what it was, what it is now, and what that comes to.

`Slice.gone` units are the last ones; those that stay are priced at the places that they have now and had before, and
`more` units follow. What the units of balances that count units cost is covered by them, whatever it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from uuid import UUID

from billing_site.foundation.money import Unit, ratio
from invoicing.engine.balances import Balance
from invoicing.engine.documents import Part
from invoicing.engine.items import Item
from invoicing.engine.late.closed import Pieces
from invoicing.engine.stretches import Paying, Stretch
from invoicing.engine.takes import Take
from pricing.engine.charges import charge_with_share
from pricing.engine.prices import Price

ZERO = Fraction(0)


class NotAsComputed(ValueError):
    """A final document names a payer or a product that its own terms do not have: it was not computed from them."""


@dataclass(frozen=True, slots=True)
class Move:
    """So many units more (or fewer) for a payer, from one place to another, and what they come to. No units: those that
    stay cost so much more (or less)."""

    price: Price
    amount: Fraction
    above: Fraction = ZERO
    upto: Fraction = ZERO
    share: Fraction | None = None  # of the jump where they begin, where others have the rest

    @property
    def units(self) -> Fraction:
        return self.upto - self.above

    @property
    def unit(self) -> Unit:
        """Of the money."""
        return self.price.unit


@dataclass(frozen=True, slots=True)
class Payment:
    """Who pays a part that is settled, and what a wire unit of its price is to the balance; see `Paying`."""

    balance: Balance
    exchange: Fraction
    converts: bool


@dataclass(frozen=True, slots=True)
class SettledMove:
    """A part that needs no pricing any more: one that was billed and is taken back, or one that takes its place."""

    part: Part
    unit: Unit  # of the money

    @property
    def amount(self) -> Fraction:
        return ratio(self.part.amount)

    @property
    def units(self) -> Fraction:
        return ratio(self.part.upto) - ratio(self.part.above)


@dataclass(slots=True, eq=False)
class Slice:
    """One slice of an item: how it stands, and where its units begin, before and now. `moves` fill in, by payer."""

    item: Item
    stretch: Stretch
    was: Pieces
    units: Fraction  # now
    above_before: Fraction
    above: Fraction
    total_before: Fraction  # of the item in the whole period
    total: Fraction
    moves: dict[Paying | Payment | None, list[Move | SettledMove]] = field(default_factory=dict)
    costs_more: dict[Unit, Fraction] = field(default_factory=dict)  # what stays, and nobody has been asked to pay yet

    @property
    def is_unchanged(self) -> bool:
        same_places = self.above == self.above_before and self.units == self.was.total
        return same_places and (self.total == self.total_before or not self._by_volume)

    @property
    def _by_volume(self) -> bool:
        prices = [self.stretch.asked(), *(paying.price for paying in self.stretch.paying.values())]
        return any(price.steps(self.total) != price.steps(self.total_before) for price in prices)

    @property
    def more(self) -> Fraction:
        return max(self.units - self.was.total, ZERO)

    @property
    def amount(self) -> Mapping[Unit, Fraction]:
        """What it comes to more, or less, by unit."""
        found: dict[Unit, Fraction] = {}
        for move in (move for moves in self.moves.values() for move in moves):
            found[move.unit] = found.get(move.unit, ZERO) + move.amount
        return found

    def give_back(self) -> None:
        """Take what is gone, and what the rest costs less, off whoever paid for it, last first."""
        lower: dict[Unit, Fraction] = {}
        position, place = self.above_before, self.above
        for segment_id, units, share in self.was.holdings:
            paying, price = self._payer(segment_id)
            left = max(self.units - (place - self.above), ZERO)
            stays = min(units, left)
            moved, gone = ZERO, _worth(price, position, units, self.total_before, share)
            if left:
                stayed = _worth(price, position, stays, self.total_before, share)
                moved, gone = _worth(price, place, stays, self.total, share) - stayed, gone - stayed
            if paying is not None and paying.balance.counts_units:
                self._move(paying, Move(price, moved - gone, position + units, position + stays))
            else:
                lower[price.unit] = lower.get(price.unit, ZERO) + moved - gone
                if units != stays:
                    self._move(paying, Move(price, ZERO, position + units, position + stays))
            position, place = position + units, place + stays
        for unit, amount in lower.items():
            if amount > 0:
                self.costs_more[unit] = amount
            else:
                self._restore(unit, -amount)

    def offer(self) -> None:
        """Ask the balances, in their order, for what the units that stay cost more."""
        for unit, amount in self.costs_more.items():
            for paying in self.stretch.paying.values():
                balance = paying.balance
                if not balance.counts_units and paying.price.unit == unit and not balance.is_spent:
                    part = min(amount, balance.left / paying.exchange)
                    self._move(paying, Move(paying.price, part))
                    amount -= part
            if amount:
                self._move(None, Move(self._price_in(unit), amount))
        self.costs_more.clear()

    def item_for_more(self) -> Item:
        """The item where the units that follow begin, to be served."""
        return Item(
            self.item.contract_id,
            self.item.run,
            self.item.pricing_group_values,
            self.item.presentation_group_values,
            (self.stretch,),
            quantity=self.above + self.was.total,
            total=self.total,
        )

    def take(self, takes: list[Take]) -> None:
        """What the units that follow came to; their payers have paid."""
        for take in takes:
            found = take.charge
            share = found.share if found.is_shared else None
            move = Move(take.price, found.amount, found.above, found.upto, share)
            self.moves.setdefault(take.paying, []).append(move)

    def _restore(self, unit: Unit, amount: Fraction) -> None:
        for (segment_id, unit_id), paid in reversed(self.was.paid.items()):
            paying, price = self._payer(segment_id)
            if unit_id == unit.id and amount and not (paying is not None and paying.balance.counts_units):
                part = min(amount, max(paid, ZERO))
                self._move(paying, Move(price, -part))
                amount -= part
        if amount:  # of the last of 12 decimals
            self._move(None, Move(self._price_in(unit), -amount))

    def _move(self, paying: Paying | None, move: Move) -> None:
        if not move.amount and not move.units:
            return
        self.moves.setdefault(paying, []).append(move)
        if paying is not None:
            paying.balance.pay(move.units if paying.balance.counts_units else move.amount * paying.exchange)

    def _price_in(self, unit: Unit) -> Price:
        """The price while nobody's balance pays; where that is in another unit, one that is in this."""
        prices = (self.stretch.asked(), *(paying.price for paying in self.stretch.paying.values()))
        return next(price for price in prices if price.unit == unit)

    def _payer(self, segment_id: UUID | None) -> tuple[Paying | None, Price]:
        if segment_id is None:
            return None, self.stretch.asked()
        for balance, paying in self.stretch.paying.items():
            if balance.segment.id == segment_id:
                return paying, paying.price
        raise NotAsComputed(f"{self.item.name}: the segment {segment_id} does not pay at {self.stretch.starting_at}.")


def _worth(price: Price, above: Fraction, units: Fraction, total: Fraction, share: Fraction) -> Fraction:
    return charge_with_share(price.steps(total), above, units, share)
