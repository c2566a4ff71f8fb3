"""Terms and edits in the words of the trade, for people."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing_site.foundation.display import day_text, exact_text, instant_text
from billing_site.foundation.money import Unit
from billing_site.foundation.periods import parse_instant
from contracts.charge_wording import charge_changes_in_words, charge_gone_text, charge_text
from contracts.commit_wording import (
    changes_in_words,
    commit_text,
    named,
    names_in_updates,
    noun_and_name,
    payment_text,
    shared_text,
    span,
)
from contracts.models import (
    AccessSegment,
    Commit,
    Contract,
    ContractEdit,
    ContractTerms,
    CustomerScheduleSegment,
    PaymentOutcome,
    RecurringCommit,
    ScheduledChargeItem,
    ServiceInvoice,
    ServiceInvoiceLine,
    Subscription,
    SubscriptionTerms,
    TermQuerySet,
)
from contracts.override_wording import names_in, override_text
from contracts.provider_wording import provider_told_text, royalty_text
from contracts.queries import AMENDED_FROM, EditedTerms, UpdatedCommit, edit_history
from contracts.recurring_wording import UPDATES, recurring_text, recurring_updates_in_words
from contracts.service_wording import service_invoice_text, service_name, service_text
from contracts.subscription_wording import FIELD as SUBSCRIPTIONS
from contracts.subscription_wording import subscription_name, subscription_text, subscription_updates_in_words
from pricing.queries import default_unit
from pricing.wording import values_text

SHOWN_VALUE = 80  # characters
PROVIDERS_SET = ("add_billing_provider_configuration_update", "add_revenue_system_configuration_update")


BY_HAND = "not undone by a click: what it changed is changed back by an edit by hand"
OVERTAKEN = "not undone: a later edit has changed what it agreed"


@dataclass(frozen=True, slots=True)
class EditInWords:
    """One entry of a contract's history: what was agreed, when, by whom and why."""

    number: int
    created_at: datetime
    created_by: str
    reason: str
    changes: tuple[str, ...]
    is_undoable: bool = False  # as far as its history says
    not_undone: str = ""  # why it is not, where it is an edit that stands


def history_in_words(contract: Contract) -> list[EditInWords]:
    """The contract's edits, newest first, its creation last. Thirty-eight queries at the most."""
    edits = edit_history(contract.customer_id, contract.pk)
    unit = (contract.rate_card.fiat_unit if contract.rate_card else default_unit()).to_unit()
    removed = _removed(contract, [edited.edit for edited in edits])
    names = names_in(
        (override for edited in edits for override in edited.overrides),
        (balance for edited in edits for balance in (*(each.commit for each in edited.commits), *edited.recurring)),
    )
    update_names = names_in_updates(update for edited in edits for update in edited.updates)
    undone = {edited.edit.changes["undoes"]["number"] for edited in edits if "undoes" in edited.edit.changes}
    recurring = _what_recurs(edited.edit for edited in edits)
    subscriptions = _subscriptions(edited.edit for edited in edits)
    terms = ContractTerms.objects.standing().get(customer=contract.customer_id, contract=contract)
    more_than_prices = _took_out_more_than_prices(contract)

    def not_undone(edited: EditedTerms) -> str:
        if edited.is_for_hands or edited.edit.pk in more_than_prices:
            return BY_HAND
        return OVERTAKEN if edited.is_overtaken(terms) else ""

    told = [
        EditInWords(
            number=edited.edit.number,
            created_at=edited.edit.created_at,
            created_by=edited.edit.created_by,
            reason=edited.edit.reason,
            changes=(
                *_amended(edited.edit.changes, unit),
                *_added(edited, names),
                *changes_in_words(edited.updates, update_names),
                *charge_changes_in_words(edited.charge_updates),
                *recurring_updates_in_words(edited.edit.changes, recurring),
                *subscription_updates_in_words(edited.edit.changes, subscriptions),
                *removed.get(edited.edit.pk, ()),
                *_updated(edited.edit.changes),
            ),
            is_undoable=edited.edit.number not in undone and not (why_not := not_undone(edited)),
            not_undone="" if edited.edit.number in undone else why_not,
        )
        for edited in edits
    ]
    told = sorted(
        [
            *told,
            *_written_schedules(contract),
            *_archived(contract),
            *_service_invoices(contract),
            *_payments(contract),
        ],
        key=lambda edit: edit.number,
    )
    creation = ContractEdit.objects.filter(
        customer_id=contract.customer_id, contract=contract, kind=ContractEdit.Kind.CREATION
    ).first()
    if creation is not None:
        card = f"on {contract.rate_card.name}" if contract.rate_card else "without a rate card"
        told.insert(
            0,
            EditInWords(
                creation.number,
                creation.created_at,
                creation.created_by,
                creation.reason,
                (f"Contract created {card}, from {day_text(contract.starting_at)}.",),
            ),
        )
    return told[::-1]


