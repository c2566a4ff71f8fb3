"""What is done to a contract together with what was billed under it."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from contracts.serializers.contracts import ArchiveContractRequest
from invoicing import services
from invoicing.views.base import InvoicingView
from pricing.serializers.common import IdReply, enveloped


class ArchiveContract(InvoicingView):
    serializer_class = ArchiveContractRequest
    required_scope = "admin"

    @extend_schema(
        summary="Archive a contract",
        description="Nothing more is billed under it. Refused as a whole where an invoice cannot be voided.",
        responses={200: enveloped(IdReply)},
    )
    def post(self, request: Request) -> Response:
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        sent = body.validated_data
        contract = services.archive_contract(
            sent["customer_id"],
            sent["contract_id"],
            void_invoices=sent["void_invoices"],
            at=clock.now(),
            by=Actor.of(request),
        )
        return Response({"data": {"id": contract.pk}})
