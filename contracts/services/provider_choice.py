"""Which billing provider and which revenue system a contract is for. Rules are in docs/billing_providers.md."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from billing_site.foundation.periods import Period, billing_periods, format_instant
from billing_site.foundation.problems import Problems
from contracts.inputs import ContractInput, EditInput
from contracts.models import Contract, Customer, ProviderConfiguration
from contracts.provider_inputs import LookupInput, LookupUpdateInput
from contracts.queries import Agreement, providers_of

BILLING, REVENUE = ProviderConfiguration.Kind.BILLING_PROVIDER, ProviderConfiguration.Kind.REVENUE_SYSTEM
CURRENT, NEXT = "START_OF_CURRENT_PERIOD", "START_OF_NEXT_PERIOD"
BILLING_UPDATE, REVENUE_UPDATE = "add_billing_provider_configuration_update", "add_revenue_system_configuration_update"
FIELDS = {BILLING: "billing_provider_configuration", REVENUE: "revenue_system_configuration"}
NAMES = {BILLING: "billing_provider", REVENUE: "provider"}
UPDATES = {BILLING: BILLING_UPDATE, REVENUE: REVENUE_UPDATE}
Told = dict[str, Any]


def providers_at_first(given: ContractInput, contract: Contract, problems: Problems) -> list[Told]:
    """As the contract's terms keep them, from its start on. A template of no customer yet names nothing of one."""
    customer = contract.customer if contract.customer_id else None
    if customer is None:
        return []
    lookups = {BILLING: given.billing_provider_configuration, REVENUE: given.revenue_system_configuration}
    return [
        told(found, contract.starting_at)
        for kind, lookup in lookups.items()
        if lookup is not None and (found := chosen(problems.within(FIELDS[kind]), lookup, kind, customer)) is not None
    ]


def providers_updated(given: EditInput, agreed: Agreement, problems: Problems, *, at: datetime) -> list[Told]:
    """What the edit adds, as terms keep it. What is wrong goes to `problems`."""
    updates = {
        BILLING: given.add_billing_provider_configuration_update,
        REVENUE: given.add_revenue_system_configuration_update,
    }
    added = []
    for kind, update in updates.items():
        if update is None:
            continue
        inside = problems.within(UPDATES[kind])
        if any(each.configuration.archived_at is None for each in providers_of(agreed.providers, kind)):
            rule = "must not be given while the contract has one; archive that configuration before"
            inside.add(FIELDS[kind], _named(update.configuration), rule)
            continue
        found = chosen(inside.within(FIELDS[kind]), update.configuration, kind, agreed.contract.customer)
        starts = _effective_at(inside.within("schedule"), update, agreed, at=at)
        if found is not None and starts is not None:
            added.append(told(found, starts))
    return added


def with_updates(standing: Sequence[Told], added: Sequence[Told]) -> list[Told]:
    """The schedule once these are set: one ends what of its kind started before it, and replaces what starts later."""
    kept = [
        each
        for each in standing
        if not any(new["kind"] == each["kind"] and new["effective_at"] <= each["effective_at"] for new in added)
    ]
    return sorted([*kept, *added], key=lambda each: (each["effective_at"], each["kind"]))


def told(found: ProviderConfiguration, starts: datetime) -> Told:
    return {
        "kind": found.kind,
        "configuration_id": str(found.pk),
        "provider": found.provider,
        "delivery_method": found.delivery_method,
        "effective_at": format_instant(starts),
    }


def lookup_again(agreed: Agreement, kind: ProviderConfiguration.Kind) -> LookupInput | None:
    """What a contract that takes this one's place is for: the last of its kind, unless it is archived."""
    last = providers_of(agreed.providers, kind)[-1:]
    return next((LookupInput(each.configuration.pk) for each in last if each.configuration.archived_at is None), None)


def chosen(
    problems: Problems, given: LookupInput, kind: ProviderConfiguration.Kind, customer: Customer
) -> ProviderConfiguration | None:
    """The one configuration of the customer that is meant. What is wrong goes to `problems`."""
    id_name, name = f"{FIELDS[kind]}_id", NAMES[kind]
    own = ProviderConfiguration.objects.filter(customer=customer, kind=kind)
    if given.configuration_id is not None:
        for field, value in ((name, given.provider), ("delivery_method", given.delivery_method)):
            if value:
                problems.add(field, value, f"cannot be combined with {id_name}")
        found = own.filter(pk=given.configuration_id).first()
        if found is None:
            problems.add(id_name, str(given.configuration_id), "must be the id of a configuration of this customer")
        elif found.archived_at is not None:
            problems.add(id_name, str(given.configuration_id), "must be the id of a configuration that is not archived")
        return found
    if not given.provider or not given.delivery_method:
        missing = name if not given.provider else "delivery_method"
        problems.add(missing, None, f"is required, or {id_name}")
        return None
    fits = list(
        own.filter(provider=given.provider, delivery_method=given.delivery_method, archived_at__isnull=True)[:2]
    )
    if len(fits) != 1:
        found_text = "has several" if fits else "has none"
        rule = f"must name exactly one configuration of the customer, which {found_text}"
        rule += ", as the package asks for it" if given.is_of_package else f"; say which by {id_name}"
        problems.add(name, f"{given.provider}, {given.delivery_method}", rule)
        return None
    return fits[0]


def _effective_at(problems: Problems, update: LookupUpdateInput, agreed: Agreement, *, at: datetime) -> datetime | None:
    """The start of the billing period that `at` lies in, or of the one after it; before the contract's start, of its
    first and its second."""
    contract, end = agreed.contract, agreed.terms.ending_before
    at = max(at, contract.starting_at)
    term = Period(contract.starting_at, end)
    starts = [
        period.starting_at
        for period in _until(billing_periods(term, contract.billing_anchor_at, contract.frequency), at)
    ]
    if at in term and (update.effective_at == CURRENT or len(starts) > 1):
        return starts[-1] if update.effective_at == NEXT else starts[0]
    problems.add("effective_at", update.effective_at, "must be the start of a billing period of the contract")
    return None


def _until(periods: Iterable[Period], at: datetime) -> list[Period]:
    """The period that `at` lies in and the one after it, where there is one."""
    found: list[Period] = []
    for period in periods:
        if found:
            return [*found, period]
        if at in period:
            found.append(period)
    return found


def _named(lookup: LookupInput) -> str:
    return str(lookup.configuration_id) if lookup.configuration_id else f"{lookup.provider}, {lookup.delivery_method}"
