"""Why a document comes to more, or less, than the one before it, in finished words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.display import amount_text
from billing_site.foundation.money import Unit, exact_sum
from invoicing.engine.comparing import Compared, Part, compared
from invoicing.portal.documents import document_text
from invoicing.queries.shown import DRAFT, ShownDocument, ShownLine

APPLIED = "applied_commit_or_credit"
MEAN = "Where a price has tiers, or changed within a period, its part is that of the mean price of a unit."


@dataclass(frozen=True, slots=True)
class ComparedRow:
    name: str
    before: str
    now: str
    by_quantity: str
    by_price: str
    difference: str


@dataclass(frozen=True, slots=True)
class ComparedCard:
    title: str
    document: str
    before: str
    before_id: UUID
    said: str
    rows: tuple[ComparedRow, ...]
    total: ComparedRow
    notes: tuple[str, ...]

    @classmethod
    def of(cls, now: ShownDocument, before: ShownDocument, unit: Unit) -> "ComparedCard":
        """Of two documents in one currency."""
        rows = compared(
            _parts(before),
            _parts(now),
            total_before=before.total,
            total_now=now.total,
            step=unit.minor_step,
        )
        difference = exact_sum([row.difference for row in rows])
        return cls(
            title=_signed(difference, unit) if difference else "The same",
            document=document_text(now),
            before=document_text(before),
            before_id=before.id,
            said=", ".join(_sums(rows, unit)),
            rows=tuple(_row(row, unit) for row in rows if row.difference or row.by_quantity),
            total=ComparedRow(
                "Total",
                amount_text(before.total, unit),
                amount_text(now.total, unit),
                _signed(exact_sum([row.by_quantity or Decimal(0) for row in rows]), unit),
                _signed(exact_sum([row.by_price or Decimal(0) for row in rows]), unit),
                _signed(difference, unit),
            ),
            notes=tuple(_notes(now, rows)),
        )


def _parts(document: ShownDocument) -> Iterator[Part]:
    """The lines that count, and the tax."""
    for line in document.lines:
        if line.counts:
            yield Part(
                key=(line.type, str(line.fields.get("product_id", line.name)), *_dimensions(line)),
                name=line.name,
                quantity=None if line.type == APPLIED else line.quantity,
                amount=line.total,
                unit_price=line.unit_price,
            )
    tax = exact_sum([document.total, -document.subtotal])
    if tax:
        yield Part(("tax",), "Tax", None, tax)


def _dimensions(line: ShownLine) -> Iterator[tuple[str, str]]:
    """Its values of those that it is priced by, and of those that it is told apart by."""
    for name in ("pricing_group_values", "presentation_group_values"):
        yield from sorted((key, value or "") for key, value in line.fields.get(name, {}).items())


def _row(row: Compared, unit: Unit) -> ComparedRow:
    return ComparedRow(
        name=row.name,
        before="new" if row.before is None else amount_text(row.before, unit),
        now="gone" if row.now is None else amount_text(row.now, unit),
        by_quantity="" if row.by_quantity is None else _signed(row.by_quantity, unit),
        by_price="" if row.by_price is None else _signed(row.by_price, unit),
        difference=_signed(row.difference, unit),
    )


def _sums(rows: Sequence[Compared], unit: Unit) -> Iterator[str]:
    """ "+$300.00 by quantity", "-$20.00 by price", "+$5.00 new": they add up to the difference."""
    apart = [row for row in rows if row.by_quantity is not None]
    rest = [row for row in rows if row.by_quantity is None]
    for amounts, what in (
        ([row.by_quantity or Decimal(0) for row in apart], "by quantity"),
        ([row.by_price or Decimal(0) for row in apart], "by price"),
        ([row.difference for row in rest if row.is_new], "new"),
        ([row.difference for row in rest if row.is_gone], "gone"),
        ([row.difference for row in rest if not (row.is_new or row.is_gone)], "by what has no quantity"),
    ):
        amount = exact_sum(amounts)
        if amount:
            yield f"{_signed(amount, unit)} {what}"


def _notes(now: ShownDocument, rows: Sequence[Compared]) -> Iterator[str]:
    if now.status == DRAFT:
        yield "This document is a draft: it has the usage that is there so far."
    if any(row.is_mean and row.by_price for row in rows):
        yield MEAN


def _signed(amount: Decimal, unit: Unit) -> str:
    return f"{'+' if amount > 0 else ''}{amount_text(amount, unit)}" if amount else "—"
