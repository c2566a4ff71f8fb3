from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation import clock, cursors
from billing_site.foundation.periods import earliest, format_instant, parse_instant
from billing_site.foundation.refusals import Refusal
from billing_site.foundation.transactions import read_snapshot
from contracts import queries
from contracts.queries import HeldQuantity
from contracts.serializers.subscription_replies import QuantityHistoryReply, SeatsReply
from contracts.serializers.subscriptions import SeatsHistoryRequest, SubscriptionRequest
from contracts.subscription_presentation import quantity_history_json, seats_json
from contracts.views.base import ContractsView, refuse_foreign
from pricing.serializers.common import enveloped, given, page_of

MOST_A_PAGE = 10


class GetQuantityHistory(ContractsView):
    serializer_class = SubscriptionRequest
    allows_customer_token = True
    pagination_class = None

    @extend_schema(
        summary="List how many there were of a subscription, and at what price",
        responses={200: enveloped(QuantityHistoryReply)},
    )
    def post(self, request: Request) -> Response:
        sent = self.read(request).validated_data
        refuse_foreign(request, sent["customer_id"])
        with read_snapshot():
            agreed = queries.agreement(sent["customer_id"], sent["contract_id"])
            found = queries.quantity_history(agreed, sent["subscription_id"], at=clock.now())
        custom = {} if found.custom is None else {"custom_credit_type_id": str(found.custom.id)}
        shown = {
            "subscription_id": str(sent["subscription_id"]),
            "fiat_credit_type_id": str(found.fiat.id),
            "history": quantity_history_json(found.steps),
        }
        return Response({"data": shown | custom})


class GetSeatsHistory(ContractsView):
    serializer_class = SeatsHistoryRequest
    allows_customer_token = True
    pagination_class = None

    @extend_schema(
        summary="List the seats of a subscription over time: who had one, and how many there were",
        responses={200: page_of(SeatsReply)},
    )
    def post(self, request: Request) -> Response:
        sent = given(self.read(request).validated_data)
        refuse_foreign(request, sent["customer_id"])
        if "covering_date" in sent and ("starting_at" in sent or "ending_before" in sent):
            rule = "cannot be combined with starting_at or ending_before"
            raise Refusal.of("covering_date", sent["covering_date"].isoformat(), rule)
        with read_snapshot():
            agreed = queries.agreement(sent["customer_id"], sent["contract_id"])
        found = queries.subscription_of(agreed, sent["subscription_id"])
        ends = earliest(found.terms.ending_before, agreed.terms.ending_before)
        after = None
        if "cursor" in sent:
            [after] = cursors.decode(sent["cursor"], length=1, field="cursor")
            try:
                after = parse_instant(str(after))
            except ValueError as error:
                raise cursors.foreign(sent["cursor"], "cursor") from error
        listed = [
            each
            for each in queries.held_quantities(found, ends)
            if _is_wanted(each, sent) and (after is None or each.period.starting_at > after)
        ]
        limit = sent.get("limit", MOST_A_PAGE)
        page = listed[:limit]
        more = len(listed) > len(page)
        next_page = cursors.encode(format_instant(page[-1].period.starting_at)) if more else None
        return Response({"data": [seats_json(each) for each in page], "next_page": next_page})


def _is_wanted(held: HeldQuantity, sent: dict[str, Any]) -> bool:
    period = held.period
    covering, start, end = sent.get("covering_date"), sent.get("starting_at"), sent.get("ending_before")
    return (
        (covering is None or covering in period)
        and (start is None or period.ending_before is None or period.ending_before > start)
        and (end is None or period.starting_at < end)
    )
