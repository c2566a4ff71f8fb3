"""What an edit of a contract asks for besides adding terms, as it is kept on the edit: under the names of the API."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from billing_site.foundation.periods import format_instant
from contracts.input_parts import ARCHIVED
from contracts.inputs import UNCHANGED, EditInput
from contracts.models import ContractTerms, ProviderConfiguration
from contracts.queries import AMENDED_FROM, Agreement
from contracts.services.commercial import says_commercial
from contracts.services.end_checks import FIELD as END_POLICY
from contracts.services.provider_choice import UPDATES
from contracts.services.recurring import updates_told
from contracts.services.royalties import ROYALTIES
from contracts.services.subscription_changes import FIELD as SUBSCRIPTIONS
from contracts.services.subscription_changes import subscriptions_told
from contracts.services.usage_filters import filters_told

FILTERS = "add_usage_filters"


@dataclass(frozen=True, slots=True)
class DealsTold:
    """What an edit sets of providers and royalties, as the terms keep them."""

    providers: Sequence[dict[str, Any]] = ()
    royalties: Sequence[dict[str, Any]] = ()
    royalties_after: Sequence[dict[str, Any]] = ()  # all that stand once these are set


def is_empty(given: EditInput) -> bool:
    """Whether the edit asks for nothing."""
    lists = (
        given.add_overrides,
        given.add_commits,
        given.add_credits,
        given.add_recurring_commits,
        given.add_recurring_credits,
        given.add_scheduled_charges,
        given.add_discounts,
        given.add_professional_services,
        given.add_subscriptions,
        given.add_usage_filters,
        given.add_reseller_royalties,
        given.update_subscriptions,
        given.update_recurring_commits,
        given.update_recurring_credits,
        given.remove_overrides,
        given.archive_commits,
        given.archive_credits,
        given.archive_scheduled_charges,
        given.archive_professional_services,
        given.update_commits,
        given.update_credits,
        given.update_scheduled_charges,
    )
    updates = (
        given.update_contract_end_date,
        given.update_contract_name,
        given.update_net_payment_terms_days,
        given.update_end_policy,
    )
    providers = (given.add_billing_provider_configuration_update, given.add_revenue_system_configuration_update)
    restores = given.undoes is not None and bool(given.undoes.subscriptions)
    return (
        not any(lists)
        and not any(providers)
        and not restores
        and not says_commercial(given)
        and all(update is UNCHANGED for update in updates)
    )


def changes_told(given: EditInput, agreed: Agreement, terms: ContractTerms | None, deals: DealsTold) -> dict[str, Any]:
    """What the edit asks for besides adding, as it is kept on the edit and echoed."""
    contract, held = agreed.contract, agreed.terms
    changes: dict[str, Any] = {}
    if given.amends_from is not None:
        changes[AMENDED_FROM] = format_instant(given.amends_from)
    if given.undoes is not None:
        changes["undoes"] = {"id": str(given.undoes.id), "number": given.undoes.number}
    if given.custom_fields:
        changes["custom_fields"] = dict(given.custom_fields)
    for name in ARCHIVED:
        if ids := getattr(given, name):
            changes[name] = [str(term_id) for term_id in ids]
    for name in ("update_recurring_commits", "update_recurring_credits"):
        if updates := getattr(given, name):
            changes[name] = updates_told(updates)
    if given.update_subscriptions:
        changes[SUBSCRIPTIONS] = subscriptions_told(given.update_subscriptions)
    if given.add_usage_filters:
        changes[FILTERS] = filters_told(given.add_usage_filters, contract)
    for provider in deals.providers:
        changes[UPDATES[ProviderConfiguration.Kind(provider["kind"])]] = provider
    if deals.royalties:
        changes[ROYALTIES] = deals.royalties
    end = given.update_contract_end_date
    if end is not UNCHANGED:
        changes["update_contract_end_date"] = None if end is None else format_instant(end)
    if given.update_contract_name is not UNCHANGED:
        changes["update_contract_name"] = given.update_contract_name
    if terms is not None and given.update_net_payment_terms_days is not UNCHANGED:
        changes["update_net_payment_terms_days"] = terms.net_payment_terms_days
    if terms is not None and terms.end_policy != held.end_policy:
        changes[END_POLICY] = terms.end_policy
    return changes
