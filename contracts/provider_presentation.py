"""Configurations of billing providers and revenue systems in the shapes of the API."""

from typing import Any

from billing_site.foundation.periods import format_instant
from contracts.commit_presentation import Fields, without_absent
from contracts.models import ProviderConfiguration


def configuration_json(configuration: ProviderConfiguration) -> Fields:
    """A configuration as calls that read it reply. Nothing is configured of a delivery, as nothing is delivered."""
    is_billing = configuration.kind == ProviderConfiguration.Kind.BILLING_PROVIDER
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
