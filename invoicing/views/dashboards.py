"""Addresses of dashboards for other sites."""

from django.http import HttpRequest
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from contracts.queries import customer
from contracts.views.base import refuse_foreign
from invoicing.dashboard_inputs import EmbeddableUrlReply, EmbeddableUrlRequest, to_embed
from invoicing.embedding import DASHBOARDS, signed
from invoicing.views.base import InvoicingView
from pricing.serializers.common import enveloped


class GetEmbeddableUrl(InvoicingView):
    """Whoever may read a customer may pass on to look at it, for an hour."""

    serializer_class = EmbeddableUrlRequest
    allows_customer_token = True

    @extend_schema(
        summary="Get an address of a customer's dashboard for an iframe",
        description="It needs no cookie and holds for an hour. Sites that may frame it are set with the server.",
        responses={200: enveloped(EmbeddableUrlReply)},
    )
    def post(self, request: Request) -> Response:
        sent = self.get_serializer(data=request.data)
        sent.is_valid(raise_exception=True)
        customer_id = sent.validated_data["customer_id"]
        refuse_foreign(request, customer_id)
        customer(customer_id)
        embed = to_embed(sent.validated_data)
        plain: HttpRequest = request._request
        address = reverse("embed", args=[signed(embed), DASHBOARDS[embed.dashboard]])
        return Response({"data": {"url": plain.build_absolute_uri(address)}})
