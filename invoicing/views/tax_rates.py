"""Our own: tax rates, told with what they do not change."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation.periods import Period
from contracts import services
from contracts.models import TaxRate
from contracts.party_presentation import tax_rate_json
from contracts.serializers.parties import ChangeTaxRateRequest, SetTaxRateReply, TaxRateRequest, stated
from contracts.views.base import ContractsView
from invoicing.queries.taxation import taxed_within
from pricing.serializers.common import enveloped


class CreateTaxRate(ContractsView):
    serializer_class = TaxRateRequest
    required_scope = "admin"

    @extend_schema(
        summary="Add a tax rate from an instant on; of several for a code and country the one that began last holds",
        responses={200: enveloped(SetTaxRateReply)},
    )
    def post(self, request: Request) -> Response:
        sent = stated(self.read(request).validated_data)
        reason = sent.pop("reason", "")
        return _reply(services.add_tax_rate(sent, reason=reason, **self.told(request)))


class UpdateTaxRate(ContractsView):
    serializer_class = ChangeTaxRateRequest
    required_scope = "admin"

    @extend_schema(
        summary="Change a tax rate, or end it: what is absent stays as it is. Final documents keep their tax",
        responses={200: enveloped(SetTaxRateReply)},
    )
    def post(self, request: Request) -> Response:
        sent = stated(self.read(request).validated_data)
        rate_id, reason = sent.pop("id"), sent.pop("reason", "")
        return _reply(services.change_tax_rate(rate_id, sent, reason=reason, **self.told(request)))


def _reply(rate: TaxRate) -> Response:
    period = Period(rate.starting_at, rate.ending_before)
    kept: dict[str, Any] = {"final_documents_unchanged": taxed_within(period, country=rate.country)}
    return Response({"data": tax_rate_json(rate) | kept})
