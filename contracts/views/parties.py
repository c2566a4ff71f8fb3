"""Our own: who sells, and who is billed."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from contracts import queries, services
from contracts.party_presentation import billing_profile_json, legal_entity_json
from contracts.serializers.parties import (
    BillingProfileReply,
    BillingProfileRequest,
    LegalEntityReply,
    LegalEntityRequest,
    stated,
)
from contracts.views.base import ContractsView
from pricing.serializers.common import enveloped


class GetLegalEntity(ContractsView):
    serializer_class = LegalEntityReply

    @extend_schema(
        summary="Get who sells; null until it was said, and documents are usage statements until then",
        responses={200: enveloped(LegalEntityReply)},
    )
    def get(self, request: Request) -> Response:
        entity = queries.legal_entity()
        return Response({"data": None if entity is None else legal_entity_json(entity)})


class SetLegalEntity(ContractsView):
    serializer_class = LegalEntityRequest
    required_scope = "admin"

    @extend_schema(
        summary="Say who sells: what is absent stays as it is, null empties. Final documents stay",
        responses={200: enveloped(LegalEntityReply)},
    )
    def post(self, request: Request) -> Response:
        sent = stated(self.read(request).validated_data)
        reason = sent.pop("reason", "")
        return Response(
            {"data": legal_entity_json(services.set_legal_entity(sent, reason=reason, **self.told(request)))}
        )


class GetBillingProfile(ContractsView):
    serializer_class = BillingProfileReply

    @extend_schema(summary="Get how a customer is billed", responses={200: enveloped(BillingProfileReply)})
    def get(self, request: Request, customer_id: str) -> Response:
        customer = queries.customer(customer_id)
        return Response({"data": billing_profile_json(customer.pk, queries.billing_profile(customer.pk))})


class SetBillingProfile(ContractsView):
    serializer_class = BillingProfileRequest
    required_scope = "admin"

    @extend_schema(
        summary="Say how a customer is billed: what is absent stays as it is, null empties. Final documents stay",
        responses={200: enveloped(BillingProfileReply)},
    )
    def post(self, request: Request, customer_id: str) -> Response:
        sent = stated(self.read(request).validated_data)
        reason = sent.pop("reason", "")
        customer = queries.customer(customer_id)
        profile = services.set_billing_profile(customer, sent, reason=reason, **self.told(request))
        return Response({"data": billing_profile_json(customer.pk, profile)})
