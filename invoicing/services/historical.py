"""Usage that was invoiced elsewhere, as documents of ours (`docs/historical_invoices.md`).

given again                                  is
word for word, and it stands                 the document that there is
otherwise, and it stands                     refused: void that one first
either way, and it is void                   another one in its place
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.money import exact_sum
from billing_site.foundation.periods import Period, format_instant
from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import Conflict, FieldError
from billing_site.foundation.transactions import committed_terms_and_prices, read_snapshot, repeatable_read
from contracts.models import Customer
from contracts.queries import customer_terms, no_such_customer
from contracts.terms import Contract
from contracts.transactions import lock_customers
from invoicing.engine.calendar import HISTORICAL, draft_id
from invoicing.engine.documents import Document, Line, Result
from invoicing.engine.historical import PastUsage, past_lines
from invoicing.engine.inputs import Inputs
from invoicing.frozen import frozen
from invoicing.models import Invoice, InvoiceLine, InvoiceVoid
from invoicing.queries.addressees import addressee, untaxed
from invoicing.queries.compute import Computation, posted
from invoicing.queries.documents import finals_by_id
from invoicing.queries.finals import final_documents
from invoicing.queries.shown import ShownDocument, of_draft, shown_line
from invoicing.services.freezing import PastFields, freeze
from invoicing.services.historical_checks import PastInvoiceInput, card_of, checked_lines, checked_period
from pricing.queries import catalog

MOST_INVOICES = 100


class ImportedOtherwise(Conflict):
    """There is such a document already, and it says something else."""


@dataclass(frozen=True, slots=True)
class _Planned:
    draft: Document
    computed: Computation
    past: PastFields
    instead_of: InvoiceVoid | None
    standing: Invoice | None  # the document that it would be made for a second time


def preview_historical_invoices(given: Sequence[PastInvoiceInput], *, at: datetime) -> list[ShownDocument]:
    """What `create_historical_invoices` would make, as drafts. Writes nothing; raises what that raises."""
    with read_snapshot():
        customers = {each.pk: each for each in Customer.objects.filter(pk__in={one.customer_id for one in given})}
        return [
            _shown(planned, customers[one.customer_id])
            for one, planned in zip(given, _planned(given, customers, at=at), strict=True)
        ]


@repeatable_read
def create_historical_invoices(given: Sequence[PastInvoiceInput], *, at: datetime, by: Actor) -> list[ShownDocument]:
    """Documents of usage that was invoiced elsewhere, all of them or none, in the order given. They are final, draw on
    no balance, and leave what is invoiced here as it is. One that is there already, word for word, is not made again.

    Raises NotFound, ImportedOtherwise, and Refusal naming every field that breaks a rule.
    """
    customers = lock_customers(one.customer_id for one in given)
    with committed_terms_and_prices():
        planned = _planned(given, customers, at=at)
    made = []
    for one, each in zip(given, planned, strict=True):
        invoice = each.standing or freeze(
            customers[one.customer_id],
            each.draft,
            each.computed,
            at=at,
            by=by,
            instead_of=each.instead_of,
            past=each.past,
        )
        made.append(finals_by_id(one.customer_id, [invoice.pk])[invoice.pk])
    return made


def historical_document(
    contract: Contract, computed: Computation, period: Period, issued_at: datetime, lines: Sequence[Line]
) -> Document:
    """Usage that was invoiced elsewhere as a document; it is no draft of ours."""
    slot = _slot(period)
    card = card_of(contract, computed)
    return Document(
        id=draft_id(contract.id, HISTORICAL, slot),
        contract_id=contract.id,
        kind=HISTORICAL,
        slot=slot,
        type="USAGE",
        period=period,
        issued_at=issued_at,
        finalizes_at=issued_at,
        unit=card.fiat,
        lines=tuple(lines),
        total=exact_sum([line.total for line in lines]),
    )


def historical_again(invoice: Invoice, lines: Sequence[InvoiceLine], known: Computation) -> Document:
    """The document anew, from the quantities that its lines say."""
    contract = next(each for each in known.inputs.terms.contracts if each.id == invoice.contract_id)
    used: dict[PastUsage, dict[Period, list[Decimal]]] = {}
    for line in lines:
        shown = shown_line(line)
        past = PastUsage(
            UUID(shown.fields["product_id"]),
            tuple(sorted(shown.fields.get("pricing_group_values", {}).items())),
            tuple(sorted(shown.fields.get("presentation_group_values", {}).items())),
            (),
        )
        for part in shown.parts:
            used.setdefault(past, {}).setdefault(part.period, []).append(part.metric_quantity)
    again = [
        replace(past, quantities=tuple((period, exact_sum(amounts)) for period, amounts in by_period.items()))
        for past, by_period in used.items()
    ]
    card = card_of(contract, known)
    anew = [line for past in again for line in past_lines(past, contract, card, known.inputs.catalog)]
    assert invoice.period is not None, "the database holds to it"
    return historical_document(contract, known, invoice.period, invoice.issued_at, anew)


def _planned(given: Sequence[PastInvoiceInput], customers: Mapping[UUID, Customer], *, at: datetime) -> list[_Planned]:
    problems = Problems()
    if not 1 <= len(given) <= MOST_INVOICES:
        problems.add("invoices", f"{len(given)} items", f"must be from 1 to {MOST_INVOICES}")
    problems.refuse()
    computed: dict[UUID, Computation] = {}
    found, slots = [], set[tuple[UUID, str]]()
    for index, one in enumerate(given):
        inner = problems.within(f"invoices[{index}]")
        customer = customers.get(one.customer_id)
        if customer is None:
            raise no_such_customer(one.customer_id)
        if customer.pk not in computed:
            computed[customer.pk] = _known(customer.pk, at=at)
        known = computed[customer.pk]
        contract = next((each for each in known.inputs.terms.contracts if each.id == one.contract_id), None)
        if contract is None or contract.rate_card_id is None:
            inner.add("contract_id", one.contract_id, "must be the id of a contract of the customer on a rate card")
            continue
        period = checked_period(one, contract, inner, at=at)
        lines = list(checked_lines(one, contract, known, inner))
        if period is None or len(problems.errors) > 0:
            continue
        slot = (contract.id, _slot(period))
        if slot in slots:
            inner.add("inclusive_start_date", one.inclusive_start_date.isoformat(), "must be there only once")
        slots.add(slot)
        found.append(_place(one, contract, known, period, lines, inner))
    problems.refuse()
    return found


def _known(customer_id: UUID, *, at: datetime) -> Computation:
    """Terms and prices, and no usage."""
    terms = customer_terms(customer_id)
    cards = {contract.rate_card_id for contract in terms.contracts if contract.rate_card_id is not None}
    settled = posted(terms, final_documents(customer_id))
    return Computation(Inputs(at, terms, catalog(rate_card_ids=cards), settled), Result(()))


def _place(
    one: PastInvoiceInput,
    contract: Contract,
    known: Computation,
    period: Period,
    lines: Sequence[Line],
    problems: Problems,
) -> _Planned:
    """The document, and the one in whose place it would be. Raises ImportedOtherwise."""
    told: dict[str, Any] = {"billable_status": one.billable_status, "given": frozen(one)}
    if one.custom_fields:
        told["custom_fields"] = dict(one.custom_fields)
    draft = historical_document(contract, known, period, one.issue_date, lines)
    same = Invoice.objects.filter(contract=contract.id, kind=HISTORICAL).select_related("void").order_by("generation")
    latest = None
    for other in same:
        void = getattr(other, "void", None)
        if other.slot == draft.slot:
            latest = other
        elif void is None and other.period is not None and other.period.overlap(period) is not None:
            problems.add(
                "inclusive_start_date",
                one.inclusive_start_date.isoformat(),
                f"must not overlap {other}, which is of {format_instant(other.period.starting_at)} on",
            )
    void = getattr(latest, "void", None)
    if latest is not None and void is None:
        if latest.details.get("given") != told["given"]:
            raise ImportedOtherwise(
                f"{latest} is of the same time and says something else: void it first.",
                FieldError("inclusive_start_date", one.inclusive_start_date, "must be of a time not imported yet"),
            )
        return _Planned(draft, known, PastFields(told), None, latest)
    if void is not None and latest is not None:
        fresh = draft_id(contract.id, HISTORICAL, draft.slot, generation=latest.generation + 1)
        return _Planned(replace(draft, id=fresh), known, PastFields(told), void, None)
    return _Planned(draft, known, PastFields(told), None, None)


def _slot(period: Period) -> str:
    assert period.ending_before is not None, "what is over has an end"
    return f"{format_instant(period.starting_at)} {format_instant(period.ending_before)}"


def _shown(planned: _Planned, customer: Customer) -> ShownDocument:
    if planned.standing is not None:
        return finals_by_id(customer.pk, [planned.standing.pk])[planned.standing.pk]
    shown = of_draft(planned.draft, planned.computed, untaxed(addressee(customer)))
    return replace(shown, fields=planned.past.of(shown.fields))
