from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pricing import queries, services
from pricing.presentation import named_value_json
from pricing.serializers.common import given
from pricing.serializers.named_schedules import SCHEDULE_REPLY, NamedScheduleGet, NamedScheduleUpdate
from pricing.views.base import PricingView, PricingWrite


class GetNamedSchedule(PricingView):
    serializer_class = NamedScheduleGet

    @extend_schema(
        summary="Read a named schedule of a rate card",
        responses={200: SCHEDULE_REPLY},
    )
    def post(self, request: Request) -> Response:
        sent = given(self.read(request))
        card = queries.rate_card(sent["rate_card_id"], field="rate_card_id")
        values = queries.named_schedule(
            card, sent["schedule_name"], covering=sent.get("covering_date"), at_publication=self.known(sent)
        )
        return Response({"data": [named_value_json(value) for value in values]})


class UpdateNamedSchedule(PricingWrite):
    serializer_class = NamedScheduleUpdate

    @extend_schema(summary="Write a named schedule of a rate card over a range", responses={200: None})
    def post(self, request: Request) -> Response:
        services.update_named_schedule(**self.read(request), **self.told(request))
        return Response()
