"""Final usage documents as they stand: what was billed for their periods, and by what terms and prices.

A note that was made as terms or prices had changed moves both forward: from then on the period's terms and prices are
those of the note, and what the note came to stands for it. Commits and credits that were agreed when the document
became final stay among its terms: one of them may have paid.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.db.models import Q

from billing_site.foundation.money import exact_sum
from billing_site.foundation.periods import Period
from contracts.queries import customer_terms
from contracts.terms import CustomerTerms
from invoicing.engine import walk
from invoicing.engine.calendar import BillingPeriod
from invoicing.engine.documents import Adjusted
from invoicing.engine.drafts import UsageDraft
from invoicing.engine.inputs import Inputs, Posted
from invoicing.engine.late.recount import recount
from invoicing.models import Invoice, InvoiceLine, Note
from invoicing.queries import metering
from invoicing.queries.finals import Finals
from invoicing.queries.traces import ShownPart, thawed
from pricing.queries import catalog

NOTHING_POSTED = Posted(frozenset(), {}, {})


@dataclass(frozen=True, slots=True)
class StandingPart:
    """Units of one payer that were billed, signed."""

    product_id: UUID
    unit_id: UUID  # of the money
    part: ShownPart


@dataclass(frozen=True, slots=True)
class ClosedDocument:
    """`known` are the terms and prices that hold for it, `parts` what stands for it, in the order of counting."""

    invoice: Invoice
    adjusts: Adjusted
    known: Inputs
    parts: tuple[StandingPart, ...]

    @property
    def period(self) -> Period:
        return self.adjusts.period

    def billing(self, known: Inputs) -> BillingPeriod:
        """Its period under these terms, among which its contract is."""
        assert self.period.ending_before is not None, "billing periods have an end"
        contract = next(each for each in known.terms.contracts if each.id == self.invoice.contract_id)
        return BillingPeriod(contract, self.period.starting_at, self.period.ending_before)

    def counted(self, known: Inputs, inputs: Inputs) -> UsageDraft:
        """What the period has used by now, under these terms and prices. Claims are those of now."""
        billing = self.billing(known)
        plan = walk.plan(known, [billing])
        asked = metering.Asked.of(known.catalog, plan.metric_ids, plan.scopes)
        metered = metering.Metered(inputs.terms.claims, asked, inputs.at)
        return walk.answered(recount(known, billing, plan, metered.of(plan.slices)), metered.finer)


def closed_documents(inputs: Inputs, invoices: Sequence[Invoice], finals: Finals) -> list[ClosedDocument]:
    """Of standing usage documents whose contracts are among the terms, in their order. Two queries, and what terms and
    prices take that are not known yet."""
    if not invoices:
        return []
    contracts = {each.contract_id for each in invoices}
    order = {each.pk: place for place, each in enumerate(finals.standing) if each.contract_id in contracts}
    notes = [
        note
        for note in Note.objects.filter(customer_id=inputs.terms.customer_id, about__in=[each.pk for each in invoices])
        if note.invoice_id in order
    ]
    last = {note.about_id: note for note in sorted(notes, key=lambda note: order[note.invoice_id]) if note.is_rated}
    by_id = {each.pk: each for each in finals.standing}
    known = _Known(inputs)
    lines = _lines(inputs.terms.customer_id, invoices, order)
    found = []
    for invoice in invoices:
        note = last.get(invoice.pk)
        by = invoice if note is None else by_id[note.invoice_id]
        mine = lines[invoice.pk]
        parts = _parts(mine, order, note, {each.invoice_id for each in notes})
        found.append(ClosedDocument(invoice, _adjusts(invoice, mine), known.of(by, invoice), tuple(parts)))
    return found


def keeping(terms: CustomerTerms, earlier: CustomerTerms) -> CustomerTerms:
    """The terms, and whatever of commits and credits was agreed earlier and is not any more."""
    before = {contract.id: contract for contract in earlier.contracts}
    contracts = []
    for contract in terms.contracts:
        former = before.get(contract.id, contract)
        commits = {each.id for each in contract.commits}
        recurring = {each.id for each in contract.recurring}
        contracts.append(
            replace(
                contract,
                commits=(*contract.commits, *(each for each in former.commits if each.id not in commits)),
                recurring=(*contract.recurring, *(each for each in former.recurring if each.id not in recurring)),
            )
        )
    shared = {each.id for each in terms.commits}
    commits_of_customer = (*terms.commits, *(each for each in earlier.commits if each.id not in shared))
    return replace(terms, contracts=tuple(contracts), commits=commits_of_customer)


class _Known:
    """Terms and prices that documents were made of, each read once."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.found: dict[tuple[int, int, int], Inputs] = {}

    def of(self, by: Invoice, first: Invoice) -> Inputs:
        """Those of `by`, where `first` is the document whose payers are kept."""
        key = by.edit_number, by.publication, first.edit_number
        if key not in self.found:
            customer_id = self.inputs.terms.customer_id
            terms = customer_terms(customer_id, at_edit=by.edit_number)
            if first.edit_number != by.edit_number:
                terms = keeping(terms, customer_terms(customer_id, at_edit=first.edit_number))
            cards = {contract.rate_card_id for contract in terms.contracts if contract.rate_card_id is not None}
            prices = catalog(rate_card_ids=cards, at_publication=by.publication)
            self.found[key] = Inputs(self.inputs.at, terms, prices, NOTHING_POSTED)
        return self.found[key]


