"""Documents as PDF: a draft as it is now, a final one once and for all."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from invoicing.models import InvoicePdf
from invoicing.printing.page import printed
from invoicing.printing.pdf import pdf_of
from invoicing.queries.documents import document
from invoicing.queries.shown import VOID, ShownDocument
from pricing.models import PricingUnit


@dataclass(frozen=True, slots=True)
class Pdf:
    """`name` is that of a file."""

    name: str
    content: bytes


def print_invoice(customer_id: UUID, invoice_id: UUID, *, at: datetime) -> Pdf:
    """The document as PDF. That of a final one is kept, and whoever asks again gets the same bytes; a
    void one says so across the page.

    Raises NotFound, for a document of somebody else too.
    """
    shown = document(customer_id, invoice_id, at=at)
    if shown.number is None or shown.finalized_at is None:
        return Pdf(f"draft-{shown.id}.pdf", _made(shown, at))
    if shown.status == VOID:
        return Pdf(f"{shown.number}.pdf", _made(shown, shown.finalized_at))
    kept = InvoicePdf.objects.filter(customer_id=customer_id, invoice_id=invoice_id)
    content = kept.values_list("content", flat=True).first()
    if content is None:
        made = _made(shown, shown.finalized_at)
        row = InvoicePdf(
            customer_id=customer_id,
            invoice_id=invoice_id,
            content=made,
            content_hash=hashlib.sha256(made).digest(),
            made_at=at,
        )
        InvoicePdf.objects.bulk_create([row], ignore_conflicts=True)  # a twin may have been faster: its bytes stay
        content = kept.values_list("content", flat=True).get()
    return Pdf(f"{shown.number}.pdf", bytes(content))


def _made(shown: ShownDocument, dated: datetime) -> bytes:
    units = {unit.pk: unit.to_unit() for unit in PricingUnit.objects.all()}
    return pdf_of(printed(shown, units), at=dated)
