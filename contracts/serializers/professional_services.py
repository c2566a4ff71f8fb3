"""Requests about professional services."""

from rest_framework import serializers

from billing_site.foundation.fields import InstantField, NumberField, TextField, text_map
from contracts import service_inputs
from contracts.serializers.terms import BLANK
from pricing.serializers.common import OPTIONAL, InputShape, plain


class ServiceShape(InputShape):
    becomes = service_inputs.ServiceInput

    product_id = serializers.UUIDField(help_text="A PRO_SERVICE product, which names the bill line.")
    quantity = NumberField()
    unit_price = NumberField()
    max_amount = NumberField(help_text="No more of it is ever invoiced.")
    description = TextField(**BLANK)
    custom_fields = text_map(**OPTIONAL)
    netsuite_sales_order_id = TextField(**BLANK)


class ServiceLineShape(InputShape):
    becomes = service_inputs.ServiceLineInput

    professional_service_id = serializers.UUIDField()
    amendment_id = serializers.UUIDField(
        help_text="Of the amendment that added the service, where one did.", **OPTIONAL
    )
    amount = NumberField(help_text="Or a quantity.", **OPTIONAL)
    quantity = NumberField(**OPTIONAL)
    unit_price = NumberField(help_text="Beside a quantity: instead of the price of the service.", **OPTIONAL)
    metadata = TextField(help_text="Kept and shown on the line.", **BLANK)
    netsuite_invoice_billing_start = InstantField(**OPTIONAL)
    netsuite_invoice_billing_end = InstantField(**OPTIONAL)


class ServicesInvoiceRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    contract_id = serializers.UUIDField()
    issued_at = InstantField(help_text="When the invoice is final and due; any instant.")
    line_items = ServiceLineShape(many=True)
    netsuite_invoice_header_start = InstantField(**OPTIONAL)
    netsuite_invoice_header_end = InstantField(**OPTIONAL)

    def to_input(self) -> service_inputs.ServiceInvoiceInput:
        sent = plain(self.validated_data)
        del sent["customer_id"], sent["contract_id"]
        return service_inputs.ServiceInvoiceInput(**sent)


class TakeBackServicesInvoiceRequest(serializers.Serializer):
    customer_id = serializers.UUIDField()
    invoice_id = serializers.UUIDField(help_text="Of the draft.")
    reason = TextField(help_text="Why; kept with the edit.", **BLANK)
