"""What was sold by month: of each product or segment, final documents and drafts apart; and the chart of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from babel.dates import format_datetime

from billing_site.foundation.display import LOCALE, NOTHING, amount_text
from billing_site.foundation.money import Unit, exact_sum, major_amount, round_to
from billing_site.foundation.periods import add_months
from invoicing.finance.reading import Books
from invoicing.finance.tables import Cell, Row, Table
from invoicing.queries.sold import Sold
from pricing.sheets.cells import guarded

PRODUCT, SEGMENT = "product", "segment"
COLOURS = 8  # of a chart: what is sold of further products is shown together
NO_SEGMENT = "no value"
DRAFTS = "Drafts, not final yet"
REVENUE_COLUMNS = (
    *("month", "currency", "product", "product_id", "segment", "documents", "sold", "paid_by_credits"),
    "sold_without_credits",
)


@dataclass(frozen=True, slots=True)
class Line:
    """What a row of the table is made of: by month, what is final; and what drafts of any month come to."""

    name: str
    final: dict[datetime, Decimal]
    drafts: dict[datetime, Decimal]

    @property
    def total(self) -> Decimal:
        return exact_sum([*self.final.values()])

    @property
    def draft_total(self) -> Decimal:
        return exact_sum([*self.drafts.values()])


def months_of(books: Books) -> list[datetime]:
    months = books.asked.months(books.at)
    return [add_months(months.starting_at, number) for number in range(books.asked.span)]


def lines_of(books: Books, by: str) -> dict[UUID, list[Line]]:
    """By unit, in the order of names; amounts without what credits paid."""
    found: dict[tuple[UUID, str], Line] = {}
    for each in (*books.final, *books.drafts):
        if each.month is None:
            continue
        name = books.product(each.product_id) if by == PRODUCT else each.segment or NO_SEGMENT
        line = found.setdefault((each.unit_id, name), Line(name, {}, {}))
        amounts = line.drafts if each.is_draft else line.final
        amounts[each.month] = exact_sum([amounts.get(each.month, Decimal(0)), each.net])
    lines: dict[UUID, list[Line]] = {}
    for unit_id in sorted({unit_id for unit_id, _ in found}, key=books.unit_code):
        of_unit = [line for (each, _), line in found.items() if each == unit_id]
        lines[unit_id] = sorted(of_unit, key=lambda line: line.name.lower())
    return lines


def revenue_tables(books: Books, by: str) -> list[Table]:
    """One for each unit: what is final, what is still a draft, and what is final by month, the latest first."""
    months = months_of(books)[::-1]
    columns = (
        (by.capitalize(), False),
        ("Final", True),
        ("Drafts now", True),
        *((month_heading(month), True) for month in months),
    )
    tables = []
    for unit_id, lines in lines_of(books, by).items():
        unit = books.units[unit_id]
        rows = [_row(line.name, line, months, unit) for line in lines]
        if len(lines) > 1:
            rows.append(_row("All", _together(lines), months, unit, is_strong=True))
        tables.append(Table("revenue", books.unit_code(unit_id), columns, tuple(rows), empty=""))
    return tables


def charts_of(books: Books, by: str) -> list[dict[str, Any]]:
    """For each unit what a script draws: stacked by month, drafts on top of what is final. Numbers are text, in the
    major unit, to the minor one."""
    months = months_of(books)
    charts = []
    for unit_id, lines in lines_of(books, by).items():
        unit = books.units[unit_id]
        series = [(line.name, [line.final.get(month, Decimal(0)) for month in months]) for line in _few(lines)]
        together = _together(lines)
        drafts = [together.drafts.get(month, Decimal(0)) for month in months]
        series.append((DRAFTS, drafts))
        charts.append(
            {
                "id": f"chart-{unit_id}",
                "summary": f"Sold by month and {by}, in {books.unit_code(unit_id)}: "
                f"{amount_text(together.total, unit)} final, {amount_text(together.draft_total, unit)} on drafts.",
                "labels": [month_heading(month) for month in months],
                "series": [
                    {
                        "name": name,
                        "is_quiet": name == DRAFTS,
                        "values": [plain_major(amount, unit) for amount in amounts],
                        "texts": [amount_text(amount, unit) for amount in amounts],
                    }
                    for name, amounts in series
                ],
            }
        )
    return charts


def revenue_sheet(books: Books) -> Iterator[Sequence[str]]:
    """By month, product and segment, whatever the page shows."""
    dated = [each for each in (*books.final, *books.drafts) if each.month is not None]
    for each in sorted(dated, key=lambda each: _order(books, each)):
        assert each.month is not None
        yield [
            f"{each.month:%Y-%m}",
            books.unit_cell(each.unit_id),
            guarded(books.product(each.product_id)),
            "" if each.product_id is None else str(each.product_id),
            guarded(each.segment) if each.segment else "",
            "DRAFT" if each.is_draft else "FINALIZED",
            *(books.amount_cell(amount, each.unit_id) for amount in (each.amount, each.by_credits, each.net)),
        ]


def month_heading(month: datetime) -> str:
    """ "Oct 2025"."""
    return format_datetime(month, "MMM y", locale=LOCALE)


def _order(books: Books, each: Sold) -> tuple[Any, ...]:
    return each.month, books.unit_code(each.unit_id), books.product(each.product_id), each.segment, each.is_draft


def _row(name: str, line: Line, months: Sequence[datetime], unit: Unit, *, is_strong: bool = False) -> Row:
    def cell(amount: Decimal, *, strong: bool = False) -> Cell:
        return Cell(amount_text(amount, unit) if amount else NOTHING, is_number=True, is_strong=strong or is_strong)

    return Row(
        (
            Cell(name, is_strong=is_strong),
            cell(line.total, strong=True),
            cell(line.draft_total),
            *(cell(line.final.get(month, Decimal(0))) for month in months),
        )
    )


def _together(lines: Sequence[Line], name: str = "") -> Line:
    def summed(parts: Sequence[dict[datetime, Decimal]]) -> dict[datetime, Decimal]:
        months = {month for part in parts for month in part}
        return {month: exact_sum([part.get(month, Decimal(0)) for part in parts]) for month in months}

    return Line(name, summed([line.final for line in lines]), summed([line.drafts for line in lines]))


def _few(lines: Sequence[Line]) -> Sequence[Line]:
    """Those on which most was sold, in their own order; the rest is one."""
    if len(lines) <= COLOURS:
        return lines
    most = sorted(lines, key=lambda line: line.total, reverse=True)[: COLOURS - 1]
    rest = [line for line in lines if line not in most]
    return [*(line for line in lines if line in most), _together(rest, f"{len(rest)} further")]


def plain_major(amount: Decimal, unit: Unit) -> str:
    """What a chart draws: in the major unit, to the minor one."""
    return format(major_amount(round_to(amount, unit.minor_step), unit), "f")
