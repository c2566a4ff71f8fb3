"""The rows of a final document: everything that it printed, and everything that it was computed from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db import connection

from billing_site.foundation.actor import Actor
from billing_site.foundation.money import exact_sum
from billing_site.foundation.periods import parse_instant
from billing_site.foundation.refusals import Conflict
from contracts.models import Customer
from invoicing.engine.calendar import FIRST_GENERATION
from invoicing.engine.documents import Document
from invoicing.engine.rounding import RoundedDocument, RoundedEntry, finalized
from invoicing.frozen import frozen, hash_of
from invoicing.models import Invoice, InvoiceLine, InvoiceVoid
from invoicing.queries.addressees import addressee, untaxed
from invoicing.queries.compute import Computation
from invoicing.queries.shown import document_fields, frozen_parts, line_fields, orders_in
from invoicing.queries.taxation import UNTAXED, Taxation, note_taxation, taxation
from invoicing.services.numbering import CREDIT_NOTES, HISTORICAL, INVOICES, next_number
from ledger.models import LedgerEntry
from ledger.models.entries import GIVEN_BACK_BY
from ledger.services.entries import NewEntry, post_entries
from pricing.engine.catalog import Catalog


@dataclass(frozen=True, slots=True)
class NoteFields:
    """What a note has of the document that it is about."""

    about: Invoice
    series: str
    snapshot: str  # which events what was billed is of

    @property
    def title(self) -> str:
        return "Credit note" if self.series == CREDIT_NOTES else "Debit note"

    @property
    def reference(self) -> dict[str, str]:
        return {"invoice_id": str(self.about.pk), "invoice_number": self.about.number}


@dataclass(frozen=True, slots=True)
class PastFields:
    """What a document that was invoiced elsewhere says besides. It is not taxed here, and nothing is to be paid."""

    fields: Mapping[str, Any]

    def of(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of the document with these."""
        kept = {name: value for name, value in told.items() if name != "due_at"}
        return {**kept, "title": "Past invoice", **self.fields}


class NoTaxRate(Conflict):
    """Something on the document is to be taxed and no rate holds for it; a person has to see to it first."""


def freeze(
    customer: Customer,
    draft: Document,
    computed: Computation,
    *,
    at: datetime,
    by: Actor,
    instead_of: InvoiceVoid | None = None,
    note: NoteFields | None = None,
    past: PastFields | None = None,
) -> Invoice:
    """Write `draft` as a final document, post what it draws, and give it the next number: that last, as others may wait
    for it. It may stand in the place of a void one, or be a note on another one.

    Call it at the end of the money transaction in which the draft was computed. Raises NoTaxRate.
    """
    inputs = computed.inputs
    final = finalized(draft)
    to = addressee(customer) if past is None else untaxed(addressee(customer))
    taxed = taxation(final, to.tax_port) if note is None else note_taxation(final, note.about, to.tax_port)
    if taxed.problem:
        raise NoTaxRate(f"{taxed.problem} Add one under Tax rates.")
    fields = document_fields(draft, computed, to) | taxed.fields()
    if instead_of is not None:
        fields["regenerated_from_invoice_id"] = str(instead_of.invoice_id)
    if note is not None:
        fields |= {"title": note.title, "correction_of": note.reference}
        if note.series == CREDIT_NOTES:
            fields.pop("due_at", None)  # nothing is to be paid
    if past is not None:
        fields = past.of(fields)
    invoice = Invoice(
        id=draft.id,
        customer=customer,
        contract_id=draft.contract_id,
        type=draft.type,
        kind=draft.kind,
        slot=draft.slot,
        generation=FIRST_GENERATION if instead_of is None else instead_of.invoice.generation + 1,
        regenerated_from=instead_of,
        starting_at=draft.period.starting_at if draft.period else None,
        ending_before=draft.period.ending_before if draft.period else None,
        issued_at=draft.issued_at,
        due_at=parse_instant(fields["due_at"]) if "due_at" in fields else None,
        finalized_at=at,
        finalized_by=by.label,
        unit_id=draft.unit.id,
        customer_name=customer.name,
        subtotal=final.total,
        total=exact_sum([final.total, taxed.total]),
        unrounded_total=draft.total,
        publication=inputs.catalog.publication,
        edit_number=inputs.terms.edit_number,
        snapshot=_current_snapshot() if note is None else note.snapshot,
        money_version=customer.money_version,
        terms=frozen(inputs.terms),
        details=fields,
        line_count=len(draft.lines),
    )
    lines = lines_of(invoice, final, inputs.catalog, taxed, orders_in(computed))
    InvoiceLine.objects.bulk_create(lines)
    post_entries(customer, entries_of(final, computed), at=at, by=by)
    series = HISTORICAL if past is not None else INVOICES if note is None else note.series
    invoice.number = next_number(customer.pk, to.entity, series)
    invoice.document_hash = hash_of(invoice, lines)
    invoice.save(force_insert=True)
    return invoice


