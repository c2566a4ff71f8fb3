"""The terms of a contract in words, one line each, whether they are agreed or only planned."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from billing_site.foundation.display import day_text, exact_text
from contracts.charge_wording import charge_text
from contracts.commit_wording import commit_text, gate_text
from contracts.models import Contract, ContractTerms
from contracts.override_wording import names_in, override_text
from contracts.provider_wording import provider_text, royalty_text
from contracts.queries import Agreement
from contracts.recurring_wording import recurring_text
from contracts.service_wording import service_invoice_text, service_text
from contracts.subscription_wording import subscription_text
from contracts.wording import filter_text
from pricing.queries import default_unit

FREQUENCIES = {
    Contract.Frequency.WEEKLY: "weekly",
    Contract.Frequency.MONTHLY: "monthly",
    Contract.Frequency.QUARTERLY: "every quarter",
    Contract.Frequency.ANNUAL: "once a year",
}


@dataclass(frozen=True, slots=True)
class TermLine:
    """A term in words; a commit or credit, one that recurs and a scheduled charge are each changed on a page of its
    own."""

    text: str
    commit_id: UUID | None = None
    override_id: UUID | None = None
    recurring_id: UUID | None = None
    subscription_id: UUID | None = None
    charge_id: UUID | None = None
    service_id: UUID | None = None
    service_invoice_id: UUID | None = None
    awaits_payment: bool = False  # to use its commit


def term_lines(agreed: Agreement) -> Iterator[TermLine]:
    """What a contract has of its own."""
    new = (*(each.commit for each in agreed.commits), *(each.now for each in agreed.recurring))
    names = names_in(agreed.overrides, new) | {str(each.pk): each.name for each in new if each.name}
    if agreed.terms.end_policy != ContractTerms.EndPolicy.STOP:
        yield TermLine(f"At its end {ContractTerms.EndPolicy(agreed.terms.end_policy).label}.")
    starts = agreed.contract.invoicing_starts_at
    if starts is not None:
        yield TermLine(f"Usage is invoiced from {day_text(starts)} on; what is used earlier is on no invoice here.")
    for told in agreed.terms.usage_filters:
        yield TermLine(filter_text(told))
    for committed in agreed.commits:
        gate = committed.gate
        is_agreed = gate is not None and gate.gate.added_by_edit_id is not None
        state = f". It {gate_text(gate)}." if gate is not None and is_agreed else ""
        is_waiting = bool(state) and gate is not None and gate.is_waiting
        yield TermLine(f"{commit_text(committed, names)}{state}", committed.commit.pk, awaits_payment=is_waiting)
    for recurring in agreed.recurring:
        yield TermLine(recurring_text(recurring.now, names), recurring_id=recurring.now.recurring_id)
    for subscribed in agreed.subscriptions:
        yield TermLine(subscription_text(subscribed), subscription_id=subscribed.subscription.pk)
    for override in agreed.overrides:
        yield TermLine(override_text(override, names), override_id=override.pk)
    if agreed.contract.multiplier_override_prioritization == Contract.Prioritization.EXPLICIT:
        yield TermLine("Of several discounts the one with the lowest priority number holds.")
    if agreed.contract.charges_on_usage:
        yield TermLine("What is charged on a date is on the usage invoice that ends on it, where one does.")
    for charged in agreed.charges:
        yield TermLine(charge_text(charged), charge_id=charged.charge.pk)
    for service in agreed.services.services:
        yield TermLine(f"{service_text(service)}.", service_id=service.pk)
    for invoice, lines in agreed.services.invoices:
        yield TermLine(f"{service_invoice_text(invoice, lines)}.", service_invoice_id=invoice.pk)
    for provider in agreed.providers:
        yield TermLine(provider_text(provider))
    for royalty in agreed.terms.royalties:
        yield TermLine(f"{royalty_text(royalty)}.")
    for text in _commercial(agreed.contract):
        yield TermLine(text)


def _commercial(contract: Contract) -> Iterator[str]:
    """What the deal is worth, and what other systems call it."""
    if contract.total_contract_value is not None:
        unit = contract.rate_card.fiat_unit if contract.rate_card else default_unit()
        yield f"Worth {exact_text(contract.total_contract_value, unit.to_unit())} in all; nothing is billed by that."
    if contract.salesforce_opportunity_id:
        yield f"Salesforce opportunity {contract.salesforce_opportunity_id}."
    if contract.netsuite_sales_order_id:
        yield f"NetSuite sales order {contract.netsuite_sales_order_id}."


def whole_lines(agreed: Agreement) -> Iterator[str]:
    """What holds for a contract as a whole."""
    contract, terms = agreed.contract, agreed.terms
    yield f"On {contract.rate_card.name}." if contract.rate_card else "On no rate card: fixed amounts alone."
    start, end = day_text(contract.starting_at), terms.ending_before
    yield f"From {start} up to {day_text(end)}." if end else f"From {start}, without end."
    yield from billing_lines(agreed)


def billing_lines(agreed: Agreement) -> Iterator[str]:
    """How often usage is billed, and when that is to be paid."""
    contract, terms = agreed.contract, agreed.terms
    anchor = day_text(contract.billing_anchor_at)
    yield f"Usage is billed {FREQUENCIES[Contract.Frequency(contract.frequency)]}, counted from {anchor}."
    if terms.net_payment_terms_days is not None:
        yield f"Payable within {terms.net_payment_terms_days} days."
