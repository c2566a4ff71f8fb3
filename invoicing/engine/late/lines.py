"""What an adjustment says, and what it posts.

One line for each slice and payer, with the number and period of the document that it adjusts; beside it, of the other
sign, the balance that is applied to it, as on any usage line. Its quantity is how many units came or went; there is
none where units that stay cost another price. What is priced in a custom unit is converted, as ever.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import inf
from typing import Any

from billing_site.foundation.money import QUANTUM, Unit, largest_remainder, round_to
from billing_site.foundation.periods import HOUR
from invoicing.engine.balances import Balance
from invoicing.engine.documents import Adjusted, Entry, Line, Part
from invoicing.engine.items import LONGEST_NAME
from invoicing.engine.late.rerate import Rerated
from invoicing.engine.late.slices import Move, Payment, SettledMove, Slice
from invoicing.engine.lines import applied_line, payer_fields
from invoicing.engine.stretches import Paying
from pricing.engine.catalog import Catalog
from pricing.engine.quantities import converted

ZERO = Fraction(0)


@dataclass(slots=True, eq=False)
class Share:
    """What one payer has of a slice, in one unit: a line. What is converted to money is shown as paid only where it is
    converted, and until then it is one with what nobody paid."""

    slice: Slice
    payer: Balance | None
    unit: Unit
    moves: list[tuple[Paying | Payment | None, Move | SettledMove]]
    amount: Decimal = Decimal(0)  # these in 12 decimals, known when they are shared out
    amounts: Sequence[Decimal] = ()

    @property
    def exact_amounts(self) -> list[Fraction]:
        return [move.amount for _, move in self.moves]

    @property
    def exact(self) -> Fraction:
        return sum(self.exact_amounts, ZERO)

    @property
    def units(self) -> Decimal:
        return round_to(sum((move.units for _, move in self.moves), ZERO), QUANTUM)


@dataclass(slots=True, eq=False)
class Conversion:
    """What one payer pays in money for what was priced in a custom unit."""

    converted: Unit
    payer: Balance | None
    unit: Unit
    exchange: Fraction
    exact: Fraction = ZERO
    amount: Decimal = Decimal(0)
    quantity: Decimal = Decimal(0)  # of the custom unit


def adjustment_lines(rerated: Rerated, catalog: Catalog) -> Iterator[Line]:
    """In the card's order of products, then by time and payer; conversions last."""
    fiat = rerated.closed.now.seller.card.fiat
    shares = sorted(_shares(rerated), key=lambda share: _order(share, rerated))
    conversions = _conversions(shares, fiat)
    _share_out([*shares, *conversions.values()], rerated)
    for share in shares:
        share.amounts = _split(share.exact_amounts, share.amount)
        for (paying, _), amount in zip(share.moves, share.amounts, strict=True):
            if conversion := conversions.get(_converted(share, paying, fiat)):
                conversion.quantity += amount
    for share in shares:
        yield from _with_applied(_line(share, rerated, fiat), share.payer, share.units, catalog)
    for conversion in sorted(conversions.values(), key=lambda each: (each.converted.name, _rank(each.payer))):
        if conversion.exact:
            line = _conversion_line(conversion, rerated)
            yield from _with_applied(line, conversion.payer, Decimal(0), catalog)


def deductions(rerated: Rerated) -> Iterator[Entry]:
    """What it would post on balances, dated as if it had been in time."""
    for balance, amount in sorted(rerated.deductions.items(), key=lambda pair: pair[0].rank):
        if amount:
            yield Entry(
                type=f"{balance.commit.ledger_name}_AUTOMATED_INVOICE_DEDUCTION",
                commit_id=balance.commit.id,
                segment_id=balance.segment.id,
                amount=-amount,
                timestamp=rerated.closed.now.open.ending_before,
                adjusts=rerated.closed.adjusts,
            )


def adjustment_of(name: str, adjusts: Adjusted) -> str:
    """ "Tokens (model: xl), adjustment of ACME-0007 (1 Oct to 31 Oct 2025)"."""
    assert adjusts.period.ending_before is not None, "billing periods have an end"
    last = adjusts.period.ending_before - HOUR
    when = f"{adjusts.period.starting_at:%-d %b} to {last:%-d %b %Y}"
    about = f", adjustment of {adjusts.number} ({when})"
    room = LONGEST_NAME - len(about)
    return (name if len(name) <= room else f"{name[: room - 1]}…") + about


def _shares(rerated: Rerated) -> Iterator[Share]:
    for slice_ in rerated.slices:
        found: dict[tuple[Balance | None, Unit], Share] = {}
        for paying, moves in slice_.moves.items():
            payer = None if paying is None or paying.converts else paying.balance
            for move in moves:
                unit = move.unit
                found.setdefault((payer, unit), Share(slice_, payer, unit, [])).moves.append((paying, move))
        yield from found.values()


