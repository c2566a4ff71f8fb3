"""Contracts in the shapes of the API's first version: what was agreed at first, what amends it, what holds now.

The parts are those of the second version (`presentation.py`), but overrides repeat an overwritten rate beside it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing_site.foundation.periods import format_instant, parse_instant
from contracts.commit_presentation import NO_BALANCES, Fields, commit_json, without_absent
from contracts.models import ContractTerms, Override
from contracts.presentation import charge_json, contract_json, override_json, service_json
from contracts.provider_presentation import royalty_json
from contracts.queries import Agreement, Amendment, Origin

Balances = Mapping[UUID, Mapping[str, Any]]

# What the first version says once, of the contract as a whole.
OF_THE_WHOLE = (
    "id",
    "customer_id",
    "archived_at",
    "custom_fields",
    "customer_billing_provider_configuration",
    "package_id",
    "subscriptions",
    "uniqueness_key",
)
OF_BOTH = ("scheduled_charges_on_usage_invoices",)  # and again of its terms
SCHEDULES = ("billing_provider_configuration_schedule", "revenue_system_configuration_schedule")  # unknown to it
UNKNOWN = ("multiplier_override_prioritization", "usage_filter", "has_more", *SCHEDULES)  # to its terms


def created_contract_json(agreed: Agreement, *, at: datetime) -> Fields:
    """A contract as `v1/contracts/create` replies."""
    shown = contract_json(agreed, at=at)
    return {
        **{name: value for name, value in shown.items() if name not in SCHEDULES},
        "overrides": _overrides(agreed.overrides),
        "reseller_royalties": _royalties(agreed.terms.royalties),
    }


def first_contract_json(
    current: Agreement, origin: Origin, *, at: datetime, balances: Balances = NO_BALANCES
) -> Fields:
    """A contract, as `v1/contracts/get` and `list` show it at an instant."""
    shown = contract_json(current, at=at)
    return {
        **{name: shown[name] for name in (*OF_THE_WHOLE, *OF_BOTH) if name in shown},
        "initial": _terms_json(origin.initial, balances, at),
        "current": _terms_json(current, balances, at),
        "amendments": [_amendment_json(amendment, balances) for amendment in origin.amendments],
    }


def _terms_json(agreed: Agreement, balances: Balances, at: datetime) -> Fields:
    shown = contract_json(agreed, at=at, balances=balances)
    left_out = (*OF_THE_WHOLE, *UNKNOWN)
    return {
        **{name: value for name, value in shown.items() if name not in left_out},
        "overrides": _overrides(agreed.overrides),
        "reseller_royalties": _royalties(agreed.terms.royalties),
        **_usage_filter(agreed.terms, at),
    }


def _usage_filter(terms: ContractTerms, at: datetime) -> Fields:
    """The first filter, those that follow it, and the one in force."""
    if not terms.usage_filters:
        return {}
    first, *updates = terms.usage_filters
    current = [each for each in terms.usage_filters if parse_instant(each["starting_at"]) <= at]
    in_force = {"current": current[-1]} if current else {}
    return {"usage_filter": {"initial": first, "updates": updates, **in_force}}


def _amendment_json(amendment: Amendment, balances: Balances) -> Fields:
    edit = amendment.edit
    value = edit.changes.get("total_contract_value")
    return without_absent(
        {
            "id": str(edit.pk),
            "starting_at": format_instant(amendment.starting_at),
            "created_at": format_instant(edit.created_at),
            "created_by": edit.created_by,
            "commits": [
                commit_json(each, balances=balances) for each in amendment.commits if not each.commit.is_credit
            ],
            "credits": [commit_json(each, balances=balances) for each in amendment.commits if each.commit.is_credit],
            "overrides": _overrides(amendment.overrides),
            "scheduled_charges": [charge_json(each) for each in amendment.charges if not each.charge.is_discount],
            "discounts": [charge_json(each) for each in amendment.charges if each.charge.is_discount],
            "professional_services": [service_json(each) for each in amendment.services],
            "reseller_royalties": _royalties(edit.changes.get("add_reseller_royalties", ())),
            "custom_fields": edit.changes.get("custom_fields"),
            "total_contract_value": Decimal(value) if value is not None else None,
            "salesforce_opportunity_id": edit.changes.get("salesforce_opportunity_id"),
            "netsuite_sales_order_id": edit.changes.get("netsuite_sales_order_id"),
        }
    )


def _royalties(royalties: Sequence[Mapping[str, Any]]) -> list[Fields]:
    return [royalty_json(each) for each in royalties]


def _overrides(overrides: Sequence[Override]) -> list[Fields]:
    return [_override_json(override) for override in overrides]


def _override_json(override: Override) -> Fields:
    shown = override_json(override)
    return {**shown.get("overwrite_rate", {}), **shown}
