"""The balances of seats."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, takewhile
from typing import Any

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation import clock, cursors
from billing_site.foundation.periods import format_instant
from billing_site.foundation.refusals import Refusal
from invoicing.balance_serializers import SeatBalanceReply, SeatBalancesRequest, SeatPaginationReply
from invoicing.queries.seat_balances import SeatBalance, SeatPart, seat_balances
from invoicing.views.base import BodyView

MOST_PARTS = 100  # commits and credits on a page: the seat that brings this one is its last

PAGE = inline_serializer(
    "SeatBalanceReplyPage", {"data": SeatBalanceReply(many=True), "pagination": SeatPaginationReply()}
)


class ListSeatBalances(BodyView):
    serializer_class = SeatBalancesRequest

    @extend_schema(summary="List what each seat of a contract's subscriptions has of its own", responses={200: PAGE})
    def post(self, request: Request) -> Response:
        asked = self.read(request)
        if "covering_date" in asked and ("starting_at" in asked or "effective_before" in asked):
            rule = "cannot be combined with starting_at or effective_before"
            raise Refusal.of("covering_date", asked["covering_date"].isoformat(), rule)
        found = seat_balances(
            asked["customer_id"],
            asked["contract_id"],
            at=clock.now(),
            subscription_ids=asked.get("subscription_ids"),
        )
        listed = [_narrowed(each, asked) for each in _wanted(found, asked)]
        if "cursor" in asked:
            [after] = cursors.decode(asked["cursor"], length=1, field="cursor")
            listed = [each for each in listed if each.seat_id > str(after)]
        page = listed[: asked["limit"]]
        if asked.get("include_credits_and_commits"):
            before = accumulate((len(each.parts) for each in page), initial=0)
            page = [each for each, _ in takewhile(lambda pair: pair[1] < MOST_PARTS, zip(page, before, strict=False))]
        left = len(listed) - len(page)
        pagination: dict[str, Any] = {"seats_included": len(page), "seats_available_for_next_page": left}
        if left:
            pagination["next_page"] = cursors.encode(page[-1].seat_id)
        return Response({"data": [_json(each, asked) for each in page], "pagination": pagination})


def _wanted(found: Sequence[SeatBalance], asked: Mapping[str, Any]) -> list[SeatBalance]:
    """Raises Refusal for a seat that is asked for and not there."""
    ids = asked.get("seat_ids")
    if not ids:
        return list(found)
    known = {each.seat_id for each in found}
    if not asked.get("skip_missing_seat_ids"):
        for index, seat in enumerate(ids):
            if seat not in known:
                rule = "must be the id of a seat of the subscriptions; skip_missing_seat_ids leaves out others"
                raise Refusal.of(f"seat_ids[{index}]", seat, rule)
    return [each for each in found if each.seat_id in ids]


def _narrowed(balance: SeatBalance, asked: Mapping[str, Any]) -> SeatBalance:
    return replace(balance, parts=tuple(part for part in balance.parts if _is_listed(part, asked)))


def _is_listed(part: SeatPart, asked: Mapping[str, Any]) -> bool:
    covering, since, before = (asked.get(name) for name in ("covering_date", "starting_at", "effective_before"))
    period = part.standing.segment.period
    return (
        (covering is None or covering in period)
        and (since is None or period.ending_before is None or period.ending_before > since)
        and (before is None or period.starting_at < before)
    )


def _json(balance: SeatBalance, asked: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "seat_id": balance.seat_id,
        "balances": [
            {"balance": left, "starting_balance": granted, "credit_type_id": unit_id, "access_type": access_type}
            for unit_id, access_type, granted, left in balance.sums()
        ],
    }
    if asked.get("include_credits_and_commits"):
        with_ledgers = bool(asked.get("include_ledgers"))
        shown["commits"] = list(_parts(balance, is_credit=False, with_ledgers=with_ledgers))
        shown["credits"] = list(_parts(balance, is_credit=True, with_ledgers=with_ledgers))
    return shown


def _parts(balance: SeatBalance, *, is_credit: bool, with_ledgers: bool) -> Iterator[dict[str, Any]]:
    for part in balance.parts:
        if part.commit.is_credit != is_credit:
            continue
        period = part.standing.segment.period
        shown: dict[str, Any] = {
            "id": part.commit.pk,
            "balance": part.left,
            "start_date": format_instant(period.starting_at),
            "access_type": part.commit.access_type,
            "credit_type_id": part.unit_id,
        }
        if period.ending_before is not None:
            shown["end_date"] = format_instant(period.ending_before)
        if with_ledgers:
            shown["ledger_entries"] = [
                {"type": each.type, "amount": each.amount, "timestamp": format_instant(each.timestamp)}
                for each in part.movements
            ]
        yield shown
