"""Notes that final documents call for: found by comparing what each was made of with what is known now.

Nothing of a proposal is stored but its head, for the queue: it is computed whenever somebody asks.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from billing_site.foundation.transactions import read_snapshot
from contracts.models import ContractEdit
from contracts.queries import customer_terms
from contracts.terms import CustomerTerms
from invoicing.engine import walk
from invoicing.engine.balances import balances
from invoicing.engine.commits import all_commits
from invoicing.engine.documents import Corrects, Document, Finding
from invoicing.engine.drafts import usage_draft
from invoicing.engine.findings import findings
from invoicing.engine.inputs import Inputs
from invoicing.engine.notes.anew import Billed
from invoicing.engine.notes.correct import Correction, Reopened, correct
from invoicing.engine.notes.document import note_of
from invoicing.engine.notes.given_before import without_given_before
from invoicing.engine.rounding import RoundedDocument, finalized
from invoicing.engine.sellers import sellers
from invoicing.frozen import frozen
from invoicing.models import Invoice, Note, NoteDismissal, NoteSummary
from invoicing.queries.closed_documents import ClosedDocument, StandingPart, closed_documents, keeping
from invoicing.queries.compute import posted
from invoicing.queries.finals import Finals, final_documents
from invoicing.queries.hand_notes import GivenByHand, creditable, given_by_hand
from invoicing.queries.lateness import last_seen, missed_by
from invoicing.queries.reaching_back import Reaching, reaching_back
from invoicing.queries.traces import as_part
from ledger.queries.as_seen import usage_as_seen
from ledger.queries.reach import Reach
from pricing.models import PricingUnit, ProductVersion, Rate, RateWithdrawal
from pricing.queries import catalog


@dataclass(frozen=True, slots=True)
class Proposal:
    """A note that a final document calls for: final at once, where it is approved. With findings it cannot be."""

    about: Invoice
    note: RoundedDocument
    correction: Correction
    because: Reaching
    findings: tuple[Finding, ...]
    inputs: Inputs  # what it was computed from
    snapshot: str  # which events the usage is of
    by_hand: tuple[GivenByHand, ...] = ()  # what notes by hand have given back of the document

    @property
    def document(self) -> Document:
        return self.note.document

    @property
    def changes_anything(self) -> bool:
        if not self.by_hand:
            return any(self.note.totals)
        return bool(self.note.total) or any(entry.amount for entry in self.document.entries)

    @property
    def difference(self) -> str:
        """A digest of what would change: another one where anything else would."""
        lines = [(line.name, total) for line, total in zip(self.document.lines, self.note.totals, strict=True)]
        entries = [(entry.type, entry.segment_id, entry.amount) for entry in self.document.entries]
        text = json.dumps(frozen([self.document.slot, lines, entries, [finding.message for finding in self.findings]]))
        return hashlib.sha256(text.encode()).hexdigest()


def proposals(customer_id: UUID, *, at: datetime) -> list[Proposal]:
    """The customer's, oldest period first, without those that were dismissed. Raises NotFound.

    A fixed number of statements, and a few for each document that an edit or a publication reaches back to.
    """
    with read_snapshot(with_temporary_tables=True):
        found = proposed(customer_id, at=at)
        about = [each.about.pk for each in found]
        dismissed = set(NoteDismissal.objects.filter(about__in=about).values_list("about_id", "difference"))
    return [each for each in found if (each.about.pk, each.difference) not in dismissed]


def note_summaries(customer_id: UUID, *, at: datetime) -> list[NoteSummary]:
    """The rows that stand for the customer's proposals. One statement where nothing can have changed a document; else
    those of `proposals`. Call it in one snapshot, in which temporary tables can be made."""
    if not _may_call_for_notes(customer_id):
        return []
    return [
        NoteSummary(
            id=each.about.pk,
            customer_id=customer_id,
            about_id=each.about.pk,
            total=each.note.total,
            unit_id=each.document.unit.id,
            because=[
                *(f"Edit {edit.number} by {edit.created_by}" for edit in each.because.edits),
                *(f"Publication {made.number} by {made.published_by}" for made in each.because.publications),
            ],
            findings=len(each.findings),
        )
        for each in proposals(customer_id, at=at)
    ]


def _may_call_for_notes(customer_id: UUID) -> bool:
    """Whether a final usage document is followed by something that may reach back: not more than a filter."""
    about = {"number__gt": OuterRef("edit_number"), "customer": OuterRef("customer")}
    edits = ContractEdit.objects.filter(**about).exclude(kind=ContractEdit.Kind.CLAIMS)
    of_contract = Q(contract=None) | Q(contract=OuterRef("contract"))
    card, end = OuterRef("contract__rate_card"), OuterRef("ending_before")
    later = {"publication__gt": OuterRef("publication")}
    rates = Rate.objects.filter(rate_card=card, starting_at__lt=end, **later)
    withdrawn = RateWithdrawal.objects.filter(rate__rate_card=card, rate__starting_at__lt=end, **later)
    versions = ProductVersion.objects.filter(Q(starting_at=None) | Q(starting_at__lt=end), **later)
    touched = Exists(edits.filter(of_contract)) | Exists(rates) | Exists(withdrawn) | Exists(versions)
    return Invoice.objects.filter(touched, customer=customer_id, kind=Invoice.Kind.USAGE, void=None).exists()


def proposed(customer_id: UUID, *, at: datetime, about_id: UUID | None = None) -> list[Proposal]:
    """All proposals, dismissed ones too; of one document where it is named. Call it in one snapshot, in which
    temporary tables can be made."""
    finals = final_documents(customer_id)
    terms = customer_terms(customer_id)
    inputs = inputs_of(terms, finals, at=at)
    agreed = {contract.id: contract for contract in terms.contracts if contract.rate_card_id is not None}
    usage = [
        each
        for each in finals.standing
        if each.kind == Invoice.Kind.USAGE and each.contract_id in agreed and about_id in (None, each.pk)
    ]
    known_by = _known_by(customer_id, usage, finals)
    cards = {contract_id: contract.rate_card_id for contract_id, contract in agreed.items()}
    because = reaching_back(customer_id, [(each, known_by[each.pk], cards[each.contract_id]) for each in usage])
    touched = [each for each in usage if because[each.pk].is_anything]
    missed = {each.invoice.pk for each in missed_by(finals, terms.claims)} if touched else set()
    closed = closed_documents(inputs, touched, finals)
    found = [_proposal(each, inputs, finals, because[each.invoice.pk], each.invoice.pk in missed) for each in closed]
    wanted = [each for each in found if each.changes_anything or each.findings]
    return sorted(wanted, key=lambda each: (each.about.ending_before, each.about.contract_id))


def inputs_of(terms: CustomerTerms, finals: Finals, *, at: datetime, at_publication: int | None = None) -> Inputs:
    cards = {contract.rate_card_id for contract in terms.contracts if contract.rate_card_id is not None}
    prices = catalog(rate_card_ids=cards, at_publication=at_publication)
    return Inputs(at, terms, prices, posted(terms, finals))


def correction_of(closed: ClosedDocument, inputs: Inputs, *, as_seen: str | None) -> Correction:
    """What the document's period is by these inputs, from the usage of now, or as a snapshot saw it."""
    first = customer_terms(inputs.terms.customer_id, at_edit=closed.invoice.edit_number)
    now = replace(inputs, terms=keeping(inputs.terms, first))
    seen: AbstractContextManager[None] = nullcontext()
    if as_seen is not None:
        plan = walk.plan(now, [closed.billing(now)])
        seen = usage_as_seen(Reach.of(inputs.terms.claims, [closed.period], plan.metric_ids), as_seen)
    with seen:
        counted = closed.counted(now, inputs)
    selling = sellers(closed.known.terms, closed.known.catalog)
    then = usage_draft(closed.billing(closed.known), selling, closed.known.catalog, ())
    left = {each.segment.id: each.left for each in balances(all_commits(now), now.catalog, now.posted)}
    reopened = Reopened(closed.adjusts, tuple(_billed(closed.parts)), then, counted)
    return correct(reopened, left)


