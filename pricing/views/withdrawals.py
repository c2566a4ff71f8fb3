from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pricing import queries, services
from pricing.serializers.common import enveloped, given
from pricing.serializers.withdrawals import RateWithdraw, WithdrawalReply
from pricing.views.base import PricingWrite


class WithdrawRates(PricingWrite):
    serializer_class = RateWithdraw

    @extend_schema(
        summary="Take published rates back: what they superseded holds again",
        responses={200: enveloped(WithdrawalReply)},
    )
    def post(self, request: Request) -> Response:
        sent = given(self.read(request))
        card = queries.rate_card(sent.pop("rate_card_id"), field="rate_card_id")
        publication = services.withdraw_rates(sent.pop("rate_ids"), of_card=card, **sent, **self.told(request))
        return Response({"data": {"id": str(card.pk), "publication": publication.number}})
