"""Documents that left draft, those taken back, what people decided about drafts, derived summaries, and alerts."""

from invoicing.models.alerts import Alert, AlertState, AlertTurn
from invoicing.models.documents import Invoice, InvoiceLine
from invoicing.models.holds import HoldDecision
from invoicing.models.notes import EnteredNote, EnteredNoteDecision, Note, NoteDismissal
from invoicing.models.numbers import EntityNumber, NumberSeries
from invoicing.models.pdfs import InvoicePdf
from invoicing.models.sold import SoldInMonth
from invoicing.models.summaries import (
    CommitmentSummary,
    CustomerSummary,
    DraftsOfCustomer,
    DraftSummary,
    NoteSummary,
)
from invoicing.models.voids import InvoiceVoid

__all__ = [
    "Alert",
    "AlertState",
    "AlertTurn",
    "CommitmentSummary",
    "CustomerSummary",
    "DraftSummary",
    "DraftsOfCustomer",
    "EnteredNote",
    "EnteredNoteDecision",
    "EntityNumber",
    "HoldDecision",
    "Invoice",
    "InvoiceLine",
    "InvoicePdf",
    "InvoiceVoid",
    "Note",
    "NoteDismissal",
    "NoteSummary",
    "NumberSeries",
    "SoldInMonth",
]
