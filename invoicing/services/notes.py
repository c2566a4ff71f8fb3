"""Approving and dismissing proposed notes.

A note is a document of its own, final at once: a credit note (CN-000001) where it comes to less, and a debit note
(DN-000001) where it comes to more, or to nothing while a balance pays more. What it gives back to balances is posted as
credited, what it draws as deducted, dated at the end of the period that it is about.

    the balance                 is given back by
    prepaid commit, credit      PREPAID_COMMIT_CREDITED, CREDIT_CREDITED
    postpaid commit             a deduction above zero: there is no type of its own

Whoever made an edit, or published a price, that a note follows from does not approve it. Approving what somebody else
has approved meanwhile gives that note; what has changed since it was looked at is refused.
"""

from datetime import datetime
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.problems import checked_reason
from billing_site.foundation.refusals import Conflict, FieldError, Forbidden
from contracts.models import Customer
from contracts.transactions import money_transaction
from invoicing.engine.documents import Result
from invoicing.engine.notes.anew import Billed
from invoicing.engine.rounding import RoundedDocument
from invoicing.models import Invoice, Note, NoteDismissal, NoteSummary
from invoicing.queries.compute import Computation
from invoicing.queries.notes import Proposal, proposed
from invoicing.queries.shown import frozen_billed
from invoicing.services.freezing import NoteFields, freeze
from invoicing.services.numbering import CREDIT_NOTES, DEBIT_NOTES


class NothingProposed(Conflict):
    """The document calls for no note."""


class ProposalHasChanged(Conflict):
    """The difference is another one than the one that was looked at."""


class NoteHasFindings(Conflict):
    """Some of what was billed cannot be rated by what is known now."""


@money_transaction
def approve_note(
    customer: Customer, about_id: UUID, *, difference: str, reason: str, at: datetime, by: Actor
) -> Invoice:
    """Make the note that a final document calls for, where it is still the one that was looked at.

    Raises NothingProposed, ProposalHasChanged, NoteHasFindings, NoTaxRate, Forbidden for whoever caused it, and Refusal
    for the reason.
    """
    reason = checked_reason(reason)
    known = Note.objects.filter(customer=customer, about_id=about_id, is_rated=True, difference=difference).first()
    if known is not None:
        return known.invoice
    found = _proposal(customer, about_id, difference, at)  # after the lock, never before
    if found.because.is_by(by):
        raise Forbidden(
            f"{by.label} has made an edit or a price that this note follows from; somebody else has to approve it.",
            FieldError("approver", by.label, "must not be who made the change"),
        )
    if found.findings:
        raise NoteHasFindings(f"{found.about} cannot be rated anew: {found.findings[0].message}")
    return _made(customer, found, reason, at=at, by=by)


@money_transaction
def dismiss_note(
    customer: Customer, about_id: UUID, *, difference: str, reason: str, at: datetime, by: Actor
) -> NoteDismissal:
    """Remember that a note is not wanted, until the document calls for another one.

    Raises NothingProposed, ProposalHasChanged, Refusal for the reason.
    """
    reason = checked_reason(reason)
    known = NoteDismissal.objects.filter(customer=customer, about_id=about_id, difference=difference).first()
    if known is not None:
        return known
    found = _proposal(customer, about_id, difference, at)
    _take_off_the_queue(about_id)
    return NoteDismissal.objects.create(
        customer=customer,
        about=found.about,
        difference=difference,
        edit_number=found.inputs.terms.edit_number,
        publication=found.inputs.catalog.publication,
        reason=reason,
        dismissed_at=at,
        dismissed_by=by.label,
        money_version=customer.money_version,
    )


def _proposal(customer: Customer, about_id: UUID, difference: str, at: datetime) -> Proposal:
    found = proposed(customer.pk, at=at, about_id=about_id)
    if not found:
        raise NothingProposed(
            f"Nothing known now changes what invoice {about_id} has billed.",
            FieldError("id", about_id, "must be of a final usage invoice that an edit or a price reaches back to"),
        )
    if found[0].difference != difference:
        raise ProposalHasChanged("What would change is something else by now; look at it again.")
    return found[0]


def _made(customer: Customer, found: Proposal, reason: str, *, at: datetime, by: Actor) -> Invoice:
    about = Invoice.objects.get(customer=customer, pk=found.about.pk)
    _take_off_the_queue(about.pk)
    fields = NoteFields(about, series_of(found.note), found.snapshot)
    computed = Computation(found.inputs, Result(()))
    Note.objects.create(
        invoice_id=found.document.id,
        customer=customer,
        about=about,
        is_rated=True,
        difference=found.difference,
        standing=[kept(each, found) for each in found.correction.standing],
        reason=reason,
    )
    return freeze(customer, found.document, computed, at=at, by=by, note=fields)


def _take_off_the_queue(about_id: UUID) -> None:
    """At once: the refresher sees to it only a moment later."""
    NoteSummary.objects.filter(pk=about_id).delete()


def series_of(note: RoundedDocument) -> str:
    """Whether it credits or debits: by its total, and where that is zero by what balances get or pay."""
    drawn = sum(entry.entry.amount for entry in note.entries if entry.entry.segment_id is not None)
    return CREDIT_NOTES if note.total < 0 or (note.total == 0 and drawn >= 0) else DEBIT_NOTES


def kept(billed: Billed, found: Proposal) -> dict[str, object]:
    part = frozen_billed(billed, found.inputs.catalog)
    return {"product_id": str(billed.product_id), "unit_id": str(billed.unit.id), "part": part}