def lines_of(
    invoice: Invoice,
    final: RoundedDocument,
    catalog: Catalog,
    taxed: Taxation = UNTAXED,
    orders: Mapping[UUID, str] = MappingProxyType({}),
) -> list[InvoiceLine]:
    """The rows of the document's lines, in order, not written."""
    draft = final.document
    return [
        InvoiceLine(
            customer_id=invoice.customer_id,
            invoice=invoice,
            position=position,
            type=line.type,
            name=line.name,
            total=total,
            unrounded_total=line.total,
            counts_toward_total=line.counts,
            quantity=line.quantity,
            unit_price=line.unit_price,
            starting_at=line.period.starting_at if line.period else None,
            ending_before=line.period.ending_before if line.period else None,
            details=line_fields(line, draft, catalog, orders) | taxed.line_fields(position - 1),
            trace=frozen_parts(line, catalog),
        )
        for position, (line, total) in enumerate(zip(draft.lines, final.totals, strict=True), start=1)
    ]


def entries_of(final: RoundedDocument, computed: Computation) -> list[NewEntry]:
    """What the document has to post."""
    return [_entry(rounded, final.document, computed) for rounded in final.entries]


def _entry(rounded: RoundedEntry, draft: Document, computed: Computation) -> NewEntry:
    entry = rounded.entry
    amount = entry.amount
    if entry.type == LedgerEntry.Type.POSTPAID_COMMIT_TRUEUP and entry.adjusts is None:
        # Billed is what the documents lack of the commitment; what the exact entries leave may differ by their
        # rounding, and is closed here.
        amount = -left_of(entry.commit_id, computed)
    key = [draft.id, entry.type, entry.segment_id or entry.commit_id]
    if entry.adjusts is not None:
        key.append(entry.adjusts.invoice_id)
        if entry.adjusts.billed_on is not None:
            key.append(entry.adjusts.billed_on[0])
    is_given_back = draft.kind == Invoice.Kind.NOTE and amount > 0
    return NewEntry(
        type=GIVEN_BACK_BY.get(entry.type, entry.type) if is_given_back else entry.type,
        commit_id=entry.commit_id,
        segment_id=entry.segment_id,
        contract_id=draft.contract_id,
        invoice_id=draft.id,
        new_contract_id=entry.new_contract_id,
        amount=amount,
        billed_amount=rounded.billed,
        timestamp=entry.timestamp,
        idempotency_key=" ".join(map(str, key)),
    )


def left_of(commit_id: UUID, computed: Computation) -> Decimal:
    """What posted deductions leave of a commit, exactly; never below zero."""
    return max(exact_sum([each.left for each in computed.result.balances if each.commit.id == commit_id]), Decimal(0))


def _current_snapshot() -> str:
    """Which transactions, and so which events, this one sees."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        return str(cursor.fetchone()[0])
