"""Taking a final document back, and making another one in its place.

For what was not delivered. A void document keeps its number and its lines; what it drew on balances is given back by
entries of their own, and its period or date waits: no draft, no adjustment, until it is regenerated.

    a commit of 100, October used 30, November's draft 20

                                    drawn by October    left with drafts    October
    final                           30                  50                  INV-000001
    voided                          30 given back       80                  awaits regeneration
    2 more used, regenerated        32                  48                  INV-000002, generation 2

    the entry                                   is given back by
    PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION  PREPAID_COMMIT_CREDITED
    CREDIT_AUTOMATED_INVOICE_DEDUCTION          CREDIT_CREDITED
    of a postpaid commit, or a true-up          one of the same type, above zero: there is no type of its own

What is given back is dated like what was drawn, so a balance that has expired meanwhile never reads as below zero; when
it was given back is its `created_at`.

Late usage of a void document's period that others have billed meanwhile is taken off when it is made anew
(`invoicing/queries/netting.py`). Late usage that a void document has billed for an earlier period is missed again, and
goes on the next document; so does that of a void document of late usage, in whose place none is made.

Generation 2 is final at once, with a number of its own, from usage, prices, terms and balances as they are now.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from billing_site.foundation.actor import Actor
from billing_site.foundation.problems import checked_reason
from billing_site.foundation.refusals import Conflict, FieldError, NotFound
from billing_site.foundation.transactions import committed_terms_and_prices
from contracts.models import Customer
from contracts.transactions import money_transaction
from invoicing.engine.calendar import draft_id
from invoicing.models import Invoice, InvoiceLine, InvoiceVoid
from invoicing.queries.compute import computation
from invoicing.services.finalization import refuse_while_held
from invoicing.services.freezing import freeze
from ledger.models import LedgerEntry
from ledger.models.entries import GIVEN_BACK_BY, ROLLOVER
from ledger.services.entries import NewEntry, post_entries

COUNTED = "must not be of an invoice that a final true-up has counted"


class OthersBuildOnIt(Conflict):
    """Something final was computed from what the document has posted."""


class NotVoided(Conflict):
    """Only a void document is regenerated."""


class NothingToRegenerate(Conflict):
    """Usage and terms of now come to no document."""


@money_transaction
def void_invoice(customer: Customer, invoice_id: UUID, *, reason: str, at: datetime, by: Actor) -> InvoiceVoid:
    """Void a final document and give back what it drew. One that is void already is left alone, whatever the reason.

    Raises NotFound, for a draft too; Refusal for the reason; OthersBuildOnIt where a true-up that counted it is final,
    a renewal has taken over what it left, a note has corrected it, or a document that was made anew takes off what
    this one has billed.
    """
    reason = checked_reason(reason)
    invoice = _final(customer, invoice_id)
    if hasattr(invoice, "void"):
        return invoice.void
    # What its own contract has taken over of the one before has nothing to do with what it bills, and stands.
    entries = list(
        LedgerEntry.objects.filter(customer=customer, invoice_id=invoice.pk).exclude(
            new_contract_id=invoice.contract_id
        )
    )
    _refuse_what_others_build_on(customer, invoice, entries)
    post_entries(customer, [_given_back(entry) for entry in entries], at=at, by=by)
    return InvoiceVoid.objects.create(
        customer=customer,
        invoice=invoice,
        reason=reason,
        voided_at=at,
        voided_by=by.label,
        money_version=customer.money_version,
    )


@money_transaction
def regenerate_invoice(customer: Customer, invoice_id: UUID, *, at: datetime, by: Actor) -> Invoice:
    """Make the next generation of a void document, final at once. Where there is one already, it is returned.

    Raises NotFound, NotVoided, NothingToRegenerate, EarlierDocumentsOpen, PeriodHasFindings, NoTaxRate.
    """
    invoice = _final(customer, invoice_id)
    known = Invoice.objects.filter(customer=customer, regenerated_from__invoice=invoice).first()
    if known is not None:
        return known
    refuse_to_regenerate(invoice)
    with committed_terms_and_prices():
        computed = computation(customer.pk, at=at, reopened=invoice.occupied)  # after the lock, never before
    drafts = (
        each for each in computed.result.documents if (each.contract_id, each.kind, each.slot) == invoice.occupied
    )
    draft = next(drafts, None)
    if draft is None:
        raise NothingToRegenerate(f"Nothing is to be billed in the place of {invoice}.")
    refuse_while_held(draft, computed)
    fresh = draft_id(*invoice.occupied, generation=invoice.generation + 1)
    return freeze(customer, replace(draft, id=fresh), computed, at=at, by=by, instead_of=invoice.void)


def refuse_to_regenerate(invoice: Invoice) -> None:
    """Raises NotVoided and NothingToRegenerate for what is seen without computing."""
    if not hasattr(invoice, "void"):
        raise NotVoided(f"Invoice {invoice} is not void.", FieldError("id", invoice.pk, "must be of a void invoice"))
    if invoice.contract.archived_at is not None:
        raise NothingToRegenerate(f"The contract that {invoice} was billed under is archived.")
    if invoice.kind == Invoice.Kind.HISTORICAL:
        raise NothingToRegenerate(f"{invoice} was invoiced elsewhere: import it again as it was.")
    if not invoice.is_regenerated_once_void:
        raise NothingToRegenerate(f"The late usage that {invoice} has billed is on the next invoice of its contract.")


def _final(customer: Customer, invoice_id: UUID) -> Invoice:
    found = Invoice.objects.select_related("void", "contract")
    invoice = found.filter(customer=customer, pk=invoice_id).first()
    if invoice is None:
        raise no_such_final(invoice_id)
    return invoice


def no_such_final(invoice_id: UUID) -> NotFound:
    rule = "must be the id of a final invoice; a draft has nothing to take back"
    return NotFound("There is no such final invoice.", FieldError("id", invoice_id, rule))


def _refuse_what_others_build_on(customer: Customer, invoice: Invoice, entries: list[LedgerEntry]) -> None:
    if any(entry.type in ROLLOVER for entry in entries):
        raise OthersBuildOnIt(
            f"A renewal has taken over what {invoice} left of a balance; correct it by a credit note.",
            FieldError("id", invoice.pk, "must not be of an invoice after which a contract was renewed"),
        )
    counted = {entry.commit_id for entry in entries if entry.type == "POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION"}
    _refuse_what_a_true_up_counted(customer, invoice, counted)
    if invoice.kind == Invoice.Kind.TRUE_UP:
        _refuse_a_reversed_true_up(customer, invoice)
    _refuse_what_was_netted(customer, invoice)
    _refuse_what_notes_build_on(customer, invoice)


def _refuse_what_notes_build_on(customer: Customer, invoice: Invoice) -> None:
    """A note stands, and so does what it was the difference to: the document, and late usage of that on others, which
    notes by hand do not know of."""
    if invoice.kind == Invoice.Kind.NOTE:
        raise OthersBuildOnIt(
            f"{invoice} is a note, which stands; correct it by another one.",
            FieldError("id", invoice.pk, "must not be of a note"),
        )
    lines = InvoiceLine.objects.filter(customer=customer, invoice=invoice, details__has_key="adjustment")
    adjusted = {UUID(line.details["adjustment"]["invoice_id"]) for line in lines}
    later = Invoice.objects.filter(
        Q(note__about=invoice.pk) | Q(note__about__in=adjusted, note__is_rated=True),
        customer=customer,
        money_version__gt=invoice.money_version or 0,
    )
    for note in later.order_by("finalized_at", "number"):
        raise OthersBuildOnIt(
            f"{note} corrects what {invoice} has billed; correct that by another note.",
            FieldError("id", invoice.pk, "must not be of an invoice that a note has corrected"),
        )


def _refuse_what_a_true_up_counted(customer: Customer, invoice: Invoice, commit_ids: Collection[UUID]) -> None:
    """One that was final already has counted nothing of it: what came later has reversed as much of the true-up."""
    later = Q(money_version=None) | Q(money_version__gt=invoice.money_version or 0)
    true_ups = Invoice.objects.filter(
        later, customer=customer, kind=Invoice.Kind.TRUE_UP, void=None, slot__in=list(map(str, commit_ids))
    )
    for true_up in true_ups.order_by("finalized_at", "number"):
        raise OthersBuildOnIt(
            f"The true-up {true_up} counted what {invoice} billed; void that first, or correct this one by a credit "
            "note.",
            FieldError("id", invoice.pk, COUNTED),
        )
    settled = LedgerEntry.objects.filter(
        later, customer=customer, commit_id__in=commit_ids, type=LedgerEntry.Type.POSTPAID_COMMIT_TRUEUP
    )
    if settled.filter(invoice_id=None).exists():
        raise OthersBuildOnIt(
            f"A commitment was settled, without a true-up, by what {invoice} billed; correct it by a credit note.",
            FieldError("id", invoice.pk, COUNTED),
        )


def _refuse_a_reversed_true_up(customer: Customer, invoice: Invoice) -> None:
    reversals = LedgerEntry.objects.filter(
        customer=customer, commit_id=UUID(invoice.slot), type=LedgerEntry.Type.POSTPAID_COMMIT_TRUEUP
    ).exclude(invoice_id=None)
    standing = Invoice.objects.filter(customer=customer, pk__in=reversals.values("invoice_id"), void=None)
    for other in standing.exclude(pk=invoice.pk).order_by("finalized_at", "number"):
        raise OthersBuildOnIt(
            f"{other} has reversed part of the true-up {invoice}, for late usage; void that first.",
            FieldError("id", invoice.pk, "must not be of a true-up that another final invoice has reversed"),
        )


def _refuse_what_was_netted(customer: Customer, invoice: Invoice) -> None:
    """It has billed late usage of a document that was voided, and made anew less just that."""
    lines = InvoiceLine.objects.filter(customer=customer, invoice=invoice, details__has_key="adjustment")
    adjusted = {line.details["adjustment"]["invoice_id"] for line in lines}
    for void in Invoice.objects.filter(customer=customer, pk__in=adjusted, void__isnull=False):
        anew = Invoice.objects.filter(
            customer=customer, contract=void.contract_id, kind=void.kind, slot=void.slot, void=None
        )
        for other in anew.exclude(pk=invoice.pk):
            raise OthersBuildOnIt(
                f"{other} takes off what {invoice} has billed for the period of {void}; void that first.",
                FieldError("id", invoice.pk, "must not be of an invoice that another final invoice takes off"),
            )


def _given_back(entry: LedgerEntry) -> NewEntry:
    return NewEntry(
        type=GIVEN_BACK_BY.get(entry.type, entry.type),
        commit_id=entry.commit_id,
        segment_id=entry.segment_id,
        contract_id=entry.contract_id,
        invoice_id=entry.invoice_id,
        amount=-entry.amount,
        billed_amount=-entry.billed_amount,
        timestamp=entry.timestamp,
        idempotency_key=f"{entry.pk} given back",
    )
