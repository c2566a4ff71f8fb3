"""A document in finished words, as it is printed: the same on paper and on the screen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing_site.foundation.display import day_text, exact_text, instant_text, period_text, quantity_text, unit_text
from billing_site.foundation.money import Unit
from billing_site.foundation.periods import parse_instant
from invoicing.printing.lines import PrintedLine
from invoicing.queries.addressees import STATEMENT
from invoicing.queries.shown import FINALIZED, ShownDocument

PAPER = {"US": "us-letter", "CA": "us-letter", "MX": "us-letter"}  # elsewhere A4


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and what it says."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Party:
    label: str
    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PrintedDocument:
    """`stamp` is what is written across it: DRAFT, VOID, or nothing. `totals` end with what is to be paid, and
    `remittance` says where to, unless there is nothing to pay."""

    title: str
    stamp: str
    paper: str
    issuer: Party | None
    bill_to: Party
    facts: tuple[Fact, ...]
    lines: tuple[PrintedLine, ...]
    totals: tuple[Fact, ...]
    remittance: tuple[str, ...]
    notes: tuple[str, ...]
    footer: str

    @property
    def parties(self) -> tuple[Party, ...]:
        return (self.bill_to,) if self.issuer is None else (self.bill_to, self.issuer)


def printed(shown: ShownDocument, units: Mapping[UUID, Unit]) -> PrintedDocument:
    """`units` are all pricing units by id."""
    fields, unit = shown.fields, units[shown.unit_id]
    title = fields.get("title", STATEMENT)
    issuer = fields.get("issuer")
    return PrintedDocument(
        title=title,
        stamp="" if shown.status == FINALIZED else shown.status,
        paper=PAPER.get(issuer.get("country", ""), "a4") if issuer else "a4",
        issuer=_party("From", issuer) if issuer else None,
        bill_to=_party("Billed to", fields.get("bill_to", {"name": ""})),
        facts=tuple(_facts(shown, unit)),
        lines=tuple(PrintedLine.of(line, units[line.unit_id]) for line in shown.lines),
        totals=tuple(totals_of(shown, unit)),
        remittance=tuple(issuer.get("remittance", ())) if issuer and shown.total > 0 else (),
        notes=tuple(_notes(shown)),
        footer=" · ".join(filter(None, [issuer["name"] if issuer else "", title, shown.number])),
    )


def _party(label: str, party: Mapping[str, Any]) -> Party:
    tax_id = [f"Tax id {party['tax_id']}"] if "tax_id" in party else []
    country = [party["country"]] if "country" in party else []
    email = [party["email"]] if "email" in party else []
    return Party(
        label, party["name"], (*party.get("address", ()), *country, *tax_id, *email, *party.get("contacts", ()))
    )


def _facts(shown: ShownDocument, unit: Unit) -> Iterator[Fact]:
    fields = shown.fields
    if shown.number is not None:
        yield Fact("Number", shown.number)
    yield Fact("Date", day_text(shown.issued_at))
    if "correction_of" in fields:
        yield Fact("Corrects", fields["correction_of"]["invoice_number"])
    if "due_at" in fields:
        yield Fact("Due", day_text(parse_instant(fields["due_at"])))
    if shown.period is not None:
        yield Fact("Period", period_text(shown.period))
    if fields.get("contract_name"):
        yield Fact("Contract", fields["contract_name"])
    if "purchase_order" in fields.get("bill_to", {}):
        yield Fact("Purchase order", fields["bill_to"]["purchase_order"])
    yield Fact("Amounts in", unit_text(unit))


def totals_of(shown: ShownDocument, unit: Unit) -> Iterator[Fact]:
    """What stands under the lines of a document."""
    return total_facts(shown.fields.get("tax_lines", ()), shown.subtotal, shown.total, unit)


def total_facts(taxes: Sequence[Mapping[str, str]], subtotal: Decimal, total: Decimal, unit: Unit) -> Iterator[Fact]:
    """What is to be paid comes last; before it, where there is tax, how it came about."""
    if taxes:
        yield Fact("Subtotal", exact_text(subtotal, unit))
    for tax in taxes:
        label = (
            f"{tax['name']} {quantity_text(Decimal(tax['percent']))}% of {exact_text(Decimal(tax['taxable']), unit)}"
        )
        yield Fact(label, exact_text(Decimal(tax["amount"]), unit))
    yield Fact("Total", exact_text(total, unit))


def _notes(shown: ShownDocument) -> Iterator[str]:
    if shown.finalizes_at is not None:
        final = instant_text(shown.finalizes_at)
        yield f"A draft, as of now. It changes with usage, and is rounded when it is final, {final}."
    if "tax_problem" in shown.fields:
        yield f"Tax is not in the total yet. {shown.fields['tax_problem']}"
    if "tax_exemption" in shown.fields.get("bill_to", {}):
        yield f"No tax is charged: {shown.fields['bill_to']['tax_exemption']}"
    if any(not line.counts for line in shown.lines):
        yield "Amounts in grey are shown for information and are not in the total."
    yield "All times are UTC."
