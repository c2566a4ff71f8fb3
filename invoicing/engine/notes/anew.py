"""An item rated again with its payers held: its units in their order, who has each, and what that comes to now."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from billing_site.foundation.money import QUANTUM, Unit, exact_sum, largest_remainder, ratio, round_to
from invoicing.engine.documents import Part
from invoicing.engine.items import Item
from invoicing.engine.late.closed import Held, Holding, standing
from invoicing.engine.late.slices import Payment
from invoicing.engine.stretches import Paying, Stretch
from pricing.engine.charges import ONE, charge_with_share
from pricing.engine.prices import Price
from pricing.engine.quantities import converted

ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Billed:
    """A part that stands for a closed period, signed, as it was posted."""

    product_id: UUID
    values: tuple[tuple[str, str | None], ...]
    unit: Unit  # of the money
    part: Part

    @property
    def held(self) -> Held:
        return Held.of(self.product_id, self.values, self.unit.id, self.part)

    @property
    def payer_id(self) -> UUID | None:
        return self.part.segment_id or self.part.converted_by

    @property
    def units(self) -> Fraction:
        return ratio(self.part.upto) - ratio(self.part.above)

    def taken_back(self) -> Part:
        part = self.part
        return part._replace(
            metric_quantity=-part.metric_quantity,
            quantity=-part.quantity,
            amount=-part.amount,
            above=part.upto,
            upto=part.above,
            list_price=None,
            list_amount=None,
            fee=Decimal(0),
            share=None,
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """Units of one payer in one slice, at one price, exact. No units: what is to be paid as a balance has run out."""

    stretch: Stretch
    price: Price
    payment: Payment | None
    above: Fraction
    upto: Fraction
    amount: Fraction
    share: Fraction | None = None  # of the fee or package where they begin, where others have the rest

    def drawn_off(self, payment: Payment) -> Fraction:
        """What it takes off the balance that pays."""
        return self.upto - self.above if payment.balance.counts_units else self.amount * payment.exchange


def rated_anew(item: Item, used: Mapping[Stretch, Fraction], billed: Iterable[Billed]) -> list[Piece]:
    """The pieces of an item, by place. Without limit: what balances have left is not asked here."""
    total = sum(used.values(), ZERO)
    holders = list(_holders(billed))
    before = sum((each.units for each in holders), ZERO)
    if before and before != total:
        holders = [each._replace(units=each.units * total / before) for each in holders]
    found: list[Piece] = []
    place = ZERO
    for stretch in sorted(used, key=lambda each: each.starting_at):
        for holder, units, share in _next_units(holders, used[stretch]):
            payment, price = _payment(stretch, holder)
            amount = charge_with_share(price.steps(total), place, units, share)
            shared = share if share != ONE or not units else None
            found.append(Piece(stretch, price, payment, place, place + units, amount, shared))
            place += units
    return found


def within(pieces: Iterable[Piece], budgets: dict[UUID, Fraction]) -> Iterator[Piece]:
    """The pieces, where no balance pays more than its budget, which goes down: what is beyond is to be paid."""
    for piece in pieces:
        if piece.payment is None:
            yield piece
            continue
        segment_id, drawn = piece.payment.balance.segment.id, piece.drawn_off(piece.payment)
        left = max(budgets.get(segment_id, ZERO), ZERO)
        if drawn <= left:
            budgets[segment_id] = left - drawn
            yield piece
            continue
        budgets[segment_id] = ZERO
        yield from _divided(piece, piece.payment, left)


def parts(pieces: Sequence[Piece], item: Item, billed: Sequence[Billed]) -> list[Billed]:
    """As they are posted: money in 12 decimals, so that each payer's add up; what is the same but for the last of these
    is what was posted."""
    amounts: dict[int, Decimal] = {}
    was: dict[tuple[UUID | None, Unit], list[Decimal]] = {}
    for each in billed:
        was.setdefault((each.payer_id, each.unit), []).append(each.part.amount)
    together: dict[tuple[UUID | None, Unit], list[int]] = {}
    for index, piece in enumerate(pieces):
        together.setdefault((_payer_id(piece), piece.price.unit), []).append(index)
    for key, indexes in together.items():
        exact = [pieces[index].amount for index in indexes]
        shared = largest_remainder(exact, round_to(sum(exact, ZERO), QUANTUM), QUANTUM)
        lack = exact_sum([*was.get(key, []), *(-amount for amount in shared)])
        if abs(lack) <= QUANTUM * (len(shared) + len(was.get(key, []))):
            shared[-1] += lack
        amounts |= zip(indexes, shared, strict=True)
    return [_billed(piece, item, amounts[index]) for index, piece in enumerate(pieces)]


def _holders(billed: Iterable[Billed]) -> Iterator[Holding]:
    """Who has the units of an item, in their order."""
    stands = standing(each.held for each in billed)
    for cell in sorted(stands, key=lambda each: each[2]):
        yield from stands[cell].holdings


def _next_units(holders: list[Holding], units: Fraction) -> Iterator[Holding]:
    """Take so many units off the front of `holders`; what nobody is known to have, nobody's balance has."""
    while units > 0 and holders:
        first = holders[0]
        taken = min(first.units, units)
        holders[:1] = [] if taken == first.units else [Holding(first.segment_id, first.units - taken)]
        units -= taken
        yield first._replace(units=taken)
    if units > 0:
        yield Holding(None, units)


