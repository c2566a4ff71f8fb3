"""Requests about customers, and how they are shown."""

from typing import Any

from rest_framework import serializers

from billing_site.foundation.fields import InstantField, TextField, text_map, texts
from contracts.serializers.providers import BillingConfigurationShape, RevenueConfigurationShape
from contracts.serializers.terms import BLANK
from pricing.serializers.common import OPTIONAL

MOST_IDS = 100


class CreateCustomerRequest(serializers.Serializer):
    name = TextField(help_text="Cut at 160 characters.")
    ingest_aliases = texts(help_text="Other names under which the customer's events are sent.", **OPTIONAL)
    external_id = TextField(help_text="Deprecated: one more ingest alias.", **OPTIONAL)
    custom_fields = text_map(**OPTIONAL)
    customer_billing_provider_configurations = BillingConfigurationShape(
        many=True, help_text="What billing providers call the customer; nothing is sent to them.", **OPTIONAL
    )
    customer_revenue_system_configurations = RevenueConfigurationShape(
        many=True, help_text="What revenue systems call the customer; nothing is sent to them.", **OPTIONAL
    )


class SetAliasesRequest(serializers.Serializer):
    ingest_aliases = texts(help_text="The whole set; what is not in it is given up.")


class SetNameRequest(serializers.Serializer):
    name = TextField(help_text="Cut at 160 characters.")


class UpdateConfigRequest(serializers.Serializer):
    salesforce_account_id = TextField(help_text="What Salesforce calls the customer; null clears it.", **BLANK)


class CommaJoined(serializers.ListField):
    """A list in a query string: a,b,c."""

    def get_value(self, dictionary: Any) -> Any:
        values = dictionary.getlist(self.field_name)
        return [part for value in values for part in value.split(",") if part] if values else serializers.empty


class ListCustomersQuery(serializers.Serializer):
    customer_ids = CommaJoined(child=serializers.UUIDField(), max_length=MOST_IDS, required=False)
    ingest_alias = TextField(required=False, allow_blank=True)
    salesforce_account_ids = CommaJoined(child=TextField(), max_length=MOST_IDS, required=False)
    only_archived = serializers.BooleanField(required=False, default=False)


class CustomerReply(serializers.Serializer):
    id = serializers.UUIDField()
    external_id = serializers.CharField(help_text="The first alias, or the id.")
    ingest_aliases = texts()
    name = serializers.CharField()
    custom_fields = text_map()


class CustomerConfigReply(serializers.Serializer):
    salesforce_account_id = serializers.CharField(required=False)


class BillableStatusReply(serializers.Serializer):
    value = serializers.ChoiceField(["billable"])


class CustomerDetailReply(CustomerReply):
    customer_config = CustomerConfigReply()
    current_billable_status = BillableStatusReply()
    created_at = InstantField()
    updated_at = InstantField()
    archived_at = InstantField(required=False)