def rounded_note(
    correction: Correction, inputs: Inputs, about: Invoice, *, slot: str, before: int | None = None
) -> tuple[RoundedDocument, list[GivenByHand]]:
    """The note, and what notes by hand (of before a money version of the customer) have given back already: of that it
    credits no more than is left. One query, and three where there are any."""
    shared = balances(all_commits(inputs), inputs.catalog, inputs.posted)
    note = finalized(note_of(correction, inputs, shared, slot=slot))
    by_hand = given_by_hand(about, before=before)
    if not by_hand:
        return note, []
    of = creditable(about, before=before)
    return without_given_before(note, of, Corrects(about.pk, about.number)), by_hand


def rounded_note_again(note: Invoice, inputs: Inputs, finals: Finals) -> RoundedDocument:
    """A final note, from what was final before it."""
    about_id = Note.objects.values_list("about_id", flat=True).get(pk=note.pk)
    about = next(each for each in finals.standing if each.pk == about_id)
    [closed] = closed_documents(inputs, [about], finals)
    correction = correction_of(closed, inputs, as_seen=note.snapshot)
    again, _ = rounded_note(correction, inputs, about, slot=note.slot, before=note.money_version)
    return again


def slot_of(about: Invoice, number: int) -> str:
    """Of the `number`th note on a document."""
    return f"{about.pk} {number}"


def _proposal(closed: ClosedDocument, inputs: Inputs, finals: Finals, because: Reaching, has_missed: bool) -> Proposal:
    about = closed.invoice
    snapshot = last_seen(finals).get(about.contract_id, about.snapshot)
    correction = correction_of(closed, inputs, as_seen=snapshot if has_missed else None)
    found = tuple(each for each in findings(correction.rerated.closed.now) if each.blocking)
    earlier = sum(
        1 for each in finals.documents if each.kind == Invoice.Kind.NOTE and each.slot.startswith(f"{about.pk} ")
    )
    note, by_hand = rounded_note(correction, inputs, about, slot=slot_of(about, earlier + 1))
    return Proposal(about, note, correction, because, found, inputs, snapshot, tuple(by_hand))


def _billed(parts: Sequence[StandingPart]) -> Iterator[Billed]:
    units = {unit.pk: unit.to_unit() for unit in PricingUnit.objects.filter(pk__in={each.unit_id for each in parts})}
    for each in parts:
        yield Billed(each.product_id, each.part.group_values, units[each.unit_id], as_part(each.part))


def _known_by(customer_id: UUID, usage: Sequence[Invoice], finals: Finals) -> Mapping[UUID, Invoice]:
    """By which document the terms and prices of each are known: the last note on it, or itself."""
    by_id = {each.pk: each for each in finals.standing}
    notes = Note.objects.filter(customer_id=customer_id, is_rated=True).values_list("about_id", "invoice_id")
    known = {each.pk: each for each in usage}
    order = {each.pk: place for place, each in enumerate(finals.standing)}
    for about_id, invoice_id in sorted(notes, key=lambda pair: order.get(pair[1], -1)):
        if about_id in known and invoice_id in by_id:
            known[about_id] = by_id[invoice_id]
    return known
