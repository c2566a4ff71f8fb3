from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation import cursors
from billing_site.foundation.refusals import Refusal
from pricing import queries, services
from pricing.presentation import added_rate_json, id_json, price_row
from pricing.serializers.common import IdReply, enveloped, given
from pricing.serializers.rates import (
    AddedRateReply,
    PageQuery,
    PriceRowReply,
    RateAdd,
    RateAddMany,
    RateList,
    RateSchedule,
    RateScheduleReply,
)
from pricing.views.base import PricingView, PricingWrite


class AddRate(PricingWrite):
    serializer_class = RateAdd

    @extend_schema(summary="Add a rate to a rate card", responses={200: enveloped(AddedRateReply)})
    def post(self, request: Request) -> Response:
        sent = given(self.read(request))
        rate = services.add_rate(sent.pop("rate_card_id"), services.NewRate(**sent), **self.told(request))
        return Response({"data": added_rate_json(rate)})


class AddRates(PricingWrite):
    serializer_class = RateAddMany

    @extend_schema(summary="Add many rates to a rate card, all or none", responses={200: enveloped(IdReply)})
    def post(self, request: Request) -> Response:
        sent = self.read(request)
        rates = [services.NewRate(**given(rate)) for rate in sent["rates"]]
        services.add_rates(sent["rate_card_id"], rates, **self.told(request))
        return Response(id_json(sent["rate_card_id"]))


class ListRates(PricingView):
    serializer_class = RateList
    ordering = queries.KEY

    @extend_schema(summary="List the rates in force at an instant", responses=PriceRowReply(many=True))
    def post(self, request: Request) -> Response:
        sent = self.read(request)
        at, card = sent["at"], queries.rate_card(sent["rate_card_id"], field="rate_card_id")
        known = self.known(sent)
        keys = queries.keys_priced_at(card, selectors(sent), at=at, at_publication=known)
        segments = queries.rates_in_force(card, self.paginate_queryset(keys) or [], at=at, at_publication=known)
        return self.get_paginated_response([price_row(segment) for segment in segments])


class GetRateSchedule(PricingView):
    serializer_class = RateSchedule

    @extend_schema(
        summary="List the rates in force over a range, each from its start to its end",
        parameters=[PageQuery],
        responses=RateScheduleReply,
    )
    def post(self, request: Request) -> Response:
        sent = given(self.read(request))
        query = PageQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        segments, last = queries.rate_schedule(
            queries.rate_card(sent["rate_card_id"], field="rate_card_id"),
            selectors(sent),
            starting_at=sent["starting_at"],
            ending_before=sent.get("ending_before"),
            after=_position(query.validated_data.get("next_page")),
            limit=query.validated_data["limit"],
            at_publication=self.known(sent),
        )
        rows = [price_row(segment) for segment in segments]
        return Response({"data": rows, "next_page": cursors.encode(*last) if last else None})


def selectors(sent: dict[str, Any]) -> list[queries.Selector]:
    return [queries.Selector(**given(selector)) for selector in sent.get("selectors") or []]


def _position(cursor: str | None) -> list[Any] | None:
    if not cursor:
        return None
    position = cursors.decode(cursor, length=len(queries.KEY) + 1)
    try:
        UUID(position[0])
        "".join(position)
    except (TypeError, ValueError, AttributeError) as error:
        raise Refusal.of("next_page", cursor, "must be a cursor from an earlier page of the same list") from error
    return position
