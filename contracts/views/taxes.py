"""Our own: which tax rates there are, and which codes products have."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from contracts import services
from contracts.models import ProductTaxCode, TaxRate
from contracts.party_presentation import tax_code_json, tax_rate_json
from contracts.serializers.parties import (
    ListTaxRatesRequest,
    SetTaxCodeRequest,
    TaxCodeReply,
    TaxRateReply,
    stated,
)
from contracts.views.base import ContractsView
from pricing.serializers.common import enveloped


class ListTaxRates(ContractsView):
    serializer_class = ListTaxRatesRequest
    ordering = ("tax_code", "country", "starting_at", "id")

    @extend_schema(summary="List tax rates, of all times", responses=TaxRateReply(many=True))
    def post(self, request: Request) -> Response:
        asked = {name: value for name, value in self.read(request).validated_data.items() if value is not None}
        page = self.paginate_queryset(TaxRate.objects.filter(**asked)) or []
        return self.get_paginated_response([tax_rate_json(rate) for rate in page])


class ListTaxCodes(ContractsView):
    serializer_class = TaxCodeReply
    ordering = ("tax_code", "id")

    @extend_schema(
        summary="List the products that have a tax code of their own", request=None, responses=TaxCodeReply(many=True)
    )
    def post(self, request: Request) -> Response:
        page = self.paginate_queryset(ProductTaxCode.objects.exclude(tax_code="")) or []
        return self.get_paginated_response([tax_code_json(code) for code in page])


class SetTaxCode(ContractsView):
    serializer_class = SetTaxCodeRequest
    required_scope = "admin"

    @extend_schema(
        summary="Say by which code a product is taxed; final documents keep their tax",
        responses={200: enveloped(TaxCodeReply)},
    )
    def post(self, request: Request) -> Response:
        sent = stated(self.read(request).validated_data)
        code = services.set_tax_code(
            sent["product_id"], sent["tax_code"], reason=sent.get("reason", ""), **self.told(request)
        )
        return Response({"data": tax_code_json(code)})
