"""A draft becomes a document: numbered, rounded, frozen and posted, in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import F, Value
from django.db.models.functions import Greatest

from billing_site.foundation.actor import Actor
from billing_site.foundation.money import round_to
from billing_site.foundation.periods import format_instant
from billing_site.foundation.refusals import Conflict, Refusal
from billing_site.foundation.transactions import committed_terms_and_prices
from contracts.models import Contract, Customer
from contracts.transactions import money_transaction
from invoicing.engine.documents import Document
from invoicing.models import Invoice, InvoiceVoid
from invoicing.queries.compute import Computation, computation
from invoicing.queries.holds import draft_or_silence, held_silences, reasons_to_hold
from invoicing.services.freezing import NoTaxRate, freeze, left_of
from ledger.models import LedgerEntry
from ledger.services.entries import NewEntry, post_entries


class NothingToFinalize(Conflict):
    """The document is final already, or there is no such draft."""


class GracePeriodOpen(Conflict):
    """The draft is not due yet."""


class EarlierDocumentsOpen(Conflict):
    """The draft waits for others: usage in order of periods, a true-up after the usage that counts toward it."""


class PeriodHasFindings(Conflict):
    """Some of the usage could not be billed; a person has to see to it first."""


class DocumentHeld(Conflict):
    """A person holds the document, or it is unlike the ones before it and nobody has reviewed it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What finalizing everything due came to: the new documents, and the drafts that were held, with the reasons."""

    finalized: tuple[Invoice, ...]
    held: tuple[tuple[Document, Refusal], ...]

    def raise_if_held(self) -> None:
        """Raises Refusal naming every draft that was held."""
        if self.held:
            raise Refusal(" ".join(refusal.message for _, refusal in self.held))


@money_transaction
def finalize_invoice(customer: Customer, draft_id: UUID, *, at: datetime, by: Actor) -> Invoice | None:
    """Number a draft, round and freeze it, and post what it draws on balances.

    None where nothing is left to be billed: a true-up of zero is settled without a document.

    Raises NothingToFinalize, GracePeriodOpen, EarlierDocumentsOpen, PeriodHasFindings, DocumentHeld, NoTaxRate.
    """
    if Invoice.objects.filter(customer=customer, pk=draft_id).exists():
        raise NothingToFinalize(f"Invoice {draft_id} is final already.")
    with committed_terms_and_prices():
        computed = computation(customer.pk, at=at)  # after the lock, never before
    draft = draft_or_silence(computed, draft_id)
    if draft is None:
        raise NothingToFinalize(f"There is no draft {draft_id}.")
    return _finalized(customer, draft, computed, at=at, by=by)


def finalize_due(
    customer_id: UUID, *, at: datetime, by: Actor, report: Callable[[str], None] = lambda progress: None
) -> Outcome:
    """Finalize every draft of the customer that is due, in order, each in a transaction of its own. `report` is told
    how many are done.

    Drafts with findings, without a tax rate, held by hand or unlike those before are held, and hold no other
    contract's. Safe to run twice, and beside a twin. Raises NotFound.
    """
    finalized: list[Invoice] = []
    held: list[tuple[Document, Refusal]] = []
    due: list[Document] = []
    number = 0
    while number == 0 or number < len(due):
        try:
            if number == 0:
                invoice = _finalize_first(customer_id, due, at=at, by=by)
            else:
                invoice = finalize_invoice(customer_id, due[number].id, at=at, by=by)
        except (NothingToFinalize, EarlierDocumentsOpen):
            pass  # a twin was faster; or what it waits for is not due, or is held and says why itself
        except (PeriodHasFindings, DocumentHeld, NoTaxRate) as refusal:
            held.append((due[number], refusal))
        else:
            finalized.extend([invoice] if invoice else [])
        number += 1
        report(f"{min(number, len(due))} of {len(due)} documents")
    report(f"{len(due)} of {len(due)} documents, {len(held)} held")
    return Outcome(tuple(finalized), tuple(held))


@money_transaction
def _finalize_first(customer: Customer, due: list[Document], *, at: datetime, by: Actor) -> Invoice | None:
    """Finalize the first draft that is due, from the same computation that says which are: `due` is told all of
    them, in order. Most often there is one, and a second computation would be half of what it costs.

    Raises as `finalize_invoice` does; NothingToFinalize where none is due.
    """
    with committed_terms_and_prices():
        computed = computation(customer.pk, at=at)  # after the lock, never before
    # A true-up waits for usage of other contracts and later dates, too: it comes when all of that has been tried.
    due[:] = sorted(
        (draft for draft in (*computed.result.documents, *held_silences(computed)) if draft.finalizes_at <= at),
        key=lambda draft: draft.kind == Invoice.Kind.TRUE_UP,
    )
    if not due:
        raise NothingToFinalize("Nothing is due.")
    return _finalized(customer, due[0], computed, at=at, by=by)


def _finalized(
    customer: Customer, draft: Document, computed: Computation, *, at: datetime, by: Actor
) -> Invoice | None:
    _refuse_if_not_ready(draft, computed, at=at)
    if draft.kind == Invoice.Kind.TRUE_UP and round_to(draft.total, draft.unit.minor_step) == 0:
        _settle_without_document(customer, draft, computed, at=at, by=by)
        return None
    if draft.kind == Invoice.Kind.USAGE and draft.period is not None:
        Contract.objects.filter(customer=customer, pk=draft.contract_id).update(
            billed_through=Greatest(F("billed_through"), Value(draft.period.ending_before))  # NULL is passed over
        )
    return freeze(customer, draft, computed, at=at, by=by)


def _refuse_if_not_ready(draft: Document, computed: Computation, *, at: datetime) -> None:
    if at < draft.finalizes_at:
        raise GracePeriodOpen(f"{named(draft)} falls due at {format_instant(draft.finalizes_at)}.")
    refuse_while_held(draft, computed)
    held = reasons_to_hold(computed, [draft], at=at).get(draft.id)
    if held:
        raise DocumentHeld(f"{named(draft)} is held: {' '.join(reason.message for reason in held)}")


def refuse_while_held(draft: Document, computed: Computation) -> None:
    """Raises EarlierDocumentsOpen, PeriodHasFindings."""
    earlier = [
        other
        for other in (*computed.result.documents, *held_silences(computed))
        if other.id in draft.waits_for
        or (
            other.kind == draft.kind == Invoice.Kind.USAGE
            and other.contract_id == draft.contract_id
            and other.issued_at < draft.issued_at
        )
        or (draft.kind == Invoice.Kind.TRUE_UP and not other.lines and _counts_for(other, draft, computed))
    ]
    _refuse_while_voided(draft, computed)
    if earlier:
        raise EarlierDocumentsOpen(f"{named(draft)} waits for: {'; '.join(map(named, earlier))}.")
    _refuse_findings(draft)


def _counts_for(silent: Document, true_up: Document, computed: Computation) -> bool:
    """Whether usage that came after all into a period of silence would count toward the commitment."""
    commit = next(commit for commit in computed.result.commits if str(commit.id) == true_up.slot)
    assert silent.period is not None, "it is of usage"
    overlaps = any(segment.period.overlap(silent.period) for segment in commit.segments)
    return overlaps and commit.is_open_to(silent.contract_id)


def _refuse_while_voided(draft: Document, computed: Computation) -> None:
    """A true-up counts what documents billed: not while one of them is still to be made again."""
    if draft.kind != Invoice.Kind.TRUE_UP:
        return
    commit = next(commit for commit in computed.result.commits if str(commit.id) == draft.slot)
    waiting = InvoiceVoid.objects.waiting().filter(
        customer_id=computed.inputs.terms.customer_id, invoice__kind=Invoice.Kind.USAGE
    )
    numbers = ", ".join(
        void.invoice.number
        for void in waiting.select_related("invoice").order_by("invoice__number")
        if commit.is_open_to(void.invoice.contract_id)
        and (period := void.invoice.period) is not None
        and any(segment.period.overlap(period) for segment in commit.segments)
    )
    if numbers:
        raise EarlierDocumentsOpen(f"{named(draft)} waits until these void invoices are regenerated: {numbers}.")


def _refuse_findings(draft: Document) -> None:
    findings = [finding for finding in draft.findings if finding.blocking]
    if findings:
        more = f" And {len(findings) - 1} more." if len(findings) > 1 else ""
        raise PeriodHasFindings(f"{named(draft)} is held: {findings[0].message}{more}")


def _settle_without_document(
    customer: Customer, draft: Document, computed: Computation, *, at: datetime, by: Actor
) -> None:
    """Remember that the commitment was met: an entry that bills nothing, names no document and keeps the slot."""
    commit_id = UUID(draft.slot)
    entry = NewEntry(
        type=LedgerEntry.Type.POSTPAID_COMMIT_TRUEUP,
        commit_id=commit_id,
        contract_id=draft.contract_id,
        amount=-left_of(commit_id, computed),
        billed_amount=Decimal(0),
        timestamp=draft.issued_at,
        idempotency_key=f"{draft.id} settled",
    )
    post_entries(customer, [entry], at=at, by=by)


def named(draft: Document) -> str:
    """The draft as a person would name it."""
    if draft.period is not None and draft.period.ending_before is not None:
        last_hour = draft.period.ending_before - timedelta(hours=1)
        about = "late usage" if draft.kind == Invoice.Kind.ADJUSTMENT else "usage invoice"
        return f"The {about} of {draft.period.starting_at:%-d %b} to {last_hour:%-d %b %Y}"
    kind = "true-up" if draft.kind == Invoice.Kind.TRUE_UP else "scheduled invoice"
    return f"The {kind} of {draft.issued_at:%-d %b %Y}"
