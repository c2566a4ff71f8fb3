"""Configurations of billing providers and revenue systems in the shapes of the API."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing_site.foundation.periods import format_instant
from contracts.commit_presentation import Fields, without_absent
from contracts.models import ProviderConfiguration
from contracts.models.providers import delivery_method_id
from contracts.queries import ContractProvider, providers_of

BILLING, REVENUE = ProviderConfiguration.Kind.BILLING_PROVIDER, ProviderConfiguration.Kind.REVENUE_SYSTEM


def deliveries_json() -> list[Fields]:
    """Every way to deliver to a billing provider that a configuration may name."""
    return [
        {
            "billing_provider": provider,
            "delivery_method": delivery,
            "delivery_method_id": str(delivery_method_id(provider, delivery)),
            "delivery_method_configuration": {},
        }
        for provider in ProviderConfiguration.Provider.values
        for delivery in ProviderConfiguration.Delivery.values
    ]


def configuration_json(configuration: ProviderConfiguration) -> Fields:
    """A configuration as calls that read it reply. Nothing is configured of a delivery, as nothing is delivered."""
    is_billing = configuration.kind == BILLING
    return without_absent(
        {
            "id": str(configuration.pk),
            "customer_id": str(configuration.customer_id),
            "billing_provider" if is_billing else "provider": configuration.provider,
            "delivery_method": configuration.delivery_method,
            "delivery_method_id": str(configuration.delivery_method_id),
            "delivery_method_configuration": {},
            "configuration": configuration.configuration,
            "archived_at": format_instant(configuration.archived_at) if configuration.archived_at else None,
        }
    )


def set_configuration_json(configuration: ProviderConfiguration) -> dict[str, Any]:
    """A configuration as the call that sets it replies."""
    return without_absent(
        {
            "id": str(configuration.pk),
            "customer_id": str(configuration.customer_id),
            "billing_provider": configuration.provider,
            "delivery_method_id": str(configuration.delivery_method_id),
            "configuration": configuration.configuration,
            "tax_provider": configuration.tax_provider or None,
        }
    )


def providers_json(providers: Sequence[ContractProvider], *, at: datetime) -> Fields:
    """What a contract is for, over time, and the billing provider at an instant; before the first one, that one."""
    billing, revenue = providers_of(providers, BILLING), providers_of(providers, REVENUE)
    in_force = [each for each in billing if each.effective_at <= at] or billing[:1]
    now = {"customer_billing_provider_configuration": configuration_json(in_force[-1].configuration)} if billing else {}
    return {
        **now,
        **_schedule("billing_provider_configuration", billing),
        **_schedule("revenue_system_configuration", revenue),
    }


def _schedule(name: str, providers: Sequence[ContractProvider]) -> Fields:
    if not providers:
        return {}
    return {
        f"{name}_schedule": [
            without_absent(
                {
                    name: configuration_json(each.configuration),
                    "effective_at": format_instant(each.effective_at),
                    "effective_until": format_instant(each.effective_until) if each.effective_until else None,
                }
            )
            for each in providers
        ]
    }


def royalty_json(told: Mapping[str, Any]) -> Fields:
    """A royalty by itself, as the first version of the API and edits show it; the numbers are kept as text."""
    numbers = ("fraction", "reseller_contract_value")
    return {name: Decimal(value) if name in numbers else value for name, value in told.items()}


def royalties_json(royalties: Sequence[Mapping[str, Any]]) -> list[Fields]:
    """By type, each with its segments in order of time."""
    types = dict.fromkeys(each["reseller_type"] for each in royalties)
    return [
        {
            "reseller_type": held,
            "segments": [royalty_json(each) for each in royalties if each["reseller_type"] == held],
        }
        for held in types
    ]