def _adjusts(invoice: Invoice, lines: Sequence[InvoiceLine]) -> Adjusted:
    counted = [line for line in lines if line.counts_toward_total]
    assert invoice.period is not None, "a usage document has a period"
    return Adjusted(
        invoice_id=invoice.pk,
        number=invoice.number,
        period=invoice.period,
        unrounded=exact_sum([line.unrounded_total for line in counted]),
        printed=exact_sum([line.total for line in counted]),
    )


def _lines(
    customer_id: UUID, invoices: Sequence[Invoice], order: Mapping[UUID, int]
) -> Mapping[UUID, list[InvoiceLine]]:
    """By document: its own lines and those that adjust it, in the order in which documents became final. One query."""
    own = {each.pk for each in invoices}
    rows = InvoiceLine.objects.filter(
        Q(invoice_id__in=own) | Q(invoice_id__in=list(order), details__has_key="adjustment"), customer_id=customer_id
    )
    found: dict[UUID, list[InvoiceLine]] = {invoice_id: [] for invoice_id in own}
    for row in sorted(rows, key=lambda row: (order[row.invoice_id], row.position)):
        adjustment = row.details.get("adjustment")
        about = row.invoice_id if adjustment is None else UUID(adjustment["invoice_id"])
        if about in own:
            found[about].append(row)
    return found


def _parts(
    lines: Iterable[InvoiceLine], order: Mapping[UUID, int], note: Note | None, notes: set[UUID]
) -> Iterator[StandingPart]:
    """What the last note came to, and what was posted since, document by document. A share alone of a package or a fee
    stands before the units that are there with the rest of it."""
    if note is not None:
        yield from map(_kept, note.standing)
    since = -1 if note is None else order[note.invoice_id]
    by_document: dict[UUID, list[StandingPart]] = {}
    for line in lines:
        if line.type == "usage" and line.invoice_id not in notes and order[line.invoice_id] > since:
            product_id, unit_id = UUID(line.details["product_id"]), UUID(line.details["credit_type"]["id"])
            by_document.setdefault(line.invoice_id, []).extend(
                StandingPart(product_id, unit_id, part) for part in map(thawed, line.trace)
            )
    for found in by_document.values():
        yield from sorted(found, key=lambda each: (each.part.above, each.part.upto))


def _kept(row: Mapping[str, object]) -> StandingPart:
    part = row["part"]
    assert isinstance(part, Mapping)
    return StandingPart(UUID(str(row["product_id"])), UUID(str(row["unit_id"])), thawed(part))
