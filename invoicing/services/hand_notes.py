"""Notes by hand: entered by one person, approved by another, and a document of their own from then on.

A note by hand credits or asks for money and nothing else. No balance gets or pays anything, what counts toward a
commitment stays, and the period is rated on as if there were no such note: late usage, and notes that a price or an
edit calls for, do not know of it. What may be credited is said in `invoicing/engine/notes/by_hand.py`; it is looked at
when a note is entered, and again, under the lock, when it is approved.

    meanwhile                               approving
    it was approved by somebody else        gives that note
    it was rejected                         is refused
    the document was voided                 is refused
    another note has credited the same      is refused where nothing of it is left
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.problems import Problems, checked_reason
from billing_site.foundation.refusals import Conflict, FieldError, Forbidden, NotFound
from contracts.models import Customer
from contracts.transactions import money_transaction
from invoicing.engine.documents import Result
from invoicing.engine.notes.by_hand import CREDIT, DEBIT, Asked, Broken, Creditable, broken_rules
from invoicing.models import EnteredNote, EnteredNoteDecision, Invoice, InvoiceVoid, Note
from invoicing.queries.compute import Computation
from invoicing.queries.hand_notes import asked_in, creditable, entered_document, frozen_asked, known_of
from invoicing.services.freezing import NoteFields, freeze
from invoicing.services.numbering import CREDIT_NOTES, DEBIT_NOTES
from invoicing.services.voiding import no_such_final
from pricing.models import Product

MOST_LINES = 500


@dataclass(frozen=True, slots=True)
class NoteLineInput:
    """`amount` in wire units. Of a line of the document (counted from 1), of a product, or of neither."""

    amount: Decimal
    reason: str  # printed
    line: int | None = None
    product_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class NoteInput:
    """`id` is given by whoever enters it: sent twice it is one note. `kind` is CREDIT or DEBIT."""

    id: UUID
    kind: str
    lines: tuple[NoteLineInput, ...]
    reason: str  # kept, not printed


class DocumentIsVoid(Conflict):
    """What was voided has nothing to correct."""


class AlreadyDecided(Conflict):
    """What was entered was rejected, or is a note."""


class MoreThanWasBilled(Conflict):
    """Less is left to be credited by now than when the note was entered."""


@money_transaction
def enter_note(customer: Customer, about_id: UUID, given: NoteInput, *, at: datetime, by: Actor) -> EnteredNote:
    """Ask for a note on a final document. It is none before `approve_entered_note`.

    Raises NotFound; DocumentIsVoid; Conflict where another note was entered with this id; and Refusal naming every
    field that breaks a rule.
    """
    known = EnteredNote.objects.filter(pk=given.id).first()
    if known is not None:
        if (known.customer_id, known.about_id, *_said(known)) != (customer.pk, about_id, given.kind, *_lines(given)):
            raise Conflict.of("id", given.id, "was used for another note; nothing was entered")
        return known
    about = _standing(customer, about_id)
    asked = checked_note(about, given)
    return EnteredNote.objects.create(
        id=given.id,
        customer=customer,
        about=about,
        kind=given.kind,
        lines=frozen_asked(asked),
        reason=given.reason.strip(),
        entered_at=at,
        entered_by=by.label,
        actor_id=by.id,
        money_version=customer.money_version,
    )


@money_transaction
def approve_entered_note(customer: Customer, entered_id: UUID, *, reason: str, at: datetime, by: Actor) -> Invoice:
    """Make the note that was entered. Where that was done already, it is returned.

    Raises NotFound, Forbidden for who has entered it, AlreadyDecided, DocumentIsVoid, MoreThanWasBilled, NoTaxRate, and
    Refusal for the reason.
    """
    reason = checked_reason(reason)
    entered = _entered(customer, entered_id)
    decision = EnteredNoteDecision.objects.filter(entered=entered).select_related("note__invoice").first()
    if decision is not None and decision.note is not None:
        return decision.note.invoice
    if decision is not None:
        raise AlreadyDecided(f"It was rejected by {decision.decided_by}; enter another one.")
    if was_entered_by(entered, by):
        raise Forbidden(
            f"{by.label} has entered this note; somebody else has to approve it.",
            FieldError("approver", by.label, "must not be who has entered it"),
        )
    about = _standing(customer, entered.about_id)
    for broken in broken_rules(entered.kind, asked_in(entered), creditable(about), about.unit.to_unit().minor_step):
        raise MoreThanWasBilled.of(_field(broken), broken.value, broken.rule)
    document = entered_document(entered, at=at)
    note = Note.objects.create(
        invoice_id=document.document.id,
        customer=customer,
        about=about,
        is_rated=False,
        reason=entered.reason,
        entered_by=entered.entered_by,
    )
    series = CREDIT_NOTES if entered.kind == CREDIT else DEBIT_NOTES
    computed = Computation(known_of(about, at=at), Result(()))
    _decide(customer, entered, note, reason, at=at, by=by)
    fields = NoteFields(about, series, about.snapshot)
    return freeze(customer, document.document, computed, at=at, by=by, note=fields)


@money_transaction
def reject_entered_note(
    customer: Customer, entered_id: UUID, *, reason: str, at: datetime, by: Actor
) -> EnteredNoteDecision:
    """Leave the document as it is. Whoever has entered it may do so, too. Rejected twice it is one decision.

    Raises NotFound, AlreadyDecided where it is a note, and Refusal for the reason.
    """
    reason = checked_reason(reason)
    entered = _entered(customer, entered_id)
    decision = EnteredNoteDecision.objects.filter(entered=entered).select_related("note__invoice").first()
    if decision is None:
        return _decide(customer, entered, None, reason, at=at, by=by)
    if decision.note is not None:
        raise AlreadyDecided(f"It is the note {decision.note.invoice}, which stands.")
    return decision


def checked_note(about: Invoice, given: NoteInput) -> list[Asked]:
    """What is asked for, with names and types of products. Raises Refusal naming every field that breaks a rule."""
    problems = Problems()
    if given.kind not in (CREDIT, DEBIT):
        problems.add("kind", given.kind, "must be CREDIT or DEBIT")
    problems.reason("reason", given.reason)
    if not 0 < len(given.lines) <= MOST_LINES:
        problems.add("lines", len(given.lines), f"must be from 1 to {MOST_LINES}")
    for index, line in enumerate(given.lines):
        inner = problems.within(f"lines[{index}]")
        inner.number("amount", line.amount)
        inner.name("reason", line.reason)
        if line.line is not None and line.product_id is not None:
            inner.add("product_id", line.product_id, "must not be there beside a line, which has its own")
    problems.refuse()
    found = creditable(about)
    asked = list(_asked(given.lines, found, about, problems))
    problems.refuse()
    for broken in broken_rules(given.kind, asked, found, about.unit.to_unit().minor_step):
        problems.add(_field(broken), broken.value, broken.rule)
    problems.refuse()
    return asked


def was_entered_by(entered: EnteredNote, actor: Actor) -> bool:
    return entered.entered_by == actor.label or (actor.id != "" and entered.actor_id == actor.id)


def _asked(lines: Sequence[NoteLineInput], found: Creditable, about: Invoice, problems: Problems) -> Iterator[Asked]:
    by_position = {line.position: line for line in found.lines}
    ids = {line.product_id for line in lines if line.product_id is not None}
    products = Product.objects.in_bulk(ids)
    for index, line in enumerate(lines):
        billed = None if line.line is None else by_position.get(line.line)
        product = None if line.product_id is None else products.get(line.product_id)
        if line.product_id is not None and product is None:
            problems.add(f"lines[{index}].product_id", line.product_id, "must be the id of a product")
            continue
        asked = Asked(line.amount, line.reason.strip(), line.line)
        if billed is not None:
            asked = asked._replace(product_id=billed.product_id, product_type=billed.product_type, name=billed.name)
        elif product is not None:
            asked = asked._replace(product_id=product.pk, product_type=product.type, name=str(product))
        yield asked


def _standing(customer: Customer, about_id: UUID) -> Invoice:
    about = Invoice.objects.filter(customer=customer, pk=about_id).select_related("unit").first()
    if about is None:
        raise no_such_final(about_id)
    if about.kind == Invoice.Kind.NOTE:
        raise Conflict.of("id", about_id, "must not be of a note: what it corrects can be corrected again")
    if InvoiceVoid.objects.filter(customer=customer, invoice=about).exists():
        raise DocumentIsVoid(f"Invoice {about} is void.", FieldError("id", about_id, "must not be of a void invoice"))
    return about


def _entered(customer: Customer, entered_id: UUID) -> EnteredNote:
    entered = EnteredNote.objects.filter(customer=customer, pk=entered_id).select_related("about__unit").first()
    if entered is None:
        rule = "must be the id of a note that was entered by hand"
        raise NotFound("There is no such note.", FieldError("id", entered_id, rule))
    return entered


def _decide(
    customer: Customer, entered: EnteredNote, note: Note | None, reason: str, *, at: datetime, by: Actor
) -> EnteredNoteDecision:
    return EnteredNoteDecision.objects.create(
        entered=entered,
        customer=customer,
        note=note,
        entered_by=entered.entered_by,
        decided_by=by.label,
        decided_at=at,
        reason=reason,
        money_version=customer.money_version,
    )


def _said(entered: EnteredNote) -> Iterator[object]:
    yield entered.kind
    for each in asked_in(entered):
        yield each.amount, each.reason, each.position, each.product_id if each.position is None else None


def _lines(given: NoteInput) -> Iterator[object]:
    for each in given.lines:
        yield each.amount, each.reason.strip(), each.line, each.product_id


def _field(broken: Broken) -> str:
    return broken.field if broken.place is None else f"lines[{broken.place}].{broken.field}"