def balance_history_in_words(customer_id: UUID) -> list[EditInWords]:
    """The edits of the customer's own commits and credits, newest first. Fifteen queries at the most."""
    edits = edit_history(customer_id, None)
    added = [committed for edited in edits for committed in edited.commits]
    updates = [update for edited in edits for update in edited.updates]
    names = names_in_updates([*updates, *(UpdatedCommit(each, each) for each in added)])
    gone: dict[UUID | None, list[str]] = {}
    own = Commit.objects.filter(customer_id=customer_id, contract=None, removed_by_edit__isnull=False)
    for commit in own.order_by("id"):
        gone.setdefault(commit.removed_by_edit_id, []).append(f"Archived: {noun_and_name(commit)}.")
    told = [
        EditInWords(
            number=edited.edit.number,
            created_at=edited.edit.created_at,
            created_by=edited.edit.created_by,
            reason=edited.edit.reason,
            changes=(
                *(f"{commit_text(committed)}; {shared_text(committed.commit, names)}." for committed in edited.commits),
                *changes_in_words(edited.updates, names),
                *gone.get(edited.edit.pk, ()),
            ),
        )
        for edited in edits
    ]
    return told[::-1]


def _archived(contract: Contract) -> Iterable[EditInWords]:
    """The edit that archived the contract."""
    edits = ContractEdit.objects.filter(customer_id=contract.customer_id, contract=contract)
    for edit in edits.filter(kind=ContractEdit.Kind.ARCHIVE):
        yield EditInWords(edit.number, edit.created_at, edit.created_by, edit.reason, ("Contract archived.",))


def _service_invoices(contract: Contract) -> Iterable[EditInWords]:
    """The edits that invoiced work, or took an invoice of it back."""
    rows = ServiceInvoiceLine.objects.filter(customer_id=contract.customer_id, invoice__contract=contract)
    related = ("invoice__added_by_edit", "invoice__removed_by_edit", "service__product", "service__unit")
    invoices: dict[ServiceInvoice, list[ServiceInvoiceLine]] = {}
    for line in rows.select_related(*related).order_by("added_by_edit__number", "position"):
        invoices.setdefault(line.invoice, []).append(line)
    for invoice, lines in invoices.items():
        text = service_invoice_text(invoice, lines)
        for edit, said in ((invoice.added_by_edit, f"{text}."), (invoice.removed_by_edit, f"Taken back: {text}.")):
            if edit is not None:
                yield EditInWords(edit.number, edit.created_at, edit.created_by, edit.reason, (said,))


def _payments(contract: Contract) -> Iterable[EditInWords]:
    """The edits that recorded what became of a payment that access waits for."""
    outcomes = PaymentOutcome.objects.filter(customer_id=contract.customer_id, gate__commit__contract=contract)
    for outcome in outcomes.select_related("gate__commit", "added_by_edit"):
        edit = outcome.added_by_edit
        yield EditInWords(edit.number, edit.created_at, edit.created_by, edit.reason, (f"{payment_text(outcome)}.",))


def _written_schedules(contract: Contract) -> Iterable[EditInWords]:
    """The edits that let a named schedule of the contract say something."""
    segments = CustomerScheduleSegment.objects.filter(customer_id=contract.customer_id, contract=contract)
    for segment in segments.select_related("edit"):
        edit, value = segment.edit, _shortened(segment.value)
        when = span(segment.starting_at, segment.ending_before)
        qualified = f" ({values_text(segment.properties)})" if segment.properties else ""
        text = f"Named schedule “{segment.schedule_name}”{qualified} says {value} {when}."
        yield EditInWords(edit.number, edit.created_at, edit.created_by, edit.reason, (text,))


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN_VALUE else f"{text[: SHOWN_VALUE - 1]}…"


def _added(edited: EditedTerms, names: Mapping[str, str]) -> Iterable[str]:
    for committed in edited.commits:
        yield f"{commit_text(committed, names)}."
    for row in edited.recurring:
        yield f"{recurring_text(row, names)}."
    for override in edited.overrides:
        yield f"{override_text(override, names)}."
    for charged in edited.charges:
        yield f"{charge_text(charged)}."
    for service in edited.services:
        yield f"{service_text(service)}."
    for subscribed in edited.subscriptions:
        yield f"{subscription_text(subscribed)}."


