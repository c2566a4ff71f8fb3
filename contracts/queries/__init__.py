"""Reads across customers, claims and terms. Callers that need several of them to agree read in one snapshot."""

from contracts.queries.agreements import (
    AgreedCharge,
    AgreedCommit,
    AgreedRecurring,
    AgreedServices,
    AgreedSubscription,
    Agreement,
    agreement,
    agreements,
    by_what_recurs,
    shared_commits,
)
from contracts.queries.archived import archived_commits
from contracts.queries.cards import Reach, contracts_by_card, contracts_on, reach
from contracts.queries.charged import billed_by, dates_charged
from contracts.queries.claims import aliases_of, claim_windows, holders_of, owner_of
from contracts.queries.compiled import customer_terms, to_terms
from contracts.queries.custom_fields import custom_fields_changes, with_custom_fields
from contracts.queries.customers import customer, customers, no_such_customer, refuse_unknown
from contracts.queries.edits import (
    EditedTerms,
    UpdatedCharge,
    UpdatedCommit,
    edit_history,
    edit_number_at,
    last_edit_number,
)
from contracts.queries.ending import ending, going_on
from contracts.queries.granted import granted, with_granted
from contracts.queries.known import Known, known_at
from contracts.queries.logins import customer_of
from contracts.queries.named_schedules import ContractSchedule, Place, contract_schedules, named_schedule
from contracts.queries.origins import AMENDED_FROM, Amendment, Origin, origins
from contracts.queries.packages import contracts_from, package, package_of_alias, packages
from contracts.queries.parties import billing_profile, legal_entity, tax_codes, tax_rates
from contracts.queries.providers import ContractProvider, billing_configurations, providers_by_contract, providers_of
from contracts.queries.rate_schedule import ContractPrice, contract_prices
from contracts.queries.subscriptions import (
    HeldQuantity,
    PricedQuantity,
    QuantityHistory,
    held_quantities,
    quantity_history,
    subscription_of,
)

__all__ = [
    "AMENDED_FROM",
    "AgreedCharge",
    "AgreedCommit",
    "AgreedRecurring",
    "AgreedServices",
    "AgreedSubscription",
    "Agreement",
    "Amendment",
    "ContractPrice",
    "ContractProvider",
    "ContractSchedule",
    "EditedTerms",
    "HeldQuantity",
    "Known",
    "Origin",
    "Place",
    "PricedQuantity",
    "QuantityHistory",
    "Reach",
    "UpdatedCharge",
    "UpdatedCommit",
    "agreement",
    "agreements",
    "aliases_of",
    "archived_commits",
    "billed_by",
    "billing_configurations",
    "billing_profile",
    "by_what_recurs",
    "claim_windows",
    "contract_prices",
    "contract_schedules",
    "contracts_by_card",
    "contracts_from",
    "contracts_on",
    "custom_fields_changes",
    "customer",
    "customer_of",
    "customer_terms",
    "customers",
    "dates_charged",
    "edit_history",
    "edit_number_at",
    "ending",
    "going_on",
    "granted",
    "held_quantities",
    "holders_of",
    "known_at",
    "last_edit_number",
    "legal_entity",
    "named_schedule",
    "no_such_customer",
    "origins",
    "owner_of",
    "package",
    "package_of_alias",
    "packages",
    "providers_by_contract",
    "providers_of",
    "quantity_history",
    "reach",
    "refuse_unknown",
    "shared_commits",
    "subscription_of",
    "tax_codes",
    "tax_rates",
    "to_terms",
    "with_custom_fields",
    "with_granted",
]
