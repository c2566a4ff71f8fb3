"""What of a final document may be credited by hand, and the notes that were entered, as documents."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from django.db.models import QuerySet

from billing_site.foundation.money import exact_sum
from contracts.queries import customer_terms
from invoicing.engine.documents import Corrects
from invoicing.engine.inputs import Inputs
from invoicing.engine.notes.by_hand import Asked, Billed, Creditable, Item, note_by_hand
from invoicing.engine.rounding import RoundedDocument, finalized
from invoicing.frozen import TYPES_OF_PRODUCTS, digits
from invoicing.models import EnteredNote, Invoice, InvoiceLine, Note
from invoicing.queries.addressees import addressee
from invoicing.queries.closed_documents import NOTHING_POSTED
from invoicing.queries.taxation import Taxation, note_taxation
from pricing.queries import catalog

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class GivenByHand:
    """A line of a note by hand; a credit is below zero."""

    number: str
    issued_at: datetime
    name: str
    amount: Decimal


def given_by_hand(about: Invoice, *, before: int | None = None) -> list[GivenByHand]:
    """What notes by hand on a document came to, or those before the customer's money version `before`, in their order.
    One query."""
    notes = _notes(about, before).filter(is_rated=False)
    rows = InvoiceLine.objects.filter(customer_id=about.customer_id, invoice__note__in=notes)
    return [
        GivenByHand(row.invoice.number, row.invoice.issued_at, row.name, row.total)
        for row in rows.select_related("invoice").order_by("invoice__money_version", "position")
    ]


def _notes(about: Invoice, before: int | None) -> QuerySet[Note]:
    notes = Note.objects.filter(customer_id=about.customer_id, about=about)
    return notes if before is None else notes.filter(invoice__money_version__lt=before)


def creditable(about: Invoice, *, before: int | None = None) -> Creditable:
    """What is left of it now, or was before the customer's money version `before`. Three queries."""
    notes = dict(_notes(about, before).values_list("invoice_id", "is_rated"))
    documents = [about.pk, *notes]
    lines: dict[UUID, list[InvoiceLine]] = {each: [] for each in documents}
    for row in InvoiceLine.objects.filter(customer_id=about.customer_id, invoice__in=documents).order_by("position"):
        lines[row.invoice_id].append(row)
    by_hand = [row for note_id, is_rated in notes.items() if not is_rated for row in lines[note_id]]
    rated = [each for note_id, is_rated in notes.items() if is_rated for each in _billed(lines[note_id], about)]
    came_to = Invoice.objects.filter(customer_id=about.customer_id, pk__in=notes).values_list("subtotal", flat=True)
    neither = [row.total for row in by_hand if not _is_of_a_line(row) and "product_id" not in row.details]
    return Creditable(
        lines=tuple(_billed(lines[about.pk], about)),
        total=about.subtotal,
        credited=_sums((row.details["correction"]["line"], -row.total) for row in by_hand if _is_of_a_line(row)),
        loose=_sums(
            (UUID(row.details["product_id"]), -row.total)
            for row in by_hand
            if not _is_of_a_line(row) and "product_id" in row.details
        ),
        rated=_sums((each.item, each.amount) for each in rated if each.item is not None),
        notes=exact_sum(list(came_to)),
        goodwill=-exact_sum(neither),
    )


def entered_document(entered: EnteredNote, *, at: datetime) -> RoundedDocument:
    """What was entered, as the note that it becomes at that instant."""
    return hand_note(entered.about, entered.kind, asked_in(entered), slot=slot_of_entered(entered.pk), at=at)


def hand_note(about: Invoice, kind: str, asked: Sequence[Asked], *, slot: str, at: datetime) -> RoundedDocument:
    corrects = Corrects(about.pk, about.number)
    unit = about.unit.to_unit()
    return finalized(
        note_by_hand(kind, asked, about=corrects, contract_id=about.contract_id, unit=unit, slot=slot, at=at)
    )


def previewed_note(
    about: Invoice, kind: str, asked: Sequence[Asked], *, at: datetime
) -> tuple[RoundedDocument, Taxation]:
    """What would be made of it, and its tax. `about` with its unit and customer."""
    note = hand_note(about, kind, asked, slot="", at=at)
    return note, note_taxation(note, about, addressee(about.customer).tax_port)


def slot_of_entered(entered_id: UUID) -> str:
    """Its own: the count of rated notes on a document does not move by it, nor does what they propose."""
    return str(entered_id)


def known_of(about: Invoice, *, at: datetime) -> Inputs:
    """Terms and prices that the document was made of: a contract that is archived by now is among them."""
    terms = customer_terms(about.customer_id, at_edit=about.edit_number)
    cards = {contract.rate_card_id for contract in terms.contracts if contract.rate_card_id is not None}
    return Inputs(at, terms, catalog(rate_card_ids=cards, at_publication=about.publication), NOTHING_POSTED)


def frozen_asked(asked: Sequence[Asked]) -> list[dict[str, object]]:
    return [
        {
            "amount": digits(each.amount),
            "reason": each.reason,
            "position": each.position,
            "product_id": None if each.product_id is None else str(each.product_id),
            "product_type": each.product_type,
            "name": each.name,
        }
        for each in asked
    ]


def asked_in(entered: EnteredNote) -> list[Asked]:
    return [
        Asked(
            Decimal(each["amount"]),
            each["reason"],
            each["position"],
            None if each["product_id"] is None else UUID(each["product_id"]),
            each["product_type"],
            each["name"],
        )
        for each in entered.lines
    ]


def _is_of_a_line(row: InvoiceLine) -> bool:
    return "line" in row.details["correction"]


def _billed(rows: Sequence[InvoiceLine], about: Invoice) -> Iterator[Billed]:
    """Lines that count, in the document's unit, each with the balance that is applied to it."""
    found: list[Billed] = []
    for row in rows:
        if not row.counts_toward_total or row.details["credit_type"]["id"] != str(about.unit_id):
            continue
        if row.type == "applied_commit_or_credit" and found:
            found[-1] = found[-1]._replace(amount=exact_sum([found[-1].amount, row.total]))
            continue
        said = row.details
        product_id = said.get("product_id")
        found.append(
            Billed(
                position=row.position,
                name=row.name,
                amount=row.total,
                item=None if product_id is None else _item(said),
                product_id=None if product_id is None else UUID(product_id),
                product_type=TYPES_OF_PRODUCTS[said["product_type"]] if product_id is not None else "",
            )
        )
    yield from found


def _item(said: Mapping[str, Mapping[str, str]]) -> Item:
    values = (said.get("pricing_group_values", {}), said.get("presentation_group_values", {}))
    pricing, presentation = (tuple(sorted(each.items())) for each in values)
    return str(said["product_id"]), pricing, presentation


def _sums(pairs: Iterable[tuple[Key, Decimal]]) -> dict[Key, Decimal]:
    found: dict[Key, list[Decimal]] = {}
    for key, amount in pairs:
        found.setdefault(key, []).append(amount)
    return {key: exact_sum(amounts) for key, amounts in found.items()}
