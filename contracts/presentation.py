"""Customers, contracts and edits in the words and shapes of the compatible API. What is not there is left out.

Nothing is computed here. Whoever knows balances adds them: `balances` maps the id of a commit to the fields that
join its shape (`balance`, `ledger`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import zip_longest
from typing import Any
from uuid import UUID

from billing_site.foundation.periods import format_instant
from contracts.commit_presentation import (
    NO_BALANCES,
    Fields,
    commit_json,
    items_edit,
    new_commit_json,
    product_ref,
    removed_at,
    schedule_json,
    updated_commit_json,
    without_absent,
)
from contracts.input_parts import ARCHIVED
from contracts.models import Contract, ContractTerms, Customer, Override, ProfessionalService, ScheduledCharge
from contracts.provider_presentation import providers_json, royalties_json, royalty_json
from contracts.queries import AgreedCharge, Agreement, ContractPrice, ContractSchedule, EditedTerms
from contracts.recurring_presentation import recurring_json, updates_json
from contracts.subscription_presentation import subscription_json, subscription_updates_json
from pricing.presentation import commit_rate_json, named_value_json, tariff_json


def customer_json(customer: Customer, aliases: Sequence[str]) -> Fields:
    return {
        "id": str(customer.pk),
        "external_id": aliases[0] if aliases else str(customer.pk),
        "ingest_aliases": list(aliases),
        "name": customer.name,
        "custom_fields": customer.custom_fields,
    }


def customer_detail_json(customer: Customer, aliases: Sequence[str]) -> Fields:
    archived = {"archived_at": format_instant(customer.archived_at)} if customer.archived_at else {}
    return {
        **customer_json(customer, aliases),
        "customer_config": {"salesforce_account_id": account} if (account := customer.salesforce_account_id) else {},
        "current_billable_status": {"value": "billable"},  # from when on: ever since
        "created_at": format_instant(customer.created_at),
        "updated_at": format_instant(customer.updated_at),
        **archived,
    }


def contract_json(
    agreed: Agreement, *, at: datetime, balances: Mapping[UUID, Mapping[str, Any]] = NO_BALANCES
) -> Fields:
    """A contract, as `v2/contracts/get` and `list` show it at an instant."""
    contract, terms = agreed.contract, agreed.terms
    recurring = [each.now for each in agreed.recurring]
    return without_absent(
        {
            "id": str(contract.pk),
            "customer_id": str(contract.customer_id),
            "name": terms.name or None,
            "created_at": format_instant(contract.created_at),
            "created_by": contract.created_by,
            "starting_at": format_instant(contract.starting_at),
            "ending_before": format_instant(terms.ending_before) if terms.ending_before else None,
            "archived_at": format_instant(contract.archived_at) if contract.archived_at else None,
            "rate_card_id": str(contract.rate_card_id) if contract.rate_card_id else None,
            "package_id": str(contract.package_id) if contract.package_id else None,
            "net_payment_terms_days": terms.net_payment_terms_days,
            "end_policy": terms.end_policy,
            "multiplier_override_prioritization": contract.multiplier_override_prioritization,
            "usage_statement_schedule": statement_schedule_json(contract),
            "scheduled_charges_on_usage_invoices": contract.scheduled_charges_on_usage_invoices or None,
            "uniqueness_key": contract.uniqueness_key,
            "total_contract_value": contract.total_contract_value,
            "salesforce_opportunity_id": contract.salesforce_opportunity_id or None,
            "netsuite_sales_order_id": contract.netsuite_sales_order_id or None,
            "custom_fields": contract.custom_fields,
            "commits": [commit_json(each, balances=balances) for each in agreed.commits if not each.commit.is_credit],
            "overrides": [override_json(override) for override in agreed.overrides],
            "scheduled_charges": [charge_json(each) for each in agreed.charges if not each.charge.is_discount],
            "credits": [commit_json(each, balances=balances) for each in agreed.commits if each.commit.is_credit],
            "discounts": [charge_json(each) for each in agreed.charges if each.charge.is_discount],
            "professional_services": [service_json(each) for each in agreed.services.services],
            "recurring_commits": [recurring_json(row, contract) for row in recurring if not row.is_credit],
            "recurring_credits": [recurring_json(row, contract) for row in recurring if row.is_credit],
            "reseller_royalties": royalties_json(terms.royalties),
            **providers_json(agreed.providers, at=at),
            "subscriptions": [
                subscription_json(each, contract, terms.ending_before, at=at) for each in agreed.subscriptions
            ],
            "transitions": _transitions(agreed),
            "usage_filter": filters_json(terms),
            "has_more": {"commits": False, "credits": False},
        }
    )


def filters_json(terms: ContractTerms) -> list[Fields]:
    """Each with when the next one takes over."""
    ends = [each["starting_at"] for each in terms.usage_filters[1:]]
    return [{**each, **({"ending_before": end} if end else {})} for each, end in zip_longest(terms.usage_filters, ends)]


def _transitions(agreed: Agreement) -> list[Fields]:
    """The contract as the renewal of another, and as one that is renewed."""
    here = agreed.contract.pk
    steps = ((agreed.contract.renews_id, here), (here, agreed.renewed_by))
    return [
        {"type": "RENEWAL", "from_contract_id": str(old), "to_contract_id": str(new)}
        for old, new in steps
        if old and new
    ]


def statement_schedule_json(contract: Contract) -> Fields:
    starts = contract.invoicing_starts_at
    return without_absent(
        {
            "frequency": contract.frequency,
            "billing_anchor_date": format_instant(contract.billing_anchor_at),
            "invoice_generation_starting_at": format_instant(starts) if starts else None,
        }
    )


def override_json(override: Override) -> Fields:
    tariff = override.to_tariff()
    return without_absent(
        {
            "id": str(override.pk),
            "created_at": format_instant(override.created_at),
            "starting_at": format_instant(override.starting_at),
            "ending_before": format_instant(override.ending_before) if override.ending_before else None,
            "type": override.type or None,
            "multiplier": override.multiplier,
            "override_tiers": [_numbers(tier) for tier in override.tiers] or None,
            "overwrite_rate": tariff_json(tariff, override.unit) if tariff and override.unit else None,
            "priority": override.priority,
            "entitled": override.entitled,
            "product": product_ref(override.product) if override.product else None,
            "applicable_product_tags": override.applicable_product_tags or None,
            "override_specifiers": override.specifiers or None,
            "is_commit_specific": override.is_commit_specific,
            "target": override.target,
        }
    )


def charge_json(charged: AgreedCharge) -> Fields:
    charge = charged.charge
    return without_absent(
        {
            **_new_charge(charged),
            "custom_fields": charge.custom_fields,
            "archived_at": removed_at(charge.removed_by_edit),
        }
    )


def service_json(service: ProfessionalService) -> Fields:
    return without_absent(
        {
            "id": str(service.pk),
            "product_id": str(service.product_id),
            "quantity": service.quantity,
            "unit_price": service.unit_price,
            "max_amount": service.max_amount,
            "description": service.description or None,
            "custom_fields": service.custom_fields,
            "netsuite_sales_order_id": service.netsuite_sales_order_id or None,
        }
    )


def edit_json(edited: EditedTerms) -> Fields:
    """An edit, as `v2/contracts/edit` replies and `getEditHistory` lists it. Net terms are not part of the shape."""
    edit = edited.edit
    changes = dict(edit.changes)
    shown: Fields = {
        "id": str(edit.pk),
        "timestamp": format_instant(edit.created_at),
        **({"uniqueness_key": edit.uniqueness_key} if edit.uniqueness_key else {}),
        **_added_commits(edited),
        **_added_recurring(edited),
        **_added_subscriptions(edited),
        **({"add_overrides": [override_json(override) for override in edited.overrides]} if edited.overrides else {}),
        **_added_charges(edited),
        **({"add_pro_services": [service_json(each) for each in edited.services]} if edited.services else {}),
    }
    for name in ARCHIVED:
        if ids := changes.get(name):
            shown[name] = [{"id": term_id} for term_id in ids]
    for name, are_credits in (("update_commits", False), ("update_credits", True)):
        updates = [each for each in edited.updates if each.after.commit.is_credit == are_credits]
        if updates:
            shown[name] = [updated_commit_json(each) for each in updates]
    for name, schedule, are_discounts in (
        ("update_scheduled_charges", "invoice_schedule", False),
        ("update_discounts", "schedule", True),
    ):
        changed = [each for each in edited.charge_updates if each.after.charge.is_discount == are_discounts]
        if changed:
            shown[name] = [
                {
                    "id": str(each.after.charge.pk),
                    **({schedule: items} if (items := items_edit(each.before.items, each.after.items)) else {}),
                    **({"netsuite_sales_order_id": each.order} if each.order is not None else {}),
                    **({"name": each.after.charge.name} if each.after.charge.name else {}),
                }
                for each in changed
            ]
    for name in ("update_recurring_commits", "update_recurring_credits"):
        if name in changes:
            shown[name] = updates_json(changes[name])
    if "update_subscriptions" in changes:
        shown["update_subscriptions"] = subscription_updates_json(changes["update_subscriptions"])
    if "add_reseller_royalties" in changes:
        shown["add_reseller_royalties"] = [royalty_json(each) for each in changes["add_reseller_royalties"]]
    for name in (
        "undoes",
        "add_usage_filters",
        "update_contract_end_date",
        "update_contract_name",
        "update_end_policy",
    ):
        if name in changes:
            shown[name] = changes[name]
    return shown


def contract_price_json(price: ContractPrice) -> Fields:
    """A row of `getContractRateSchedule`: list price beside override price."""
    rate = price.segment.rate
    return without_absent(
        {
            "product_id": str(price.segment.product.pk),
            "product_name": price.segment.version.name,
            "product_tags": price.segment.version.tags,
            "product_custom_fields": price.segment.product.custom_fields,
            "rate_card_id": str(price.rate_card_id),
            "entitled": True,
            "starting_at": format_instant(price.segment.starting_at),
            "ending_before": format_instant(price.segment.ending_before) if price.segment.ending_before else None,
            "billing_frequency": rate.billing_frequency or None,
            "pricing_group_values": dict(rate.values) or None,
            "list_rate": tariff_json(rate.tariff, rate.unit, rate.values),
            "commit_rate": commit_rate_json(rate.commit_tariff) if rate.commit_tariff else None,
            "override_rate": tariff_json(price.tariff, price.unit, rate.values) if price.tariff else None,
            "override_id": str(price.override.id) if price.override else None,
        }
    )


def contract_schedule_json(schedule: ContractSchedule) -> Fields:
    return {
        "contract_id": str(schedule.contract_id),
        "schedule_name": schedule.schedule_name,
        "properties": dict(schedule.properties),
        "segments": [named_value_json(value) for value in schedule.values],
    }


def _added_commits(edited: EditedTerms) -> Fields:
    lists = {
        "add_commits": [new_commit_json(each) for each in edited.commits if not each.commit.is_credit],
        "add_credits": [new_commit_json(each) for each in edited.commits if each.commit.is_credit],
    }
    return {name: added for name, added in lists.items() if added}


def _added_recurring(edited: EditedTerms) -> Fields:
    lists = {
        "add_recurring_commits": [recurring_json(row, row.contract) for row in edited.recurring if not row.is_credit],
        "add_recurring_credits": [recurring_json(row, row.contract) for row in edited.recurring if row.is_credit],
    }
    return {name: added for name, added in lists.items() if added}


def _added_charges(edited: EditedTerms) -> Fields:
    lists = {
        "add_scheduled_charges": [_new_charge(each) for each in edited.charges if not each.charge.is_discount],
        "add_discounts": [charge_json(each) for each in edited.charges if each.charge.is_discount],
    }
    return {name: added for name, added in lists.items() if added}


def _added_subscriptions(edited: EditedTerms) -> Fields:
    if not edited.subscriptions:
        return {}
    contract, at = edited.subscriptions[0].subscription.contract, edited.edit.created_at
    added = [subscription_json(each, contract, edited.contract_ended_at, at=at) for each in edited.subscriptions]
    return {"add_subscriptions": added}


def _new_charge(charged: AgreedCharge) -> Fields:
    """What an edit shows of a scheduled charge that it adds."""
    charge: ScheduledCharge = charged.charge
    return without_absent(
        {
            "id": str(charge.pk),
            "product": product_ref(charge.product),
            "name": charge.name or None,
            "schedule": schedule_json(charged.items, charge.unit),
            "netsuite_sales_order_id": charge.netsuite_sales_order_id or None,
        }
    )


def _numbers(texts: Mapping[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in texts.items()}