def _removed(contract: Contract, edits: Iterable[ContractEdit]) -> dict[UUID, list[str]]:
    """By edit: what was taken out of the contract. A commit is named without its schedule."""
    gone: dict[UUID, list[str]] = {}

    def those(terms: TermQuerySet) -> Any:
        rows = terms.filter(customer_id=contract.customer_id, removed_by_edit__in=[edit.pk for edit in edits])
        return rows.order_by("id")

    overrides = list(those(contract.overrides.select_related("unit")))
    names = names_in(overrides)
    for override in overrides:
        gone.setdefault(override.removed_by_edit_id, []).append(f"Taken out: {override_text(override, names)}.")
    for commit in those(contract.commits.all()):
        gone.setdefault(commit.removed_by_edit_id, []).append(f"Taken out: {noun_and_name(commit)}.")
    for charge in those(contract.scheduled_charges.all()):
        gone.setdefault(charge.removed_by_edit_id, []).append(charge_gone_text(charge))
    for service in those(contract.professional_services.select_related("product")):
        text = f"Taken out: the professional service{named(service_name(service))}."
        gone.setdefault(service.removed_by_edit_id, []).append(text)
    return gone


def _took_out_more_than_prices(contract: Contract) -> set[UUID]:
    """The edits that ended or cut a balance, a charge or a service, by id. Three queries."""
    cut = (
        AccessSegment.objects.filter(commit__contract=contract),
        ScheduledChargeItem.objects.filter(charge__contract=contract),
        contract.professional_services.all(),
    )
    return {
        edit_id
        for terms in cut
        for edit_id in terms.filter(customer=contract.customer_id, removed_by_edit__isnull=False).values_list(
            "removed_by_edit", flat=True
        )
    }


def _what_recurs(edits: Iterable[ContractEdit]) -> dict[str, RecurringCommit]:
    """The recurring commits and credits that edits update, by id as text. One query at the most."""
    ids = {update["id"] for edit in edits for field in UPDATES for update in edit.changes.get(field, ())}
    found = RecurringCommit.objects.filter(pk__in=ids).select_related("unit", "invoice_unit") if ids else ()
    return {str(row.pk): row for row in found}


def _subscriptions(edits: Iterable[ContractEdit]) -> dict[str, str]:
    """The names of the subscriptions that edits update, by id as text. Two queries at the most."""
    ids = {update["id"] for edit in edits for update in edit.changes.get(SUBSCRIPTIONS, ())}
    if not ids:
        return {}
    terms = {each.subscription_id: each for each in SubscriptionTerms.objects.standing().filter(subscription__in=ids)}
    rows = Subscription.objects.filter(pk__in=ids).select_related("product")
    return {str(row.pk): subscription_name(row, terms.get(row.pk)) for row in rows}


def filter_text(told: Mapping[str, Any]) -> str:
    """ "From 1 November 2025, 00:00 UTC: only usage whose region is eu or us"; of a filter as terms keep it."""
    values = " or ".join(told["group_values"])
    return f"From {instant_text(parse_instant(told['starting_at']))}: only usage whose {told['group_key']} is {values}"


def _amended(changes: Mapping[str, Any], unit: Unit) -> Iterable[str]:
    if "undoes" in changes:
        yield f"Edit {changes['undoes']['number']} is undone."
    if AMENDED_FROM in changes:
        yield f"Amendment from {instant_text(parse_instant(changes[AMENDED_FROM]))}."
    if "salesforce_opportunity_id" in changes:
        yield f"Salesforce opportunity {changes['salesforce_opportunity_id']}."
    if "netsuite_sales_order_id" in changes:
        yield f"NetSuite sales order {changes['netsuite_sales_order_id']}."
    if "total_contract_value" in changes:
        yield f"Worth {exact_text(Decimal(changes['total_contract_value']), unit)} in all; nothing is billed by that."


def _updated(changes: Mapping[str, Any]) -> Iterable[str]:
    yield from (f"{filter_text(each)}." for each in changes.get("add_usage_filters", ()))
    yield from (f"{provider_told_text(changes[name])}." for name in PROVIDERS_SET if name in changes)
    yield from (f"{royalty_text(each)}." for each in changes.get("add_reseller_royalties", ()))
    if "update_contract_end_date" in changes:
        end = changes["update_contract_end_date"]
        yield f"The contract now ends on {instant_text(parse_instant(end))}." if end else "The contract has no end now."
    if "update_contract_name" in changes:
        yield f"Renamed to {changes['update_contract_name']}." if changes["update_contract_name"] else "Name removed."
    if "update_net_payment_terms_days" in changes:
        yield f"Payable within {changes['update_net_payment_terms_days']} days."
    if "update_end_policy" in changes:
        yield f"At its end {ContractTerms.EndPolicy(changes['update_end_policy']).label}."
