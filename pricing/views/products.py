from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation import clock
from pricing import queries, services
from pricing.presentation import id_json, product_json
from pricing.serializers.common import IdReply, enveloped
from pricing.serializers.products import (
    ProductCreate,
    ProductGet,
    ProductId,
    ProductList,
    ProductReply,
    ProductUpdate,
)
from pricing.views.base import PricingView, PricingWrite


class CreateProduct(PricingWrite):
    serializer_class = ProductCreate

    @extend_schema(summary="Create a product", responses={200: enveloped(IdReply)})
    def post(self, request: Request) -> Response:
        product = services.create_product(**self.sent(request).arguments(), **self.told(request))
        return Response(id_json(product.id))


class UpdateProduct(PricingWrite):
    serializer_class = ProductUpdate

    @extend_schema(summary="Change a product from an instant on", responses={200: enveloped(IdReply)})
    def post(self, request: Request) -> Response:
        sent = self.sent(request).definition()
        product = services.update_product(
            sent.pop("product_id"), starting_at=sent.pop("starting_at"), changes=sent, **self.told(request)
        )
        return Response(id_json(product.id))


class GetProduct(PricingView):
    serializer_class = ProductGet

    @extend_schema(summary="Read a product", responses={200: enveloped(ProductReply)})
    def post(self, request: Request) -> Response:
        sent = self.read(request)
        product = queries.product(sent["id"], at_publication=self.known(sent))
        return Response({"data": product_json(product, at=sent.get("as_of") or clock.now())})


class ListProducts(PricingView):
    serializer_class = ProductList

    @extend_schema(summary="List products", responses=ProductReply(many=True))
    def post(self, request: Request) -> Response:
        sent = self.read(request)
        found = queries.products(archive_filter=sent["archive_filter"], at_publication=self.known(sent))
        page = self.paginate_queryset(found) or []
        at = sent.get("as_of") or clock.now()
        return self.get_paginated_response([product_json(product, at=at) for product in page])


class ArchiveProduct(PricingWrite):
    serializer_class = ProductId

    @extend_schema(summary="Archive a product", responses={200: enveloped(IdReply)})
    def post(self, request: Request) -> Response:
        product = services.archive_product(self.read(request)["product_id"], **self.told(request))
        return Response(id_json(product.id))
