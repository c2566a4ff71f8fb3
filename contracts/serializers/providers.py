"""Requests about billing providers and revenue systems, and how they are shown."""

from collections.abc import Callable
from typing import Any

from rest_framework import serializers

from billing_site.foundation.fields import CodeField, InstantField, NumberField, Shape, TextField, texts
from contracts.models import ProviderConfiguration
from contracts.provider_inputs import (
    ConfigurationInput,
    LookupInput,
    LookupUpdateInput,
    ResellerOptionsInput,
    RoyaltyInput,
)
from contracts.serializers.terms import BLANK
from pricing.serializers.common import OPTIONAL, InputShape, plain

PROVIDERS = ProviderConfiguration.Provider.values
CONTRACT_PROVIDERS = ("aws_marketplace", "azure_marketplace", "gcp_marketplace", "stripe", "netsuite")
REVENUE_SYSTEMS = ("netsuite",)
DELIVERIES = ProviderConfiguration.Delivery.values
DIRECT = (ProviderConfiguration.Delivery.DIRECT.value,)
TAX_PROVIDERS = ProviderConfiguration.TaxProvider.values
RESELLER_TYPES = ("AWS", "AWS_PRO_SERVICE", "GCP", "GCP_PRO_SERVICE")
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


class _LookupShape(InputShape):
    """The one configuration of the customer that is meant: by its id, or by what it alone is called."""

    becomes: Callable[..., Any] = LookupInput

    delivery_method = WordField(DELIVERIES, help_text="With the provider, instead of the id.", **OPTIONAL)


class BillingLookupShape(_LookupShape):
    billing_provider_configuration_id = serializers.UUIDField(source="configuration_id", **OPTIONAL)
    billing_provider = WordField(CONTRACT_PROVIDERS, source="provider", **OPTIONAL)


class RevenueLookupShape(_LookupShape):
    revenue_system_configuration_id = serializers.UUIDField(source="configuration_id", **OPTIONAL)
    provider = WordField(REVENUE_SYSTEMS, **OPTIONAL)
    delivery_method = WordField(DIRECT, help_text="With the provider, instead of the id.", **OPTIONAL)


class BillingLookupUpdateShape(BillingLookupShape):
    billing_provider = WordField(PROVIDERS, source="provider", **OPTIONAL)


class UpdateScheduleShape(Shape):
    effective_at = CodeField(("START_OF_CURRENT_PERIOD", "START_OF_NEXT_PERIOD"))


class BillingUpdateShape(Shape):
    billing_provider_configuration = BillingLookupUpdateShape()
    schedule = UpdateScheduleShape(help_text="From the start of which billing period on.")

    def to_internal_value(self, data: Any) -> LookupUpdateInput:
        sent = super().to_internal_value(data)
        return LookupUpdateInput(sent["billing_provider_configuration"], sent["schedule"]["effective_at"])


class RevenueUpdateShape(Shape):
    revenue_system_configuration = RevenueLookupShape()
    schedule = UpdateScheduleShape(help_text="From the start of which billing period on.")

    def to_internal_value(self, data: Any) -> LookupUpdateInput:
        sent = super().to_internal_value(data)
        return LookupUpdateInput(sent["revenue_system_configuration"], sent["schedule"]["effective_at"])


class AwsOptionsShape(InputShape):
    becomes = ResellerOptionsInput

    aws_account_number = TextField(**BLANK)
    aws_offer_id = TextField(**BLANK)
    aws_payer_reference_id = TextField(**BLANK)


class GcpOptionsShape(InputShape):
    becomes = ResellerOptionsInput

    gcp_account_id = TextField(**BLANK)
    gcp_offer_id = TextField(**BLANK)


class RoyaltyEditShape(Shape):
    """A royalty in an edit: what is absent is as in the last one of its type."""

    reseller_type = CodeField(RESELLER_TYPES)
    fraction = NumberField(help_text="From 0 to 1.", **OPTIONAL)
    netsuite_reseller_id = TextField(**OPTIONAL)
    starting_at = InstantField(help_text="On the hour.", **OPTIONAL)
    ending_before = InstantField(help_text="On the hour; null: open.", **OPTIONAL)
    applicable_product_ids = serializers.ListField(child=serializers.UUIDField(), **OPTIONAL)
    applicable_product_tags = texts(help_text="At least one product or tag is needed.", **OPTIONAL)
    reseller_contract_value = NumberField(**OPTIONAL)
    aws_options = AwsOptionsShape(**OPTIONAL)
    gcp_options = GcpOptionsShape(**OPTIONAL)

    def to_internal_value(self, data: Any) -> RoyaltyInput:
        sent = super().to_internal_value(data)
        cleared = {"ending_before": None} if "ending_before" in sent else {}
        return RoyaltyInput(**{**cleared, **plain(sent)})


class RoyaltyShape(RoyaltyEditShape):
    """A royalty of a new contract."""

    fraction = NumberField(help_text="From 0 to 1.")
    netsuite_reseller_id = TextField()
    starting_at = InstantField(help_text="On the hour.")


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


class RevenueConfigurationReply(serializers.Serializer):
    id = serializers.UUIDField()
    customer_id = serializers.UUIDField()
    provider = serializers.ChoiceField(REVENUE_SYSTEMS)
    delivery_method = serializers.ChoiceField(DELIVERIES)
    delivery_method_id = serializers.UUIDField()
    delivery_method_configuration = serializers.DictField(help_text="Empty: nothing is delivered.")
    configuration = serializers.DictField()
    archived_at = InstantField(required=False)


class BillingScheduleReply(serializers.Serializer):
    billing_provider_configuration = BillingConfigurationReply()
    effective_at = InstantField()
    effective_until = InstantField(required=False)


class RevenueScheduleReply(serializers.Serializer):
    revenue_system_configuration = RevenueConfigurationReply()
    effective_at = InstantField()
    effective_until = InstantField(required=False)


class RoyaltySegmentReply(serializers.Serializer):
    reseller_type = serializers.ChoiceField(RESELLER_TYPES)
    fraction = NumberField()
    netsuite_reseller_id = serializers.CharField()
    starting_at = InstantField()
    ending_before = InstantField(required=False)
    applicable_product_ids = serializers.ListField(child=serializers.UUIDField(), required=False)
    applicable_product_tags = texts(required=False)
    reseller_contract_value = NumberField(required=False)
    aws_account_number = serializers.CharField(required=False)
    aws_offer_id = serializers.CharField(required=False)
    aws_payer_reference_id = serializers.CharField(required=False)
    gcp_account_id = serializers.CharField(required=False)
    gcp_offer_id = serializers.CharField(required=False)


class RoyaltyReply(serializers.Serializer):
    reseller_type = serializers.ChoiceField(RESELLER_TYPES)
    segments = RoyaltySegmentReply(many=True)


class ListProvidersRequest(serializers.Serializer):
    next_page = TextField(help_text="There is only one page.", **BLANK)


class DeliveryReply(serializers.Serializer):
    billing_provider = serializers.ChoiceField(PROVIDERS)
    delivery_method = serializers.ChoiceField(DELIVERIES)
    delivery_method_id = serializers.UUIDField()
    delivery_method_configuration = serializers.DictField(help_text="Empty: nothing is delivered.")


class ProvidersReply(serializers.Serializer):
    data = DeliveryReply(many=True)  # type: ignore[assignment]  # a field, whatever Serializer.data is
    next_page = serializers.CharField(allow_null=True)
