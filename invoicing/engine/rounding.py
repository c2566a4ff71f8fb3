"""Rounding a document once, when it becomes final: design rule 7.

1. The total is rounded half away from zero to the unit's minor step.
2. The payable lines (all that count, but for usage paid by a prepaid commit or a credit) are rounded so that they add
   up to it, by largest remainder: none moves by a full step.
   Adjustments of a final document are rounded by themselves: they add up to what that document would print for all of
   it, less what was printed for it before.
3. Usage so paid and the balance applied to it are rounded alike and cancel; an applied postpaid
   commit mirrors the line it is applied to. Lines in a custom unit are printed as they are: what is paid for them is on
   the line that converts them.
4. Ledger entries stay exact, and carry beside that what was billed for them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from billing_site.foundation.money import exact_sum, largest_remainder, round_to
from contracts.terms import CREDIT, PREPAID
from invoicing.engine.documents import Adjusted, Document, Entry, Line
from invoicing.engine.exact import EXACT


@dataclass(frozen=True, slots=True)
class RoundedEntry:
    """An entry with its exact amount, and the amount as the document prints it. Both signed alike."""

    entry: Entry
    billed: Decimal


@dataclass(frozen=True, slots=True)
class RoundedDocument:
    """`totals` are those of the document's lines in their order; those of lines that count add up to `total`."""

    document: Document
    totals: tuple[Decimal, ...]
    total: Decimal
    entries: tuple[RoundedEntry, ...]

    @property
    def unrounded_total(self) -> Decimal:
        return self.document.total


def finalized(document: Document) -> RoundedDocument:
    """The document as it is printed when it becomes final."""
    with localcontext(EXACT):
        totals = tuple(_printed(document))
        total = exact_sum([total for line, total in zip(document.lines, totals, strict=True) if line.counts])
        entries = tuple(RoundedEntry(entry, _billed(entry, document.lines, totals)) for entry in document.entries)
    return RoundedDocument(document, totals, total, entries)


def _printed(document: Document) -> Iterator[Decimal]:
    step = document.unit.minor_step
    payable: dict[Adjusted | None, list[Decimal]] = {}
    for line in document.lines:
        if _is_payable(line, document):
            payable.setdefault(line.adjusts, []).append(line.total)
    shares = {
        adjusts: iter(largest_remainder(totals, _total(adjusts, totals, step), step))
        for adjusts, totals in payable.items()
    }
    printed = Decimal(0)
    for line in document.lines:
        if _is_payable(line, document):
            printed = next(shares[line.adjusts])
        elif line.unit != document.unit:
            printed = line.total
        elif _is_applied(line):
            printed = -printed  # of the line before, to which it is applied
        else:
            printed = round_to(line.total, step)
        yield printed


def _total(adjusts: Adjusted | None, totals: Sequence[Decimal], step: Decimal) -> Decimal:
    if adjusts is None:
        return round_to(exact_sum(totals), step)
    return round_to(exact_sum([adjusts.unrounded, *totals]), step) - adjusts.printed


def _is_applied(line: Line) -> bool:
    return line.type == "applied_commit_or_credit"


def _is_payable(line: Line, document: Document) -> bool:
    is_paid = line.type in ("usage", "subscription", "cpu_conversion") and line.commit_type in (PREPAID, CREDIT)
    return line.unit == document.unit and not _is_applied(line) and not is_paid


def _billed(entry: Entry, lines: Sequence[Line], totals: Sequence[Decimal]) -> Decimal:
    """What the lines that the entry stands for print: those that a segment covers, or the true-up of a commit.

    Units are posted as they are. What goes over to a renewal is on no line.
    """
    if entry.new_contract_id is not None:
        return Decimal(0)
    of_entry = [
        (line, total)
        for line, total in zip(lines, totals, strict=True)
        if line.adjusts == entry.adjusts and line.segment_id == entry.segment_id
    ]
    if any(line.quantity_consumed is not None for line, _ in of_entry):
        return entry.amount
    printed = [total for line, total in of_entry if not _is_applied(line) and line.commit_id == entry.commit_id]
    return -exact_sum(printed)
