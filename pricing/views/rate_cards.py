from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pricing import queries, services
from pricing.presentation import id_json, rate_card_json
from pricing.serializers.common import IdReply, IdRequest, enveloped, given
from pricing.serializers.rate_cards import (
    ProductOrderSet,
    ProductOrderUpdate,
    RateCardCreate,
    RateCardGet,
    RateCardReply,
    RateCardUpdate,
)
from pricing.views.base import PricingView, PricingWrite

CONVERSIONS = ("credit_type_conversions", "add_credit_type_conversions")


class CreateRateCard(PricingWrite):
    serializer_class = RateCardCreate

    @extend_schema(summary="Create a rate card", responses={200: enveloped(IdReply)})
    def post(self, request: Request) -> Response:
        card = services.create_rate_card(**_facts(given(self.read(request))), **self.told(request))
        return Response(id_json(card.id))


class UpdateRateCard(PricingWrite):
    serializer_class = RateCardUpdate

    @extend_schema(
        summary="Rename a rate card, give it more names, add conversions", responses={200: enveloped(IdReply)}
    )
    def post(self, request: Request) -> Response:
        card = services.update_rate_card(**_facts(given(self.read(request))), **self.told(request))
        return Response(id_json(card.id))


class SetProductOrder(PricingWrite):
    serializer_class = ProductOrderSet

    @extend_schema(summary="Order the products of a rate card on invoices", responses={200: enveloped(IdReply)})
    def post(self, request: Request) -> Response:
        sent = self.read(request)
        card = services.set_product_order(sent["rate_card_id"], sent["product_order"], **self.told(request))
        return Response(id_json(card.id))


class MoveProducts(PricingWrite):
    serializer_class = ProductOrderUpdate

    @extend_schema(summary="Move products of a rate card on invoices", responses={200: enveloped(IdReply)})
    def post(self, request: Request) -> Response:
        sent = self.read(request)
        moves = [services.ProductMove(**move) for move in sent["product_moves"]]
        card = services.move_products(sent["rate_card_id"], moves, **self.told(request))
        return Response(id_json(card.id))


class GetRateCard(PricingView):
    serializer_class = RateCardGet

    @extend_schema(summary="Read a rate card, without its rates", responses={200: enveloped(RateCardReply)})
    def post(self, request: Request) -> Response:
        sent = self.read(request)
        card, known = queries.rate_card(sent["id"]), self.known(sent)
        aliases = queries.alias_segments([card.id], at_publication=known)[card.id]
        conversions = queries.conversions_of_cards([card.id], at_publication=known)[card.id]
        return Response({"data": rate_card_json(card, aliases, conversions)})


class ListRateCards(PricingView):
    serializer_class = RateCardReply

    @extend_schema(summary="List rate cards", request=None, responses=RateCardReply(many=True))
    def post(self, request: Request) -> Response:
        page = self.paginate_queryset(queries.rate_cards()) or []
        ids = [card.id for card in page]
        aliases, conversions = queries.alias_segments(ids), queries.conversions_of_cards(ids)
        return self.get_paginated_response(
            [rate_card_json(card, aliases[card.id], conversions[card.id]) for card in page]
        )


class ArchiveRateCard(PricingWrite):
    serializer_class = IdRequest

    @extend_schema(summary="Archive a rate card", responses={200: enveloped(IdReply)})
    def post(self, request: Request) -> Response:
        card = services.archive_rate_card(self.read(request)["id"], **self.told(request))
        return Response(id_json(card.id))


def _facts(sent: dict[str, Any]) -> dict[str, Any]:
    """What was sent, with aliases and conversions as the services take them."""
    made = {"aliases": services.Alias} | dict.fromkeys(CONVERSIONS, services.CreditTypeConversion)
    return sent | {field: [fact(**one) for one in sent[field]] for field, fact in made.items() if field in sent}