def _payment(stretch: Stretch, segment_id: UUID | None) -> tuple[Payment | None, Price]:
    """Who pays, and at what price; nobody's balance, where this one may not pay any more."""
    for balance, paying in stretch.paying.items():
        if balance.segment.id == segment_id:
            return payment(paying), paying.price
    return None, stretch.asked()


def payment(paying: Paying) -> Payment:
    return Payment(paying.balance, paying.exchange, paying.converts)


def _divided(piece: Piece, payment: Payment, left: Fraction) -> Iterator[Piece]:
    """What `left` pays, and what is beyond."""
    rest = piece.price if piece.price.unit == piece.stretch.asked().unit else piece.stretch.asked()
    if payment.balance.counts_units:
        middle = piece.above + left
        paid = piece.amount * left / (piece.upto - piece.above)
        if left:
            yield Piece(piece.stretch, piece.price, payment, piece.above, middle, paid, piece.share)
        yield Piece(piece.stretch, rest, None, middle, piece.upto, piece.amount - paid)
    else:
        paid = left / payment.exchange
        yield Piece(piece.stretch, piece.price, payment, piece.above, piece.upto, paid, piece.share)
        yield Piece(piece.stretch, rest, None, piece.upto, piece.upto, piece.amount - paid)


def _payer_id(piece: Piece) -> UUID | None:
    return None if piece.payment is None else piece.payment.balance.segment.id


def _billed(piece: Piece, item: Item, amount: Decimal) -> Billed:
    price, converts = piece.price, piece.payment is not None and piece.payment.converts
    units = round_to(piece.upto - piece.above, QUANTUM)
    metered = ZERO if item.is_composite else (piece.upto - piece.above) / _sold(item)
    part = Part(
        period=piece.stretch.period,
        metric_quantity=round_to(metered, QUANTUM),
        quantity=units,
        amount=amount,
        unit_price=_unit_price(amount, units),
        list_price=None,
        rate_id=price.rate.id,
        publication=price.rate.publication,
        published_by=price.rate.published_by,
        override_id=price.override.id if price.override is not None else None,
        losing_overrides=price.losing_overrides,
        segment_id=None if converts else _payer_id(piece),
        converted_by=_payer_id(piece) if converts else None,
        rate_type=price.tariff.type,
        charged=price.charged,
        above=round_to(piece.above, QUANTUM),
        upto=round_to(piece.upto, QUANTUM),
        share=None if piece.share is None else round_to(piece.share, QUANTUM),
    )
    return Billed(item.product_id, item.values, price.unit, part)


def _sold(item: Item) -> Fraction:
    """Sold units of a metered one."""
    return converted(Decimal(1), item.run.definition.conversion)


def _unit_price(amount: Decimal, units: Decimal) -> Decimal:
    """Of every unit, where there is one price."""
    exact = ratio(amount) / ratio(units) if units else ZERO
    price = round_to(exact, QUANTUM)
    return price if ratio(price) == exact and price >= 0 else Decimal(0)
