"""What the pages of balances show, in finished words: a customer's as a table, and one as it has burnt down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import accumulate, compress
from uuid import UUID

from billing_site.foundation.display import amount_text, day_text, exact_text, instant_text, period_text
from billing_site.foundation.money import Unit, exact_sum
from billing_site.foundation.periods import Period
from contracts.commit_wording import NOUNS
from invoicing.queries.balances import Balance
from invoicing.queries.burn_down import Point
from invoicing.queries.movements import Movement

COLUMNS = ("Granted", "Left", "Used", "Pending", "Expired", "By hand", "Rolled over", "To come")
ALWAYS = ("Granted", "Left")
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
class BalanceRow:
    """One commit or credit. Empty where there is nothing to say."""

    commit_id: UUID
    name: str
    contract_id: UUID | None
    contract: str
    term: str
    amounts: tuple[str, ...]  # as COLUMNS name them, or the columns of its table
    is_over: bool

    @classmethod
    def of(cls, held: Balance, at: datetime, contract_names: Mapping[UUID, str]) -> "BalanceRow":
        """`contract_names` are those of the customer's contracts."""
        statement, unit = held.statement, held.committed.commit.held_in
        amounts = (
            statement.used,
            statement.pending,
            statement.expired,
            statement.manual,
            statement.rolled_over,
            statement.to_come,
        )
        term = term_of(held)
        return cls(
            commit_id=held.committed.commit.pk,
            name=name_of(held),
            contract_id=held.contract.pk if held.contract else None,
            contract=contract_names[held.contract.pk] if held.contract else "All of the customer's",
            term=period_text(term) if term else "",
            amounts=(
                amount_text(statement.granted, unit),
                amount_text(statement.left, unit),
                *(amount_text(each, unit) if each else "" for each in amounts),
            ),
            is_over=term is not None and term.ending_before is not None and term.ending_before <= at,
        )


@dataclass(frozen=True, slots=True)
class BalanceTable:
    """Rows with the columns in which any of them says anything, so that a table stays as narrow as it can."""

    columns: tuple[str, ...]
    rows: tuple[BalanceRow, ...]

    @classmethod
    def of(cls, rows: Sequence[BalanceRow]) -> "BalanceTable":
        told = [name in ALWAYS or any(row.amounts[place] for row in rows) for place, name in enumerate(COLUMNS)]
        return cls(
            columns=tuple(compress(COLUMNS, told)),
            rows=tuple(replace(row, amounts=tuple(compress(row.amounts, told))) for row in rows),
        )


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


@dataclass(frozen=True, slots=True)
class BalanceScreen:
    table: BalanceTable
    chart: Chart | None
    ledger: tuple[LedgerRow, ...]

    @property
    def row(self) -> BalanceRow:
        return self.table.rows[0]

    @classmethod
    def of(
        cls,
        held: Balance,
        points: Sequence[Point],
        numbers: Mapping[UUID, str],
        at: datetime,
        contract_names: Mapping[UUID, str],
    ) -> "BalanceScreen":
        """`numbers` are those of final documents, by id."""
        unit, moved = held.committed.commit.held_in, held.statement.movements
        seats = seats_of(held)
        sums = accumulate((each.amount for each in moved), lambda left, amount: exact_sum([left, amount]))
        return cls(
            table=BalanceTable.of([BalanceRow.of(held, at, contract_names)]),
            chart=_chart(points, unit),
            ledger=tuple(_entry(each, left, unit, numbers, seats) for each, left in zip(moved, sums, strict=True)),
        )


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
    movement: Movement, left: Decimal, unit: Unit, numbers: Mapping[UUID, str], seats: Mapping[UUID, str]
) -> LedgerRow:
    """`seats` are those that have a part of the balance of their own, by segment."""
    seat = seats.get(movement.segment_id) if movement.segment_id else None
    whose = f", seat {seat}" if seat else ""
    return LedgerRow(
        when=instant_text(movement.timestamp),
        what=f"{_what(movement, numbers)}{whose}",
        amount=exact_text(movement.amount, unit),
        left=exact_text(left, unit),
    )


def _what(movement: Movement, numbers: Mapping[UUID, str]) -> str:
    words = next(text for end, text in WORDS.items() if movement.type.endswith(end))
    if movement.is_pending:
        return f"{words}, pending in a draft"
    if movement.invoice_id is not None and movement.invoice_id in numbers:
        return f"{words}, invoice {numbers[movement.invoice_id]}"
    return f"{words}: {movement.reason}" if movement.reason else words


def _chart(points: Sequence[Point], unit: Unit) -> Chart | None:
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
