"""Requests about billing providers and revenue systems, and how they are shown."""

from typing import Any

from rest_framework import serializers

from billing_site.foundation.fields import InstantField, Shape
from contracts.models import ProviderConfiguration
from contracts.provider_inputs import ConfigurationInput
from pricing.serializers.common import OPTIONAL, plain

PROVIDERS = ProviderConfiguration.Provider.values
CONTRACT_PROVIDERS = ("aws_marketplace", "azure_marketplace", "gcp_marketplace", "stripe", "netsuite")
REVENUE_SYSTEMS = ("netsuite",)
DELIVERIES = ProviderConfiguration.Delivery.values
DIRECT = (ProviderConfiguration.Delivery.DIRECT.value,)
TAX_PROVIDERS = ProviderConfiguration.TaxProvider.values
MOST_AT_ONCE = 100


class WordField(serializers.ChoiceField):
    """One of a few small words, as it is."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, str) and data in self.choices:
            return data
        raise serializers.ValidationError(f"must be one of {', '.join(self.choices)}")


class _ConfigurationShape(Shape):
    delivery_method = WordField(DELIVERIES, help_text="Or delivery_method_id.", **OPTIONAL)
    delivery_method_id = serializers.UUIDField(help_text="As replies give it.", **OPTIONAL)
    configuration = serializers.DictField(
        help_text="What the provider calls the customer; kept and shown, never used.", **OPTIONAL
    )


class BillingConfigurationShape(_ConfigurationShape):
    billing_provider = WordField(CONTRACT_PROVIDERS)
    tax_provider = WordField(TAX_PROVIDERS, help_text="Of Stripe only.", **OPTIONAL)

    def to_internal_value(self, data: Any) -> ConfigurationInput:
        sent = plain(super().to_internal_value(data))
        return ConfigurationInput(sent.pop("billing_provider"), **sent)


class RevenueConfigurationShape(_ConfigurationShape):
    provider = WordField(REVENUE_SYSTEMS)
    delivery_method = WordField(DIRECT, help_text="Or delivery_method_id.", **OPTIONAL)

    def to_internal_value(self, data: Any) -> ConfigurationInput:
        return ConfigurationInput(**plain(super().to_internal_value(data)), kind="REVENUE_SYSTEM")


class CustomersConfigurationShape(_ConfigurationShape):
    customer_id = serializers.UUIDField()
    billing_provider = WordField(PROVIDERS)
    tax_provider = WordField(TAX_PROVIDERS, help_text="Of Stripe only.", **OPTIONAL)

    def to_internal_value(self, data: Any) -> Any:
        sent = plain(super().to_internal_value(data))
        return sent.pop("customer_id"), ConfigurationInput(sent.pop("billing_provider"), **sent)


class SetConfigurationsRequest(serializers.Serializer):
    def get_fields(self) -> dict[str, serializers.Field]:
        """`data`, which a serializer has an attribute of its own for."""
        child = CustomersConfigurationShape()
        return {"data": serializers.ListField(child=child, min_length=1, max_length=MOST_AT_ONCE)}


class GetConfigurationsRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    include_archived = serializers.BooleanField(help_text="Archived ones, too; false.", **OPTIONAL)


class ArchiveConfigurationsRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    customer_billing_provider_configuration_ids = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=MOST_AT_ONCE
    )


class SetConfigurationReply(serializers.Serializer):
    id = serializers.UUIDField()
    customer_id = serializers.UUIDField()
    billing_provider = serializers.ChoiceField(PROVIDERS)
    delivery_method_id = serializers.UUIDField()
    configuration = serializers.DictField()
    tax_provider = serializers.ChoiceField(TAX_PROVIDERS, required=False)


class BillingConfigurationReply(serializers.Serializer):
    id = serializers.UUIDField()
    customer_id = serializers.UUIDField()
    billing_provider = serializers.ChoiceField(PROVIDERS)
    delivery_method = serializers.ChoiceField(DELIVERIES)
    delivery_method_id = serializers.UUIDField()
    delivery_method_configuration = serializers.DictField(help_text="Empty: nothing is delivered.")
    configuration = serializers.DictField()
    archived_at = InstantField(required=False)


class ArchivedConfigurationsReply(serializers.Serializer):
    customer_id = serializers.UUIDField()
    customer_billing_provider_configuration_ids = serializers.ListField(child=serializers.UUIDField())
