"""Invoices of usage that was invoiced elsewhere."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.fields import CodeField, InstantField, NumberField, TextField, text_map
from invoicing.presentation import invoice_json
from invoicing.serializers import InvoiceReply
from invoicing.services.historical import create_historical_invoices, preview_historical_invoices
from invoicing.services.historical_checks import (
    BILLABLE,
    GRANULARITIES,
    PastInvoiceInput,
    PastLineInput,
    SubtotalInput,
)
from invoicing.views.base import InvoicingView
from pricing.serializers.common import OPTIONAL, InputShape


class SubtotalShape(InputShape):
    becomes = SubtotalInput

    inclusive_start_date = InstantField(help_text="On the hour.")
    exclusive_end_date = InstantField(help_text="On the hour.")
    quantity = NumberField()


class PastLineShape(InputShape):
    becomes = PastLineInput

    product_id = serializers.UUIDField(help_text="A USAGE product.")
    inclusive_start_date = InstantField(help_text="On the hour.")
    exclusive_end_date = InstantField(help_text="On the hour.")
    quantity = NumberField(help_text="Or subtotals_with_quantity.", **OPTIONAL)
    subtotals_with_quantity = SubtotalShape(many=True, help_text="In order; each at its own price.", **OPTIONAL)
    pricing_group_values = text_map(**OPTIONAL)
    presentation_group_values = text_map(**OPTIONAL)


class PastInvoiceShape(InputShape):
    becomes = PastInvoiceInput

    customer_id = serializers.UUIDField()
    contract_id = serializers.UUIDField()
    credit_type_id = serializers.UUIDField(help_text="The rate card's unit.")
    inclusive_start_date = InstantField(help_text="On the hour.")
    exclusive_end_date = InstantField(help_text="On the hour, and not after usage begins to be invoiced here.")
    issue_date = InstantField(help_text="When it was issued elsewhere.")
    usage_line_items = PastLineShape(many=True)
    breakdown_granularity = CodeField(tuple(GRANULARITIES), help_text="How long each subtotal is.", **OPTIONAL)
    billable_status = TextField(help_text=f"One of {', '.join(BILLABLE)}.", **OPTIONAL)
    custom_fields = text_map(help_text="Of the invoice.", **OPTIONAL)


class HistoricalInvoicesRequest(serializers.Serializer):
    invoices = PastInvoiceShape(many=True)
    preview = serializers.BooleanField(help_text="Whether nothing is to be made, only shown.")


class HistoricalInvoicesReply(serializers.Serializer):
    data = InvoiceReply(many=True)  # type: ignore[assignment]  # a field, whatever Serializer.data is


class CreateHistoricalInvoices(InvoicingView):
    serializer_class = HistoricalInvoicesRequest
    required_scope = "admin"

    @extend_schema(
        summary="Import usage that was invoiced elsewhere, as final invoices",
        description="All of them or none. What is there already, word for word, is not made again.",
        responses={200: HistoricalInvoicesReply},
    )
    def post(self, request: Request) -> Response:
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        given, at = body.validated_data["invoices"], clock.now()
        shown = (
            preview_historical_invoices(given, at=at)
            if body.validated_data["preview"]
            else create_historical_invoices(given, at=at, by=Actor.of(request))
        )
        return Response({"data": [invoice_json(each) for each in shown]})
