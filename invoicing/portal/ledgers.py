"""How a balance has moved: its ledger in words, and the line of its burn-down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from uuid import UUID

from billing_site.foundation.display import amount_text, day_text, exact_text, instant_text
from billing_site.foundation.money import Unit, exact_sum
from billing_site.foundation.periods import Period
from contracts.commit_wording import NOUNS
from invoicing.queries.balances import Balance
from invoicing.queries.burn_down import Point
from invoicing.queries.movements import Movement

WIDTH, HEIGHT = 600, 120  # of the chart, in its own units
WORDS = {
    "START": "Granted",
    "INITIAL_BALANCE": "Promised",
    "DEDUCTION": "Drawn",
    "EXPIRATION": "Expired",
    "SEAT_BASED_ADJUSTMENT": "Seats added",
    "CREDITED": "Given back",
    "MANUAL": "By hand",
    "ROLLOVER": "Gone over to the renewal",
    "TRUEUP": "Billed as true-up",
}


@dataclass(frozen=True, slots=True)
class LedgerRow:
    when: str
    what: str
    amount: str
    left: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What was left over time, as the points of an SVG polyline in a box of WIDTH and HEIGHT."""

    points: str
    summary: str
    top: str
    start: str
    end: str
    width: int = WIDTH
    height: int = HEIGHT


def ledger_of(held: Balance, numbers: Mapping[UUID, str], *, with_reasons: bool = True) -> tuple[LedgerRow, ...]:
    """`numbers` are those of final documents, by id. Reasons of what was done by hand are the company's own."""
    unit, moved, seats = held.committed.commit.held_in, held.statement.movements, seats_of(held)
    sums = accumulate((each.amount for each in moved), lambda left, amount: exact_sum([left, amount]))
    return tuple(_entry(each, left, unit, numbers, seats, with_reasons) for each, left in zip(moved, sums, strict=True))


def name_of(held: Balance) -> str:
    commit = held.committed.commit
    return commit.name or f"{NOUNS[commit.type]}: {commit.product.name}"


def seats_of(held: Balance) -> dict[UUID, str]:
    """Of what is for each seat by itself: whose each segment is; empty: nobody's."""
    return {each.segment.id: each.segment.seat[1] for each in held.statement.standings if each.segment.seat}


def term_of(held: Balance) -> Period | None:
    """From the first access to the last; None where there is none any more."""
    segments = held.committed.segments
    if not segments:
        return None
    return Period(min(each.starting_at for each in segments), max(each.ending_before for each in segments))


def _entry(
    movement: Movement,
    left: Decimal,
    unit: Unit,
    numbers: Mapping[UUID, str],
    seats: Mapping[UUID, str],
    with_reasons: bool,
) -> LedgerRow:
    """`seats` are those that have a part of the balance of their own, by segment."""
    seat = seats.get(movement.segment_id) if movement.segment_id else None
    whose = f", seat {seat}" if seat else ""
    return LedgerRow(
        when=instant_text(movement.timestamp),
        what=f"{_what(movement, numbers, with_reasons)}{whose}",
        amount=exact_text(movement.amount, unit),
        left=exact_text(left, unit),
    )


def _what(movement: Movement, numbers: Mapping[UUID, str], with_reasons: bool) -> str:
    words = next(text for end, text in WORDS.items() if movement.type.endswith(end))
    if movement.is_pending:
        return f"{words}, pending in a draft"
    if movement.invoice_id is not None and movement.invoice_id in numbers:
        return f"{words}, invoice {numbers[movement.invoice_id]}"
    return f"{words}: {movement.reason}" if movement.reason and with_reasons else words


def chart_of(points: Sequence[Point], unit: Unit) -> Chart | None:
    if not points:
        return None
    start, now, top = points[0].at, points[-1], max(each.left for each in points)
    corners = [f"{WIDTH * ((each.at - start) / (now.at - start)):.1f},{_height(each.left, top)}" for each in points]
    most, left = amount_text(top, unit), amount_text(now.left, unit)
    return Chart(
        points=" ".join(corners),
        summary=f"{most} at the most, {left} left on {day_text(now.at)}",
        top=most,
        start=day_text(start),
        end=f"{day_text(now.at)}: {left}",
    )


def _height(left: Decimal, top: Decimal) -> int:
    """From above, as SVG counts."""
    return HEIGHT - int(HEIGHT * left / top) if top else HEIGHT
