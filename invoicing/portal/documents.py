"""A document in a list of documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from billing_site.foundation.display import amount_text, day_text, month_text, period_text
from billing_site.foundation.money import Unit
from invoicing.engine.calendar import ADJUSTMENT, HISTORICAL, TRUE_UP, USAGE
from invoicing.models import Invoice
from invoicing.portal.products import Row, rest_text, row_of
from invoicing.portal.words import is_month
from invoicing.queries.shown import DRAFT, VOID, ShownDocument
from invoicing.queries.spending import ProductSpend


@dataclass(frozen=True, slots=True)
class DocumentRow:
    id: UUID
    number: str
    about: str
    issued: str
    subtotal: str
    total: str  # with tax
    rows: tuple[Row, ...]
    rest: str  # what else is in the subtotal
    is_draft: bool = False


TITLES = {
    USAGE: "Usage",
    TRUE_UP: "True-up",
    ADJUSTMENT: "Late usage",
    HISTORICAL: "Usage invoiced elsewhere",
}


def document_row(document: ShownDocument, products: Sequence[ProductSpend], unit: Unit) -> DocumentRow:
    is_draft = document.status == DRAFT
    return DocumentRow(
        id=document.id,
        number=document.number or "Draft",
        about=document_text(document),
        issued=f"final from {day_text(document.finalizes_at)}"
        if is_draft and document.finalizes_at is not None
        else day_text(document.issued_at),
        subtotal=amount_text(document.subtotal, unit),
        total=amount_text(document.total, unit),
        rows=tuple(map(row_of, products)),
        rest=rest_text(document.subtotal, products, unit),
        is_draft=is_draft,
    )


def document_text(document: ShownDocument) -> str:
    """What it is for: "Usage, October 2025", "Credit note on INV-000003", "True-up (void)"."""
    if document.kind == Invoice.Kind.NOTE:
        text = f"{document.fields['title']} on {document.fields['correction_of']['invoice_number']}"
    else:
        text = TITLES.get(document.kind, "Scheduled charges")
    if document.period is not None and document.kind != Invoice.Kind.NOTE:
        month = month_text(document.period.starting_at) if is_month(document.period) else period_text(document.period)
        text = f"{text}, {month}"
    return f"{text} (void)" if document.status == VOID else text
