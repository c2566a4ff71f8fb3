"""Telling what became of a payment that access to a commit waits for."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.fields import CodeField, InstantField, TextField
from billing_site.foundation.periods import format_instant
from contracts.models import PaymentOutcome
from invoicing import services
from invoicing.views.base import InvoicingView
from pricing.serializers.common import OPTIONAL, enveloped

Outcome = PaymentOutcome.Outcome


class ReleaseRequest(serializers.Serializer):
    workflow_id = serializers.UUIDField(help_text="Of the commit's payment_gate_config.")
    outcome = CodeField(Outcome.values, help_text="paid or failed; the first answer stays.")
    reason = TextField(help_text="Why; kept with the edit.", **OPTIONAL)


class ReleaseReply(serializers.Serializer):
    workflow_id = serializers.UUIDField()
    outcome = serializers.ChoiceField([each.lower() for each in Outcome.values])
    recorded_at = InstantField()


class ReleasePayment(InvoicingView):
    serializer_class = ReleaseRequest
    required_scope = "admin"

    @extend_schema(
        summary="Tell what became of the payment for a commit",
        description="paid: its access opens, from the beginning of this hour on. failed: its invoice is voided, and it "
        "never opens. The first answer stays; telling it again changes nothing.",
        responses={200: enveloped(ReleaseReply)},
    )
    def post(self, request: Request) -> Response:
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        sent = body.validated_data
        workflow_id, outcome = sent["workflow_id"], Outcome(sent["outcome"])
        told = services.record_outcome(
            services.customer_of_payment(workflow_id),
            workflow_id,
            outcome,
            reason=sent.get("reason") or f"Payment {outcome.label}, told through the API",
            at=clock.now(),
            by=Actor.of(request),
        )
        reply = {
            "workflow_id": str(told.gate_id),
            "outcome": told.outcome.lower(),
            "recorded_at": format_instant(told.created_at),
        }
        return Response({"data": reply})
