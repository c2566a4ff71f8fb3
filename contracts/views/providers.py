from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation.refusals import Refusal
from billing_site.foundation.transactions import read_snapshot
from contracts import queries, services
from contracts.provider_presentation import configuration_json, deliveries_json, set_configuration_json
from contracts.serializers.providers import (
    ArchiveConfigurationsRequest,
    ArchivedConfigurationsReply,
    BillingConfigurationReply,
    GetConfigurationsRequest,
    ListProvidersRequest,
    ProvidersReply,
    SetConfigurationReply,
    SetConfigurationsRequest,
)
from contracts.views.base import ContractsView
from pricing.serializers.common import enveloped


class SetConfigurations(ContractsView):
    serializer_class = SetConfigurationsRequest
    required_scope = "admin"

    @extend_schema(
        summary="Say what customers are called at billing providers; nothing is sent to them",
        responses={200: enveloped(SetConfigurationReply)},
    )
    def post(self, request: Request) -> Response:
        given = self.read(request).validated_data["data"]
        made = services.set_configurations(given, **self.told(request))
        return Response({"data": [set_configuration_json(each) for each in made]})


class GetConfigurations(ContractsView):
    serializer_class = GetConfigurationsRequest

    @extend_schema(
        summary="Get the billing-provider configurations of a customer",
        responses={200: enveloped(BillingConfigurationReply)},
    )
    def post(self, request: Request) -> Response:
        sent = self.read(request).validated_data
        with read_snapshot():
            customer = queries.customer(sent["customer_id"])
            found = queries.billing_configurations(customer.pk, with_archived=bool(sent.get("include_archived")))
            return Response({"data": [configuration_json(each) for each in found]})


class ListProviders(ContractsView):
    serializer_class = ListProvidersRequest

    @extend_schema(
        summary="List the billing providers that configurations may name, with each way to deliver to them",
        responses={200: ProvidersReply},
    )
    def post(self, request: Request) -> Response:
        if cursor := self.read(request).validated_data.get("next_page"):
            raise Refusal.of("next_page", cursor, "must be absent: all are on one page")
        return Response({"data": deliveries_json(), "next_page": None})


class ArchiveConfigurations(ContractsView):
    serializer_class = ArchiveConfigurationsRequest
    required_scope = "admin"

    @extend_schema(
        summary="Archive billing-provider configurations of a customer",
        responses={200: enveloped(ArchivedConfigurationsReply)},
    )
    def post(self, request: Request) -> Response:
        sent = self.read(request).validated_data
        name = "customer_billing_provider_configuration_ids"
        archived = services.archive_configurations(sent["customer_id"], sent[name], **self.told(request))
        return Response({"data": {"customer_id": str(sent["customer_id"]), name: [str(each.pk) for each in archived]}})
