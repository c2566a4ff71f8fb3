"""Drafts and final documents together, in one snapshot, whichever of them a reader asks for.

With `as_of` they are those of an instant of the past: a document that became final later is a draft, and drafts are
computed with what was known of prices and terms then, from the usage known now.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from billing_site.foundation.periods import Period
from billing_site.foundation.problems import refuse_future
from billing_site.foundation.refusals import FieldError, NotFound
from billing_site.foundation.transactions import read_snapshot
from contracts.models import Customer
from contracts.transactions import no_such_customer
from invoicing.frozen import hash_of
from invoicing.models import Invoice, InvoiceLine, InvoiceVoid
from invoicing.queries.addressees import addressee
from invoicing.queries.compute import Computation, computation
from invoicing.queries.shown import DRAFT, FINALIZED, VOID, ShownDocument, of_draft, of_final


@dataclass(frozen=True, slots=True)
class Filters:
    """Which documents of a customer are wanted. Dates are of the billing period; a document without one has its
    issue date instead."""

    status: str | None = None
    type: str | None = None
    contract_id: UUID | None = None
    unit_id: UUID | None = None
    starting_on: datetime | None = None
    ending_before: datetime | None = None
    is_without_void: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document stands in a list, by issue date."""

    issued_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Head:
    id: UUID
    status: str
    type: str
    contract_id: UUID
    unit_id: UUID
    period: Period | None
    issued_at: datetime

    def passes(self, wanted: Filters) -> bool:
        start = self.period.starting_at if self.period else self.issued_at
        end = self.period.ending_before if self.period else None
        return (
            wanted.status in (None, self.status)
            and not (wanted.is_without_void and self.status == VOID)
            and wanted.type in (None, self.type)
            and wanted.contract_id in (None, self.contract_id)
            and wanted.unit_id in (None, self.unit_id)
            and (wanted.starting_on is None or start >= wanted.starting_on)
            and (
                wanted.ending_before is None
                or (end <= wanted.ending_before if end else self.issued_at < wanted.ending_before)
            )
        )


def documents_page(
    customer_id: UUID,
    wanted: Filters,
    *,
    at: datetime,
    limit: int,
    after: Place | None = None,
    newest_first: bool = False,
    as_of: datetime | None = None,
) -> tuple[list[ShownDocument], Place | None]:
    """One page of the customer's documents by issue date, and where it ends if another follows. Raises NotFound,
    and Refusal where `as_of` is later than `at`."""
    with read_snapshot():
        refuse_unknown(customer_id)
        refuse_future(as_of, at=at)
        drafts = _drafts(customer_id, at=at, as_of=as_of) if wanted.status in (None, DRAFT) else []
        finals = final_heads(customer_id, as_of=as_of) if wanted.status != DRAFT else []
        by_id = {draft.id: draft for draft in drafts}
        heads = [head for head in (*map(head_of, drafts), *finals) if head.passes(wanted)]
        heads.sort(key=lambda head: (head.issued_at, head.id), reverse=newest_first)
        if after is not None:
            place = (after.issued_at, after.id)
            heads = [
                head
                for head in heads
                if ((head.issued_at, head.id) < place if newest_first else (head.issued_at, head.id) > place)
            ]
        page = heads[:limit]
        by_id |= finals_by_id(customer_id, [head.id for head in page if head.status != DRAFT])
    last = Place(page[-1].issued_at, page[-1].id) if len(heads) > limit else None
    return [by_id[head.id] for head in page], last


def document(customer_id: UUID, document_id: UUID, *, at: datetime, as_of: datetime | None = None) -> ShownDocument:
    """One document of the customer, draft or final. Raises NotFound, for a foreign one too, and Refusal where `as_of`
    is later than `at`."""
    with read_snapshot():
        refuse_future(as_of, at=at)
        final = finals_by_id(customer_id, [document_id], as_of=as_of).get(document_id)
        if final is not None:
            return final
        for draft in _drafts(customer_id, at=at, as_of=as_of):
            if draft.id == document_id:
                return draft
    raise _no_such_invoice(document_id)


def document_and_before(
    customer_id: UUID, document_id: UUID, *, at: datetime
) -> tuple[ShownDocument, ShownDocument | None]:
    """One document of usage, and that of the period before it of the same contract, where there is one that stands; of
    anything else there is none. A constant number of queries, and one computation where it is a draft. Raises
    NotFound."""
    with read_snapshot():
        final = finals_by_id(customer_id, [document_id]).get(document_id)
        drafts = [] if final else _drafts(customer_id, at=at, as_of=None)
        found = final or next((draft for draft in drafts if draft.id == document_id), None)
        if found is None:
            raise _no_such_invoice(document_id)
        if found.kind != Invoice.Kind.USAGE or found.period is None:
            return found, None
        ended = found.period.starting_at
        of_contract = Invoice.objects.filter(customer=customer_id, contract=found.contract_id, kind=found.kind)
        standing = of_contract.filter(ending_before=ended, void=None).values_list("pk", flat=True)
        before = list(finals_by_id(customer_id, list(standing)).values())
        before += [
            draft
            for draft in drafts
            if (draft.contract_id, draft.kind) == (found.contract_id, found.kind)
            and draft.period is not None
            and draft.period.ending_before == ended
        ]
        return found, before[0] if before else None


