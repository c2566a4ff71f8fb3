from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation.transactions import read_snapshot
from contracts import queries, services
from contracts.models import Customer
from contracts.presentation import customer_detail_json, customer_json
from contracts.serializers.customers import (
    CreateCustomerRequest,
    CustomerDetailReply,
    CustomerReply,
    ListCustomersQuery,
    SetAliasesRequest,
    SetNameRequest,
    UpdateConfigRequest,
)
from contracts.serializers.unsupported import CREATE_CUSTOMER, UPDATE_CONFIG
from contracts.views.base import ContractsView, bound_customer
from pricing.presentation import id_json
from pricing.serializers.common import IdReply, IdRequest, enveloped


class Customers(ContractsView):
    serializer_class = CreateCustomerRequest
    unsupported = CREATE_CUSTOMER
    allows_customer_token = True

    @property
    def required_scope(self) -> str:  # type: ignore[override]
        return "admin" if self.request.method == "POST" else "read"

    @extend_schema(
        summary="List customers",
        parameters=[
            OpenApiParameter("customer_ids", str, description="Up to 100 ids, joined by commas."),
            OpenApiParameter("ingest_alias", str),
            OpenApiParameter("salesforce_account_ids", str, description="Up to 100 ids, joined by commas."),
            OpenApiParameter("only_archived", bool),
        ],
        responses=CustomerDetailReply(many=True),
    )
    def get(self, request: Request) -> Response:
        query = ListCustomersQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        sent = query.validated_data
        with read_snapshot():
            found = queries.customers(
                ids=sent.get("customer_ids"),
                ingest_alias=sent.get("ingest_alias", ""),
                salesforce_account_ids=sent.get("salesforce_account_ids"),
                only_archived=sent["only_archived"],
            )
            if bound_to := bound_customer(request):
                found = found.filter(pk=bound_to)
            page = self.paginate_queryset(found) or []
            aliases = queries.aliases_of([customer.pk for customer in page])
        return self.get_paginated_response([customer_detail_json(customer, aliases[customer.pk]) for customer in page])

    @extend_schema(summary="Create a customer", responses={200: enveloped(CustomerReply)})
    def post(self, request: Request) -> Response:
        sent: dict[str, Any] = self.read(request).validated_data
        aliases = list(sent.get("ingest_aliases") or [])
        if external_id := sent.get("external_id"):
            aliases = [external_id, *aliases]
        customer = services.create_customer(
            sent["name"],
            ingest_aliases=aliases,
            custom_fields=sent.get("custom_fields"),
            billing_providers=sent.get("customer_billing_provider_configurations") or (),
            revenue_systems=sent.get("customer_revenue_system_configurations") or (),
            **self.told(request),
        )
        return _reply(customer)


class OneCustomer(ContractsView):
    serializer_class = CustomerDetailReply

    @extend_schema(summary="Get a customer", responses={200: enveloped(CustomerDetailReply)})
    def get(self, request: Request, customer_id: str) -> Response:
        with read_snapshot():
            customer = queries.customer(customer_id)
            aliases = queries.aliases_of([customer.pk])[customer.pk]
        return Response({"data": customer_detail_json(customer, aliases)})


class SetIngestAliases(ContractsView):
    serializer_class = SetAliasesRequest
    required_scope = "admin"

    @extend_schema(summary="Replace the ingest aliases of a customer", responses={200: None})
    def post(self, request: Request, customer_id: str) -> Response:
        sent = self.read(request).validated_data
        customer = queries.customer(customer_id)
        services.set_ingest_aliases(customer.pk, sent["ingest_aliases"], **self.told(request))
        return Response()


class SetName(ContractsView):
    serializer_class = SetNameRequest
    required_scope = "admin"

    @extend_schema(summary="Rename a customer", responses={200: enveloped(CustomerReply)})
    def post(self, request: Request, customer_id: str) -> Response:
        sent = self.read(request).validated_data
        customer = queries.customer(customer_id)
        return _reply(services.set_name(customer, sent["name"], **self.told(request)))


class UpdateConfig(ContractsView):
    serializer_class = UpdateConfigRequest
    required_scope = "admin"
    unsupported = UPDATE_CONFIG

    @extend_schema(summary="Say what Salesforce calls a customer", responses={200: None})
    def post(self, request: Request, customer_id: str) -> Response:
        sent = self.read(request).validated_data
        customer = queries.customer(customer_id)
        if "salesforce_account_id" in sent:
            services.set_salesforce_account(customer.pk, sent["salesforce_account_id"] or "", **self.told(request))
        return Response()


class ArchiveCustomer(ContractsView):
    serializer_class = IdRequest
    required_scope = "admin"

    @extend_schema(summary="Archive a customer that has no contract", responses={200: enveloped(IdReply)})
    def post(self, request: Request) -> Response:
        customer_id = self.read(request).validated_data["id"]
        return Response(id_json(services.archive_customer(customer_id, **self.told(request)).pk))


def _reply(customer: Customer) -> Response:
    return Response({"data": customer_json(customer, queries.aliases_of([customer.pk])[customer.pk])})
