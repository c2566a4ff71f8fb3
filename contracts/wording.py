"""Terms and edits in the words of the trade, for people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from billing_site.foundation.display import day_text, exact_text, instant_text, quantity_text
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
    CommitVersion,
    Contract,
    ContractEdit,
    ContractTerms,
    CustomerScheduleSegment,
    Override,
    PaymentOutcome,
    RecurringCommit,
    ScheduledChargeItem,
    ServiceInvoice,
    ServiceInvoiceLine,
    Subscription,
    SubscriptionTerms,
    TermQuerySet,
)
from contracts.models.term import PAYER_KEYS
from contracts.provider_wording import provider_told_text, royalty_text
from contracts.queries import AMENDED_FROM, EditedTerms, UpdatedCommit, edit_history
from contracts.recurring_wording import UPDATES, recurring_text, recurring_updates_in_words
from contracts.service_wording import service_invoice_text, service_name, service_text
from contracts.subscription_wording import FIELD as SUBSCRIPTIONS
from contracts.subscription_wording import subscription_name, subscription_text, subscription_updates_in_words
from pricing.models import Product
from pricing.queries import default_unit
from pricing.wording import percent_text, tariff_text, values_text

NAMED_AT_MOST = 6
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
    names = names_in(override for edited in edits for override in edited.overrides)
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


def names_in(overrides: Iterable[Override]) -> dict[str, str]:
    """What all products and commits that overrides name are called now, by id as text. Three queries at the most."""
    products: set[str] = set()
    payers: set[str] = set()
    for override in overrides:
        products.add(str(override.product_id or ""))
        for each in override.specifiers:
            products.add(each.get("product_id", ""))
            payers.update(_payer_ids(each))
    products.discard("")
    names = {str(pk): name for pk, name in Product.objects.filter(pk__in=products).values_list("pk", "name")}
    if payers:
        version = CommitVersion.objects.standing().filter(commit=OuterRef("pk"))
        commits = Commit.objects.filter(pk__in=payers).annotate(
            called=Coalesce(Subquery(version.values("name")), "name"),
            billed_as=Coalesce(Subquery(version.values("product__name")), "product__name"),
        )
        recurring = RecurringCommit.objects.filter(pk__in=payers)
        found = [
            *commits.values_list("pk", "called", "billed_as"),
            *recurring.values_list("pk", "name", "product__name"),
        ]
        names |= {str(pk): name or product for pk, name, product in found}
    return names


def override_text(override: Override, names: Mapping[str, str]) -> str:
    """ "50 % off the list price of API calls from 15 October 2025"; needs its unit. `names` are those of `names_in`."""
    when, tariff = span(override.starting_at, override.ending_before), override.to_tariff()
    payers, whom = _payers(override, names), _targets(override, names)
    if override.type == Override.Type.MULTIPLIER:
        text = f"{multiplier_text(override.multiplier or Decimal(0), _rate_name(override))} of {whom} {when}"
    elif override.type == Override.Type.TIERED:
        text = f"{tiers_text(override.tiers, _rate_name(override))}, for {whom} {when}"
    elif tariff is not None and override.unit is not None:
        text = f"{tariff_text(tariff, override.unit.to_unit())}, whatever the list says, for {whom} {when}"
    else:
        is_or_are = "is" if _names_one_product(override) else "are"
        text = f"{whom} {is_or_are} {'' if override.entitled else 'not '}part of the deal {when}"
        return _capital(text)
    if override.priority is not None and tariff is None:
        text += f", priority {quantity_text(override.priority)}"
    if override.entitled is not None:
        text += ", part of the deal" if override.entitled else ", not part of the deal"
    return _capital(f"{payers}{text}")


def multiplier_text(multiplier: Decimal, rate: str = "list price") -> str:
    """ "50 % off the list price", "20 % on top of the list price", "the list price"."""
    percent = (1 - multiplier) * 100
    if percent > 0:
        return f"{quantity_text(percent)} % off the {rate}"
    return f"{quantity_text(-percent)} % on top of the {rate}" if percent else f"the {rate}"


def tiers_text(tiers: Sequence[Mapping[str, str]], rate: str = "list price") -> str:
    """ "first 1,000 units at 50 % of the list price, then the list price"."""

    def share(tier: Mapping[str, str]) -> str:
        multiplier = Decimal(tier["multiplier"])
        return f"the {rate}" if multiplier == 1 else f"{percent_text(multiplier)} of the {rate}"

    parts = [
        f"{'next' if index else 'first'} {quantity_text(Decimal(tier['size']))} units at {share(tier)}"
        for index, tier in enumerate(tiers)
        if "size" in tier
    ]
    last = f"the {rate}" if len(parts) == len(tiers) else share(tiers[-1])
    return ", ".join([*parts, f"then {last}"]) if parts else f"all units at {last}"


def _added(edited: EditedTerms, names: Mapping[str, str]) -> Iterable[str]:
    for committed in edited.commits:
        yield f"{commit_text(committed)}."
    for row in edited.recurring:
        yield f"{recurring_text(row)}."
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


def _targets(override: Override, names: Mapping[str, str]) -> str:
    """Whom a price is for: products by name, tags, values; and who has to pay, where that is not the same for all."""
    found = [names.get(str(override.product_id), "a product")] if override.product_id else []
    found += [f"products tagged {tag}" for tag in override.applicable_product_tags]
    by_payer = len({_payer_ids(each) for each in override.specifiers}) > 1
    for each in override.specifiers:
        words = [names.get(str(each["product_id"]), "a product")] if each.get("product_id") else []
        words += [f"products tagged {' and '.join(each['product_tags'])}"] if each.get("product_tags") else []
        values = {**each.get("pricing_group_values", {}), **each.get("presentation_group_values", {})}
        details = [f"{key}: {value}" for key, value in values.items()]
        details += [f"billed {each['billing_frequency'].lower()}"] if each.get("billing_frequency") else []
        details += [f"while {_any_of(_payer_ids(each), names)} pays"] if by_payer else []
        shown = ", ".join(details)
        found.append(f"{' '.join(words) or 'all products'}{f' ({shown})' if shown else ''}")
    if len(found) > NAMED_AT_MOST:
        return f"{', '.join(found[:NAMED_AT_MOST])} and {len(found) - NAMED_AT_MOST} more"
    return " and ".join(filter(None, [", ".join(found[:-1]), *found[-1:]])) or "all products"


def _payers(override: Override, names: Mapping[str, str]) -> str:
    """ "while “Starter pack” pays: "; nothing for an override that holds whoever does."""
    payers = {_payer_ids(each) for each in override.specifiers}
    if not override.is_commit_specific or len(payers) > 1:
        return ""
    return f"while {_any_of(payers.pop() if payers else (), names)} pays: "


def _payer_ids(specifier: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(payer_id for key in PAYER_KEYS for payer_id in specifier.get(key, ()))


def _any_of(payers: Sequence[str], names: Mapping[str, str]) -> str:
    return " or ".join(f"“{names[each]}”" if each in names else "a commit" for each in payers) or "a commit or credit"


def _names_one_product(override: Override) -> bool:
    named = [override] if override.product_id else []
    return len(named) + sum(bool(each.get("product_id")) for each in override.specifiers) == 1


def _rate_name(override: Override) -> str:
    return "commit rate" if override.target == Override.Target.COMMIT_RATE else "list price"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