def documents_by_id(customer_id: UUID, document_ids: Collection[UUID], *, at: datetime) -> dict[UUID, ShownDocument]:
    """Documents of the customer, draft or final, of those that there are. Raises NotFound."""
    with read_snapshot():
        found = {draft.id: draft for draft in _drafts(customer_id, at=at, as_of=None) if draft.id in document_ids}
        return found | finals_by_id(customer_id, set(document_ids) - set(found))


def drafts_of(customer_id: UUID, *, at: datetime, as_of: datetime | None = None) -> list[ShownDocument]:
    """The customer's drafts, in the order in which they would be finalized. Raises NotFound, and Refusal where `as_of`
    is later than `at`."""
    with read_snapshot():
        return _drafts(customer_id, at=at, as_of=as_of)


def finals_by_id(
    customer_id: UUID, document_ids: Collection[UUID], *, as_of: datetime | None = None
) -> dict[UUID, ShownDocument]:
    """Final documents of the customer with their lines, of those that were final by `as_of`. Two queries."""
    if not document_ids:
        return {}
    lines: dict[UUID, list[InvoiceLine]] = defaultdict(list)
    for line in InvoiceLine.objects.filter(customer_id=customer_id, invoice_id__in=document_ids).order_by("position"):
        lines[line.invoice_id].append(line)
    invoices = _finals(customer_id, as_of).filter(pk__in=document_ids).defer("terms")
    return {invoice.pk: of_final(invoice, lines[invoice.pk], is_void=invoice.is_void) for invoice in invoices}


def shown_drafts(computed: Computation, customer: Customer) -> list[ShownDocument]:
    """Computed documents as they are shown."""
    to = addressee(customer)
    return [of_draft(draft, computed, to) for draft in computed.result.documents]


def _no_such_invoice(document_id: UUID) -> NotFound:
    rule = "must be the id of an invoice of this customer"
    return NotFound("There is no such invoice.", FieldError("invoice_id", document_id, rule))


def refuse_unknown(customer_id: UUID) -> None:
    """Raises NotFound where there is no such customer."""
    if not Customer.objects.filter(pk=customer_id).exists():
        raise no_such_customer(customer_id)


def customer_of(invoice_id: UUID) -> UUID | None:
    """Whose final document it is."""
    return Invoice.objects.filter(pk=invoice_id).values_list("customer_id", flat=True).first()


def altered(invoices: Sequence[Invoice]) -> list[Invoice]:
    """The final documents whose stored hash is no longer that of their content: none, ever."""
    lines: dict[UUID, list[InvoiceLine]] = defaultdict(list)
    for line in InvoiceLine.objects.filter(invoice__in=invoices).order_by("position"):
        lines[line.invoice_id].append(line)
    return [invoice for invoice in invoices if bytes(invoice.document_hash) != hash_of(invoice, lines[invoice.pk])]


def _drafts(customer_id: UUID, *, at: datetime, as_of: datetime | None) -> list[ShownDocument]:
    computed = computation(customer_id, at=at, as_of=as_of)
    return shown_drafts(computed, Customer.objects.get(pk=customer_id))


def _finals(customer_id: UUID, as_of: datetime | None) -> "QuerySet[Any]":
    """Each with `is_void`."""
    invoices = Invoice.objects.filter(customer_id=customer_id)
    voids = InvoiceVoid.objects.filter(customer_id=customer_id, invoice=OuterRef("pk"))
    if as_of is not None:
        invoices, voids = invoices.filter(finalized_at__lte=as_of), voids.filter(voided_at__lte=as_of)
    return invoices.annotate(is_void=Exists(voids))


def final_heads(customer_id: UUID, *, as_of: datetime | None = None) -> list[Head]:
    columns = ("id", "is_void", "type", "contract_id", "unit_id", "starting_at", "ending_before", "issued_at")
    rows = _finals(customer_id, as_of).values_list(*columns)
    return [
        Head(
            id_,
            VOID if is_void else FINALIZED,
            type_,
            contract_id,
            unit_id,
            Period(start, end) if start else None,
            issued_at,
        )
        for id_, is_void, type_, contract_id, unit_id, start, end, issued_at in rows
    ]


def head_of(draft: ShownDocument) -> Head:
    return Head(draft.id, draft.status, draft.type, draft.contract_id, draft.unit_id, draft.period, draft.issued_at)