def _conversions(shares: Sequence[Share], fiat: Unit) -> dict[tuple[Unit, Balance | None] | None, Conversion]:
    """By custom unit and payer."""
    found: dict[tuple[Unit, Balance | None] | None, Conversion] = {}
    for share in shares:
        for paying, move in share.moves:
            if key := _converted(share, paying, fiat):
                exchange = share.slice.stretch.exchange if paying is None else paying.exchange
                conversion = found.setdefault(key, Conversion(*key, fiat, exchange))
                conversion.exact += move.amount * exchange
    return found


def _converted(share: Share, paying: Paying | Payment | None, fiat: Unit) -> tuple[Unit, Balance | None] | None:
    """Which conversion a move is part of; None where it is paid in its own unit."""
    if share.unit == fiat or share.payer is not None:
        return None
    return share.unit, None if paying is None else paying.balance


def _share_out(paid: Sequence[Share | Conversion], rerated: Rerated) -> None:
    """Give each its amount: what lines of one payer and unit add up to is what the payer's balance is charged with,
    where it is money."""
    for payer, unit in dict.fromkeys((each.payer, each.unit) for each in paid):
        alike = [each for each in paid if each.payer is payer and each.unit == unit]
        exact = [each.exact for each in alike]
        total = round_to(sum(exact, ZERO), QUANTUM)
        if payer is not None and not payer.counts_units:
            total = rerated.deductions[payer]
        for each, amount in zip(alike, _split(exact, total), strict=True):
            each.amount = amount


def _rank(payer: Balance | None) -> float:
    return inf if payer is None else payer.rank


def _order(share: Share, rerated: Rerated) -> tuple[int, Any, datetime, float]:
    item = share.slice.item
    order = rerated.closed.now.product_order
    place = order.index(item.product_id) if item.product_id in order else len(order)  # not sold any more
    return place, item.values_order, share.slice.stretch.starting_at, _rank(share.payer)


def _split(exact: Sequence[Fraction], total: Decimal) -> list[Decimal]:
    return [total] if len(exact) == 1 else largest_remainder(exact, total, QUANTUM)


def _line(share: Share, rerated: Rerated, fiat: Unit) -> Line:
    item, adjusts, units = share.slice.item, rerated.closed.adjusts, share.units
    period = adjusts.period.overlap(share.slice.stretch.period) or adjusts.period
    return Line(
        type="usage",
        name=adjustment_of(item.name, adjusts),
        total=share.amount,
        unit=share.unit,
        counts=share.unit == fiat,
        product_id=item.product_id,
        product_type="COMPOSITE" if item.is_composite else "USAGE",
        quantity=units if units else None,
        unit_price=_unit_price(share.amount, units),
        period=period,
        pricing_group_values=item.pricing_group_values,
        presentation_group_values=item.presentation_group_values,
        adjusts=adjusts,
        parts=tuple(_parts(share)),
        **payer_fields(share.payer),
    )


def _unit_price(amount: Decimal, units: Decimal) -> Decimal | None:
    """The price of every unit, where there is one."""
    if not units:
        return None
    exact = Fraction(amount) / Fraction(units)
    price = round_to(exact, QUANTUM)
    return price if price == exact and price >= 0 else None


def _parts(share: Share) -> Iterator[Part]:
    metered = converted(Decimal(1), share.slice.item.run.definition.conversion)
    for (paying, move), amount in zip(share.moves, share.amounts, strict=True):
        if isinstance(move, SettledMove):
            yield move.part._replace(amount=amount)
            continue
        converts = paying is not None and paying.converts
        segment_id = None if paying is None else paying.balance.segment.id
        units, price = round_to(move.units, QUANTUM), move.price
        yield Part(
            period=share.slice.stretch.period,
            metric_quantity=round_to(move.units / metered, QUANTUM),
            quantity=units,
            amount=amount,
            unit_price=_unit_price(amount, units) or Decimal(0),
            list_price=None,
            rate_id=price.rate.id,
            publication=price.rate.publication,
            published_by=price.rate.published_by,
            override_id=price.override.id if price.override is not None else None,
            losing_overrides=price.losing_overrides,
            segment_id=None if converts else segment_id,
            converted_by=segment_id if converts else None,
            rate_type=price.tariff.type,
            charged=price.charged,
            above=round_to(move.above, QUANTUM),
            upto=round_to(move.upto, QUANTUM),
            share=None if move.share is None else round_to(move.share, QUANTUM),
        )


def _conversion_line(conversion: Conversion, rerated: Rerated) -> Line:
    adjusts, unit, payer = rerated.closed.adjusts, conversion.unit, conversion.payer
    return Line(
        type="cpu_conversion",
        name=adjustment_of(f"{conversion.converted.name} in {unit.name}", adjusts),
        total=conversion.amount,
        unit=unit,
        quantity=conversion.quantity,
        unit_price=round_to(conversion.exchange, QUANTUM),
        period=adjusts.period if payer is None else adjusts.period.overlap(payer.period),
        converted=conversion.converted,
        adjusts=adjusts,
        **payer_fields(payer),
    )


def _with_applied(line: Line, payer: Balance | None, units: Decimal, catalog: Catalog) -> Iterator[Line]:
    yield line
    if payer is not None:
        yield applied_line(line, payer, catalog, units)
