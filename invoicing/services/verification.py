"""Whether a final document still is what it was, and what the facts that it saw come to.

    what is looked at                      what is named where it differs
    its hash, and that of its PDF          the document, the PDF
    terms at its edit                      the term's field
    events as received, as their keys say  the event
    days and hours, as the events say      subject, hour and both sums
    all of it computed anew                the line's or the entry's field: said, and come to
      of what was invoiced elsewhere:      the same, from the quantities that it says, which its hash vouches for

Anew is: at the instant it was finalized, from the events its snapshot saw, prices at its publication, terms at its
edit, and what had been posted before it. Names, addresses and rates of tax are as they were printed; their hash vouches
for them, and the tax has to follow from them.

Events are read of the periods that can have moved the document, and of no others (`_periods`). Where they do not come
to it, all events of the customer are looked at, one after the other, to name what was taken out of these periods.

Where bodies of events have been dropped, lines are held against their own trace, and the trace against the prices it
names.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing_site.foundation.money import exact_sum
from billing_site.foundation.periods import Period
from billing_site.foundation.transactions import read_snapshot
from contracts.queries import customer_terms
from contracts.terms import CustomerTerms
from invoicing.engine import walk
from invoicing.engine.calendar import open_periods
from invoicing.engine.documents import Result
from invoicing.engine.inputs import Inputs
from invoicing.engine.rounding import RoundedDocument, finalized
from invoicing.engine.taxes import NOTHING_TAXED, tax_line
from invoicing.frozen import digits, frozen, hash_of
from invoicing.models import EnteredNote, Invoice, InvoiceLine, InvoicePdf
from invoicing.queries.compute import Computation, computed_from, posted, without
from invoicing.queries.finals import Finals, final_documents
from invoicing.queries.hand_notes import entered_document
from invoicing.queries.lateness import missed_by
from invoicing.queries.notes import rounded_note_again
from invoicing.queries.taxation import printed_rates, tax_of_notes
from invoicing.services.freezing import entries_of, lines_of
from invoicing.services.historical import historical_again
from ledger.models import LedgerEntry
from ledger.queries.as_seen import usage_as_seen
from ledger.queries.bodies import altered_events, altered_events_anywhere, dropped_since, lost_events
from ledger.queries.checks import usage_differs
from ledger.queries.reach import Reach
from ledger.services.entries import NewEntry
from pricing.engine.catalog import Catalog
from pricing.queries import catalog

COMPUTED = (
    *("type", "kind", "slot", "starting_at", "ending_before", "issued_at", "unit_id"),
    *("subtotal", "total", "unrounded_total", "line_count"),
)
LINE_FIELDS = (
    *("type", "name", "total", "unrounded_total", "counts_toward_total", "quantity", "unit_price"),
    *("starting_at", "ending_before", "details", "trace"),
)
ENTRY_FIELDS = ("commit_id", "segment_id", "contract_id", "type", "amount", "billed_amount", "timestamp")


@dataclass(frozen=True, slots=True)
class Verification:
    """`against` says what the document was held against; no differences means that it is equal."""

    invoice: Invoice
    against: str
    differences: tuple[str, ...]


def verify_invoice(invoice: Invoice) -> Verification:
    """Compute a final document anew and compare, all in one snapshot. Nothing is changed.

    It reads the events of the document's period and of other periods that were open, or had missed something, when it
    became final, one after the other: its memory grows with hours and series, and not with events. Of levels, which
    carry over, it reads all earlier changes.
    """
    with read_snapshot(with_temporary_tables=True):
        lines = list(InvoiceLine.objects.filter(customer_id=invoice.customer_id, invoice=invoice).order_by("position"))
        seal = (*_seal(invoice, lines), *_pdf(invoice))
        try:
            against, differences = _against_the_facts(invoice, lines)
        except Exception as error:
            if not seal:
                raise
            # What was altered may be what says where the facts lie: there may be none, or none that can be computed.
            return Verification(invoice, "its hash", (*seal, f"The document: it leads to no facts any more: {error}"))
        return Verification(invoice, against, (*seal, *differences))


def _against_the_facts(invoice: Invoice, lines: Sequence[InvoiceLine]) -> tuple[str, tuple[str, ...]]:
    """What the document was held against, and where it differs."""
    terms = customer_terms(invoice.customer_id, at_edit=invoice.edit_number, anew=True)
    found = list(_differing("terms", invoice.terms, frozen(terms)))
    cards = {contract.rate_card_id for contract in terms.contracts if contract.rate_card_id is not None}
    prices = catalog(rate_card_ids=cards, at_publication=invoice.publication, anew=True)
    if invoice.money_version is None:
        return "its trace: it was finalized before the order of postings was kept", (
            *found,
            *_against_the_trace(lines, prices),
        )
    made_of = _made_of(invoice, lines, terms, prices)
    months = [f"{month:%Y-%m}" for month in dropped_since(made_of.reach.first_day)] if made_of.reach.days else []
    if months:
        gone = f"the bodies of events received in {', '.join(months)} are gone"
        return f"its trace: {gone}", (*found, *_against_the_trace(lines, prices))
    used = [*_events(made_of.reach), *_usage(made_of.reach)]
    anew = list(_anew(invoice, lines, made_of))
    if used or anew:
        used = list(dict.fromkeys([*_events_anywhere(terms), *used]))
    return "the facts that it saw", (*found, *used, *anew)


@dataclass(frozen=True, slots=True)
class _MadeOf:
    """What was known as the document became final; `reach` are the events to be read."""

    inputs: Inputs
    finals: Finals
    reach: Reach


def _made_of(invoice: Invoice, lines: Sequence[InvoiceLine], terms: CustomerTerms, prices: Catalog) -> _MadeOf:
    finals = final_documents(invoice.customer_id, before=invoice.money_version)
    known = posted(terms, finals, before=invoice.money_version)
    inputs = Inputs(
        at=invoice.finalized_at,
        terms=terms,
        catalog=prices,
        posted=without(known, invoice.occupied),
    )
    periods = _periods(invoice, lines, inputs, finals)
    plan = walk.plan(inputs)
    return _MadeOf(inputs, finals, Reach.of(terms.claims, periods, plan.metric_ids))


def _periods(invoice: Invoice, lines: Sequence[InvoiceLine], inputs: Inputs, finals: Finals) -> set[Period]:
    """Closed periods whose usage can have moved the document: its own; those of other open documents that began before
    its end, as they share balances; and final ones that have missed something, by then or since. Of documents of dated
    amounts, only fees of subscriptions are paid for by balances."""
    if invoice.kind == Invoice.Kind.HISTORICAL:
        return set()
    if invoice.kind == Invoice.Kind.CHARGES and all(line.type != "subscription" for line in lines):
        return set()
    if invoice.kind == Invoice.Kind.NOTE:
        about = next((each for each in finals.documents if each.pk == invoice.note.about_id), None)
        return {about.period} if invoice.note.is_rated and about is not None and about.period is not None else set()
    end = invoice.issued_at if invoice.kind == Invoice.Kind.CHARGES else invoice.ending_before
    open_ = {each.period for each in open_periods(inputs) if end is None or each.starting_at < end}
    agreed = {contract.id for contract in inputs.terms.contracts}
    missed = {each.period for each in missed_by(finals.of(agreed), inputs.terms.claims)}
    own = {invoice.period} if invoice.period is not None else set()
    return open_ | missed | own


def _seal(invoice: Invoice, lines: Sequence[InvoiceLine]) -> Iterator[str]:
    if bytes(invoice.document_hash) != hash_of(invoice, lines):
        yield "The document: its hash is not that of what is stored."


def _pdf(invoice: Invoice) -> Iterator[str]:
    kept = InvoicePdf.objects.filter(customer_id=invoice.customer_id, invoice=invoice)
    for content, content_hash in kept.values_list("content", "content_hash"):
        if hashlib.sha256(content).digest() != bytes(content_hash):
            yield "The PDF of the document: its hash is not that of its bytes."


def _events(reach: Reach) -> Iterator[str]:
    for subject, transaction_id in altered_events(reach):
        yield _is_altered(subject, transaction_id)


def _is_altered(subject: str, transaction_id: str) -> str:
    return f"Event {transaction_id} of {subject}: it is not what was received."


def _events_anywhere(terms: CustomerTerms) -> Iterator[str]:
    """What is gone has no time any more, and what was altered may have another one."""
    subjects = sorted({claim.subject for claim in terms.claims})
    for subject, transaction_id in lost_events(subjects):
        yield f"Event {transaction_id} of {subject}: its body or its call is gone."
    for subject, transaction_id in altered_events_anywhere(subjects):
        yield _is_altered(subject, transaction_id)


def _usage(reach: Reach) -> Iterator[str]:
    for one in usage_differs(reach) if reach.days else []:
        when = f"{one.day}" if one.hour is None else f"{one.day}, hour {one.hour}"
        held, come = (None if each is None else digits(each.sum or Decimal(each.count)) for each in one.sides)
        where = f"Usage of {one.subject} on {when}, series {one.series_id}"
        yield f"{where}: {held or 'nothing'} is held, and the events come to {come or 'nothing'}."


def _anew(invoice: Invoice, lines: Sequence[InvoiceLine], made_of: _MadeOf) -> Iterator[str]:
    inputs, finals, prices, slot = made_of.inputs, made_of.finals, made_of.inputs.catalog, invoice.occupied
    if invoice.kind == Invoice.Kind.NOTE:
        by_hand = EnteredNote.objects.filter(decision__note=invoice.pk).select_related("about__unit").first()
        note = (
            rounded_note_again(invoice, inputs, finals)
            if by_hand is None
            else entered_document(by_hand, at=invoice.finalized_at)
        )
        yield from _differ(invoice, lines, note, entries_of(note, Computation(inputs, Result(()))), prices)
        return
    if invoice.kind == Invoice.Kind.HISTORICAL:
        computed = Computation(inputs, Result(()))
        final = finalized(historical_again(invoice, lines, computed))
        yield from _differ(invoice, lines, final, entries_of(final, computed), prices)
        return
    if invoice.kind == Invoice.Kind.CHARGES and not made_of.reach.days:
        computed = computed_from(inputs, finals, reopened=slot)
    else:
        with usage_as_seen(made_of.reach, invoice.snapshot):
            computed = computed_from(inputs, finals, reopened=slot)
    drafts = (each for each in computed.result.documents if (each.contract_id, each.kind, each.slot) == slot)
    draft = next(drafts, None)
    if draft is None:
        yield "The document: the facts that it saw come to none."
        return
    final = finalized(draft)
    yield from _differ(invoice, lines, final, entries_of(final, computed), prices)


def _differ(
    invoice: Invoice, lines: Sequence[InvoiceLine], final: RoundedDocument, entries: Sequence[NewEntry], prices: Catalog
) -> Iterator[str]:
    draft = final.document
    expected = Invoice(
        **{field: getattr(draft, field) for field in ("type", "kind", "slot", "issued_at")},
        customer_id=invoice.customer_id,
        starting_at=draft.period.starting_at if draft.period else None,
        ending_before=draft.period.ending_before if draft.period else None,
        unit_id=draft.unit.id,
        subtotal=final.total,
        total=exact_sum([final.total, *(Decimal(tax["amount"]) for tax in _taxes(invoice))]),
        unrounded_total=draft.total,
        line_count=len(draft.lines),
    )
    yield from _rows_differ("The document", invoice, expected, COMPUTED)
    for row, line in zip(lines, lines_of(invoice, final, prices), strict=False):
        yield from _rows_differ(f"Line {row.position} ({row.name})", row, line, LINE_FIELDS)
    yield from _tax(invoice, lines, final)
    if len(lines) != len(draft.lines):
        yield f"The document: it has {len(lines)} lines, and comes to {len(draft.lines)}."
    yield from _entries(invoice, entries)


def _taxes(invoice: Invoice) -> list[dict[str, str]]:
    return list(invoice.details.get("tax_lines", ()))


def _tax(invoice: Invoice, lines: Sequence[InvoiceLine], final: RoundedDocument) -> Iterator[str]:
    before = tax_of_notes(invoice.note.about, before=invoice.money_version) if invoice.kind == Invoice.Kind.NOTE else {}
    for tax, rate in zip(_taxes(invoice), printed_rates(invoice), strict=True):
        step = final.document.unit.minor_step
        come = tax_line(rate, {0: Decimal(tax["taxable"])}, step, before.get(rate, NOTHING_TAXED))
        yield from _differing(f"The document: tax {rate.name} {tax['percent']} %", tax["amount"], digits(come.amount))
    shares = exact_sum([Decimal(line.details.get("tax_amount", 0)) for line in lines])
    whole = exact_sum([Decimal(tax["amount"]) for tax in _taxes(invoice)])
    yield from _differing("The document: the tax of its lines", digits(shares), digits(whole))


def _entries(invoice: Invoice, expected: Sequence[Any]) -> Iterator[str]:
    """Each is known by its key, whatever was posted on the document later."""
    rows = LedgerEntry.objects.filter(customer_id=invoice.customer_id, money_version=invoice.money_version)
    by_key = {row.idempotency_key: row for row in rows.filter(invoice_id=invoice.pk)}
    for entry in expected:
        key = entry.idempotency_key.replace(entry.idempotency_key.split()[0], str(invoice.pk), 1)
        row = by_key.pop(key, None)
        if row is None:
            yield f"Ledger entry {entry.type} of {digits(entry.amount)}: it was not posted."
        else:
            yield from _rows_differ(f"Ledger entry {row.pk}", row, entry, ENTRY_FIELDS)
    for row in by_key.values():
        yield f"Ledger entry {row.pk}, {row}: the document does not come to it."


def _against_the_trace(lines: Sequence[InvoiceLine], prices: Catalog) -> Iterator[str]:
    rates = {str(rate.id): rate for card in prices.rate_cards.values() for rate in card.rates}
    for line in lines:
        where = f"Line {line.position} ({line.name})"
        if line.trace:
            come = exact_sum([Decimal(part["amount"]) for part in line.trace])
            if come != line.unrounded_total:
                yield f"{where}: unrounded_total is {digits(line.unrounded_total)}, its trace comes to {digits(come)}."
        for part in line.trace:
            rate = rates.get(part["rate_id"])
            if rate is None:
                yield f"{where}: its rate {part['rate_id']} was not known at the document's publication."
            elif rate.publication != part["publication"]:
                yield f"{where}: its rate {rate.id} is of publication {rate.publication}, not {part['publication']}."
            elif _is_priced_plainly(part, line) and rate.tariff.price != Decimal(part["list_price"]):
                yield f"{where}: its rate {rate.id} says {rate.tariff.price}, its trace {part['list_price']}."


def _is_priced_plainly(part: dict[str, Any], line: InvoiceLine) -> bool:
    is_whole = not line.details.get("is_prorated")
    return is_whole and part.get("rate_type", "FLAT") == "FLAT" and part["list_price"] is not None


def _rows_differ(where: str, row: Any, expected: Any, fields: Sequence[str]) -> Iterator[str]:
    for field in fields:
        yield from _differing(f"{where}: {field}", frozen(getattr(row, field)), frozen(getattr(expected, field)))


def _differing(path: str, said: Any, come: Any) -> Iterator[str]:
    """Where two JSON values differ. A key that only one of them has was not kept yet, or is not any more."""
    if isinstance(said, dict) and isinstance(come, dict):
        for key in said.keys() & come.keys():
            yield from _differing(f"{path}.{key}", said[key], come[key])
    elif isinstance(said, list) and isinstance(come, list) and len(said) == len(come):
        for number, pair in enumerate(zip(said, come, strict=True)):
            yield from _differing(f"{path}[{number}]", *pair)
    elif said != come:
        yield f"{path} is {said}, and comes to {come}."
