"""Invoices of professional services, shown as the documents that they are."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from contracts import services
from contracts.serializers.professional_services import ServicesInvoiceRequest, TakeBackServicesInvoiceRequest
from contracts.services.service_invoices import no_such_services_invoice
from invoicing.engine.calendar import CHARGES, draft_id
from invoicing.presentation import invoice_json
from invoicing.queries.documents import document
from invoicing.serializers import InvoiceReply
from invoicing.views.base import InvoicingView
from pricing.serializers.common import IdReply, enveloped


class ServicesInvoiceReply(serializers.Serializer):
    data = InvoiceReply(many=True)  # type: ignore[assignment]  # a field, whatever Serializer.data is


class ScheduleServicesInvoice(InvoicingView):
    serializer_class = ServicesInvoiceRequest
    required_scope = "admin"

    @extend_schema(
        summary="Invoice work of a contract's professional services",
        description="No more of a service than its max_amount, over all of its invoices.",
        responses={200: ServicesInvoiceReply},
    )
    def post(self, request: Request) -> Response:
        body = ServicesInvoiceRequest(data=request.data)
        body.is_valid(raise_exception=True)
        customer_id, contract_id = body.validated_data["customer_id"], body.validated_data["contract_id"]
        at = clock.now()
        invoice = services.schedule_services_invoice(
            customer_id, contract_id, body.to_input(), at=at, by=Actor.of(request)
        )
        shown = document(customer_id, draft_id(contract_id, CHARGES, invoice.to_invoice(()).slot), at=at)
        return Response({"data": [invoice_json(shown)]})


class TakeBackServicesInvoice(InvoicingView):
    serializer_class = TakeBackServicesInvoiceRequest
    required_scope = "admin"

    @extend_schema(
        summary="Take an invoice of professional services back before its date has come",
        description="What has fallen due is voided instead.",
        responses={200: enveloped(IdReply)},
    )
    def post(self, request: Request) -> Response:
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        sent, at = body.validated_data, clock.now()
        shown = document(sent["customer_id"], sent["invoice_id"], at=at)
        _, _, owner = shown.slot.partition(" ")
        if not owner:
            raise no_such_services_invoice(shown.id)
        services.take_back_services_invoice(
            sent["customer_id"], UUID(owner), reason=sent.get("reason", ""), at=at, by=Actor.of(request)
        )
        return Response({"data": {"id": shown.id}})
