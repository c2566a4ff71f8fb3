"""Invoices of professional services: checked, made, taken back (`docs/professional_services.md`)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Context, Decimal, localcontext
from uuid import UUID

from billing_site.foundation.actor import Actor
from billing_site.foundation.money import PRECISION, exact_sum
from billing_site.foundation.periods import format_instant
from billing_site.foundation.problems import Problems
from billing_site.foundation.refusals import NotFound, Refusal
from contracts.models import ContractEdit, Customer, ProfessionalService, ServiceInvoice, ServiceInvoiceLine
from contracts.models.term import digits
from contracts.queries import AMENDED_FROM, AgreedServices, Agreement, agreement, customer_terms
from contracts.queries.compiled import to_terms
from contracts.queries.customers import no_such_customer
from contracts.service_inputs import ServiceInvoiceInput, ServiceLineInput
from contracts.services.checks import instant, not_negative, short_text
from contracts.services.contracts import refuse_archived
from contracts.services.meanwhile import refuse_edited_meanwhile
from contracts.services.professional_services import LONGEST_TEXT
from contracts.services.recording import add_terms, record_edit, remove_terms, stamp
from contracts.terms import CustomerTerms
from contracts.transactions import money_transaction

MOST_LINES = 1_000
BEYOND = "must not come to more than"  # how the rule begins that a line breaks which is more than is left


@money_transaction
def schedule_services_invoice(
    customer: Customer, contract_id: UUID, given: ServiceInvoiceInput, *, at: datetime, by: Actor
) -> ServiceInvoice:
    """Invoice work of a contract's professional services on a date, as one edit.

    Raises NotFound, EditedMeanwhile, and Refusal naming every field that breaks a rule, among them a line with which
    more of a service would be invoiced than its `max_amount`.
    """
    agreed, invoice, lines = _planned(customer, contract_id, given)
    edit = record_edit(
        customer, ContractEdit.Kind.SERVICES, contract=agreed.contract, reason=given.reason, at=at, by=by
    )
    add_terms(edit, [invoice])
    add_terms(edit, lines)
    return invoice


def terms_after_services_invoice(
    customer_id: UUID, contract_id: UUID, given: ServiceInvoiceInput, *, at: datetime
) -> CustomerTerms:
    """What would be agreed with the customer if `schedule_services_invoice` were called. Writes nothing.

    Read it in one snapshot with what it is compared to. Raises what `schedule_services_invoice` raises.
    """
    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is None:
        raise no_such_customer(customer_id)
    agreed, invoice, lines = _planned(customer, contract_id, given)
    now = customer_terms(customer_id)
    stamp(ContractEdit(customer=customer, number=now.edit_number + 1, created_at=at), [invoice, *lines])
    services = AgreedServices(agreed.services.services, (*agreed.services.invoices, (invoice, tuple(lines))))
    after = to_terms(replace(agreed, services=services))
    contracts = tuple(after if contract.id == contract_id else contract for contract in now.contracts)
    return replace(now, edit_number=now.edit_number + 1, contracts=contracts)


@money_transaction
def take_back_services_invoice(
    customer: Customer, invoice_id: UUID, *, reason: str = "", at: datetime, by: Actor
) -> ServiceInvoice:
    """Take an invoice of work out again whose date has not come. Taking it back twice changes nothing.

    Raises NotFound, and Refusal for one that has fallen due: what is final is voided.
    """
    invoice = ServiceInvoice.objects.select_related("contract").filter(customer=customer, pk=invoice_id).first()
    if invoice is None:
        raise no_such_services_invoice(invoice_id)
    if invoice.removed_by_edit_id is not None:
        return invoice
    if invoice.issued_at <= at:
        rule = f"must not have fallen due; it did on {format_instant(invoice.issued_at)}: void the invoice instead"
        raise Refusal.of("invoice_id", invoice_id, rule)
    edit = record_edit(customer, ContractEdit.Kind.SERVICES, contract=invoice.contract, reason=reason, at=at, by=by)
    remove_terms(edit, list(invoice.lines.all()))
    remove_terms(edit, [invoice])
    return invoice


def no_such_services_invoice(invoice_id: UUID) -> NotFound:
    return NotFound.of("invoice_id", invoice_id, "must be the id of an invoice of professional services")


def invoiced(services: AgreedServices) -> Mapping[UUID, Decimal]:
    """By service: what is invoiced of it, or is going to be."""
    found: defaultdict[UUID, list[Decimal]] = defaultdict(list)
    for _, lines in services.invoices:
        for line in lines:
            found[line.service_id].append(line.amount)
    return {service_id: exact_sum(amounts) for service_id, amounts in found.items()}


def _planned(
    customer: Customer, contract_id: UUID, given: ServiceInvoiceInput
) -> tuple[Agreement, ServiceInvoice, list[ServiceInvoiceLine]]:
    """The contract, and the rows of the invoice, not saved."""
    agreed = agreement(customer.pk, contract_id)
    refuse_archived(customer)
    if agreed.contract.archived_at is not None:
        raise Refusal.of("contract_id", contract_id, "must be the id of a contract that is not archived")
    refuse_edited_meanwhile(customer, contract_id, given.based_on_edit)
    problems = Problems()
    instant(problems, "issued_at", given.issued_at)
    _range(problems, "netsuite_invoice_header", given.netsuite_invoice_header_start, given.netsuite_invoice_header_end)
    if not 1 <= len(given.line_items) <= MOST_LINES:
        problems.add("line_items", f"{len(given.line_items)} items", f"must be from 1 to {MOST_LINES}")
    invoice = ServiceInvoice(
        contract=agreed.contract,
        issued_at=given.issued_at,
        netsuite_header_start=given.netsuite_invoice_header_start,
        netsuite_header_end=given.netsuite_invoice_header_end,
    )
    lines = list(_lines(given, invoice, agreed.services, problems))
    problems.refuse()
    return agreed, invoice, lines


def _lines(
    given: ServiceInvoiceInput, invoice: ServiceInvoice, agreed: AgreedServices, problems: Problems
) -> Iterator[ServiceInvoiceLine]:
    services = {service.pk: service for service in agreed.services}
    sums = dict(invoiced(agreed))
    for position, line in enumerate(given.line_items):
        inner = problems.within(f"line_items[{position}]")
        service = services.get(line.professional_service_id)
        if service is None:
            rule = "must be the id of a professional service of the contract"
            inner.add("professional_service_id", line.professional_service_id, rule)
            continue
        _check_amendment(line, service, inner)
        short_text(inner, "metadata", line.metadata, length=LONGEST_TEXT)
        _range(
            inner, "netsuite_invoice_billing", line.netsuite_invoice_billing_start, line.netsuite_invoice_billing_end
        )
        asked = _amount(line, service, inner)
        if asked is None:
            continue
        amount, unit_price, quantity = asked
        before = sums.get(service.pk, Decimal(0))
        sums[service.pk] = exact_sum([before, amount])
        if sums[service.pk] > service.max_amount:
            left = digits(exact_sum([service.max_amount, -before]))
            name = "amount" if line.amount is not None else "quantity"
            rule = f"{BEYOND} {left}: so much of max_amount, {digits(service.max_amount)}, is left"
            inner.add(name, digits(amount), rule)
        yield ServiceInvoiceLine(
            invoice=invoice,
            service=service,
            position=position,
            amount=amount,
            unit_price=unit_price,
            quantity=quantity,
            metadata=line.metadata,
            netsuite_billing_start=line.netsuite_invoice_billing_start,
            netsuite_billing_end=line.netsuite_invoice_billing_end,
        )


def _amount(
    line: ServiceLineInput, service: ProfessionalService, problems: Problems
) -> tuple[Decimal, Decimal, Decimal] | None:
    """Amount, unit price and quantity, whichever way they were given; None where they cannot be."""
    found = len(problems.errors)
    if line.amount is not None:
        for name in ("quantity", "unit_price"):
            if getattr(line, name) is not None:
                problems.add(name, getattr(line, name), "cannot be combined with amount")
        amount, unit_price, quantity = line.amount, line.amount, Decimal(1)
    elif line.quantity is None:
        problems.add("amount", None, "is required, or a quantity")
        return None
    else:
        quantity = line.quantity
        unit_price = service.unit_price if line.unit_price is None else line.unit_price
        not_negative(problems, "quantity", quantity)
        not_negative(problems, "unit_price", unit_price)
        if len(problems.errors) > found:
            return None
        with localcontext(Context(prec=PRECISION)):
            amount = quantity * unit_price
    if problems.number("amount", amount) and amount <= 0:
        problems.add("amount", amount, "must be above zero")
    return None if len(problems.errors) > found else (amount, unit_price, quantity)


def _check_amendment(line: ServiceLineInput, service: ProfessionalService, problems: Problems) -> None:
    """A service is named with the amendment that added it."""
    edit: ContractEdit = service.added_by_edit
    is_of_amendment = AMENDED_FROM in edit.changes
    if is_of_amendment and line.amendment_id != edit.pk:
        problems.add("amendment_id", line.amendment_id, f"must be {edit.pk}, the amendment that added the service")
    elif not is_of_amendment and line.amendment_id is not None:
        problems.add("amendment_id", line.amendment_id, "must be absent: no amendment added the service")


def _range(problems: Problems, name: str, start: datetime | None, end: datetime | None) -> None:
    for side, value in (("start", start), ("end", end)):
        if value is not None:
            instant(problems, f"{name}_{side}", value)
    if start is not None and end is not None and end <= start:
        problems.add(f"{name}_end", end.isoformat(), f"must be later than {name}_start")
