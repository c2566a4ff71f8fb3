from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pricing import queries, services
from pricing.presentation import id_json, unit_json
from pricing.serializers.common import IdReply, IdRequest, enveloped
from pricing.serializers.units import UnitCreate, UnitReply
from pricing.views.base import PricingView, PricingWrite


class CreateUnit(PricingWrite):
    serializer_class = UnitCreate

    @extend_schema(summary="Create a custom pricing unit", responses={200: enveloped(IdReply)})
    def post(self, request: Request) -> Response:
        unit = services.create_pricing_unit(**self.read(request), **self.told(request))
        return Response(id_json(unit.id))


class ListUnits(PricingView):
    serializer_class = UnitReply

    @extend_schema(summary="List currencies and custom pricing units", responses=UnitReply(many=True))
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(queries.units()) or []
        return self.get_paginated_response([unit_json(unit) for unit in page])


class ArchiveUnit(PricingWrite):
    serializer_class = IdRequest

    @extend_schema(summary="Archive a custom pricing unit", responses={200: enveloped(IdReply)})
    def post(self, request: Request) -> Response:
        unit = services.archive_pricing_unit(self.read(request)["id"], **self.told(request))
        return Response(id_json(unit.id))
