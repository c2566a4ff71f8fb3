from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pricing import queries, services
from pricing.presentation import id_json, rate_card_json
from pricing.serializers.common import IdReply, IdRequest, enveloped, given
from pricing.serializers.rate_cards import RateCardCreate, RateCardReply
from pricing.views.base import PricingView, PricingWrite


class CreateRateCard(PricingWrite):
    serializer_class = RateCardCreate

    @extend_schema(summary="Create a rate card", responses={200: enveloped(IdReply)})
    def post(self, request: Request) -> Response:
        sent = given(self.read(request))
        aliases = [services.Alias(**alias) for alias in sent.pop("aliases", [])]
        card = services.create_rate_card(**sent, aliases=aliases, **self.told(request))
        return Response(id_json(card.id))


class GetRateCard(PricingView):
    serializer_class = IdRequest

    @extend_schema(summary="Read a rate card, without its rates", responses={200: enveloped(RateCardReply)})
    def post(self, request: Request) -> Response:
        card = queries.rate_card(self.read(request)["id"])
        aliases = queries.alias_segments([card.id])
        return Response({"data": rate_card_json(card, aliases[card.id])})


class ListRateCards(PricingView):
    serializer_class = RateCardReply

    @extend_schema(summary="List rate cards", request=None, responses=RateCardReply(many=True))
    def post(self, request: Request) -> Response:
        page = self.paginate_queryset(queries.rate_cards()) or []
        aliases = queries.alias_segments([card.id for card in page])
        return self.get_paginated_response([rate_card_json(card, aliases[card.id]) for card in page])


class ArchiveRateCard(PricingWrite):
    serializer_class = IdRequest

    @extend_schema(summary="Archive a rate card", responses={200: enveloped(IdReply)})
    def post(self, request: Request) -> Response:
        card = services.archive_rate_card(self.read(request)["id"], **self.told(request))
        return Response(id_json(card.id))
