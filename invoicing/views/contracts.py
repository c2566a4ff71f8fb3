"""Contracts and balances, whose amounts only this app knows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation import clock, cursors
from billing_site.foundation.refusals import Refusal
from contracts.commit_presentation import commit_json
from contracts.presentation import contract_json
from contracts.queries import Agreement
from contracts.queries.customers import no_such_contract
from contracts.serializers.replies import CommitReply, ContractReply
from contracts.terms import QUANTITY, UNITS, ledger_name
from invoicing.presentation import movement_json
from invoicing.queries.balances import Balance, agreements_with_balances, balances, net_balance
from invoicing.queries.documents import refuse_unknown
from invoicing.queries.movements import Movement, left
from invoicing.serializers import (
    BalanceListRequest,
    ContractGetRequest,
    ContractListRequest,
    NetBalanceReply,
    NetBalanceRequest,
)
from invoicing.views.base import BodyView
from pricing.queries import unit
from pricing.serializers.common import enveloped, page_of
from pricing.units import USD_ID


class GetContract(BodyView):
    serializer_class = ContractGetRequest

    @extend_schema(summary="Read a contract", responses={200: enveloped(ContractReply)})
    def post(self, request: Request) -> Response:
        asked = self.read(request)
        if "as_of_date" in asked and asked.get("include_ledgers"):
            raise Refusal.of("as_of_date", asked["as_of_date"].isoformat(), "cannot be combined with include_ledgers")
        found, moved = agreements_with_balances(
            asked["customer_id"],
            at=clock.now(),
            contract_ids=[asked["contract_id"]],
            as_of=asked.get("as_of_date"),
            with_balances=_wants_balances(asked),
        )
        if not found:
            raise no_such_contract(asked["contract_id"])
        return Response({"data": contract_json(found[0], balances=_balance_fields(moved, asked))})


class ListContracts(BodyView):
    serializer_class = ContractListRequest

    @extend_schema(summary="List a customer's contracts", responses={200: page_of(ContractReply, cursor="cursor")})
    def post(self, request: Request) -> Response:
        asked = self.read(request)
        if "covering_date" in asked and "starting_at" in asked:
            raise Refusal.of("covering_date", asked["covering_date"].isoformat(), "cannot be combined with starting_at")
        refuse_unknown(asked["customer_id"])
        found, moved = agreements_with_balances(
            asked["customer_id"], at=clock.now(), with_balances=_wants_balances(asked)
        )
        wanted = [agreed for agreed in found if _is_wanted(agreed, asked)]
        page, cursor = _page(wanted, asked, lambda agreed: agreed.contract.pk, cursor="cursor")
        fields = _balance_fields(moved, asked)
        return Response({"data": [contract_json(agreed, balances=fields) for agreed in page], "cursor": cursor})


class ListBalances(BodyView):
    serializer_class = BalanceListRequest

    @extend_schema(
        summary="List a customer's commits and credits, with balances and ledgers",
        responses={200: page_of(CommitReply)},
    )
    def post(self, request: Request) -> Response:
        asked = self.read(request)
        held = balances(asked["customer_id"], at=clock.now(), as_of=asked.get("as_of"))
        wanted = [balance for balance in held if _is_listed(balance, asked)]
        page, cursor = _page(wanted, asked, lambda balance: balance.committed.commit.pk, cursor="next_page")
        moved = {balance.committed.commit.pk: balance.movements for balance in page}
        fields = _balance_fields(moved, asked)
        return Response(
            {"data": [commit_json(balance.committed, balances=fields) for balance in page], "next_page": cursor}
        )


class GetNetBalance(BodyView):
    serializer_class = NetBalanceRequest

    @extend_schema(
        summary="What is left of a customer's balances, in one unit", responses={200: enveloped(NetBalanceReply)}
    )
    def post(self, request: Request) -> Response:
        asked = self.read(request)
        unit_id = _unit_asked_for(asked)
        matched = [
            balance
            for balance in balances(asked["customer_id"], at=clock.now(), as_of=asked.get("as_of"))
            if balance.contract.archived_at is None
            and any(_matches(balance, one) for one in asked.get("filters") or [{}])
        ]
        drafts_too = asked.get("invoice_inclusion_mode", "FINALIZED_AND_DRAFT") == "FINALIZED_AND_DRAFT"
        amount = net_balance(matched, unit_id=unit_id, with_drafts=drafts_too)
        return Response({"data": {"balance": amount, "credit_type_id": unit_id or UNITS.id}})


def _unit_asked_for(asked: Mapping[str, Any]) -> UUID | None:
    """None: units of what is sold. Raises Refusal."""
    if asked.get("access_type") != QUANTITY:
        return unit(asked.get("credit_type_id", USD_ID)).pk
    if "credit_type_id" in asked:
        raise Refusal.of("credit_type_id", asked["credit_type_id"], "cannot be combined with QUANTITY")
    return None


def _wants_balances(asked: Mapping[str, Any]) -> bool:
    return bool(asked.get("include_balance") or asked.get("include_ledgers"))


def _balance_fields(moved: Mapping[UUID, Sequence[Movement]], asked: Mapping[str, Any]) -> dict[UUID, dict[str, Any]]:
    """What joins each commit's shape: its balance and ledger, where they were asked for."""
    fields: dict[UUID, dict[str, Any]] = {}
    for commit_id, movements in moved.items():
        fields[commit_id] = {}
        if asked.get("include_balance"):
            fields[commit_id]["balance"] = left(movements)
        if asked.get("include_ledgers"):
            fields[commit_id]["ledger"] = [movement_json(movement) for movement in movements]
    return fields


def _is_wanted(agreed: Agreement, asked: Mapping[str, Any]) -> bool:
    contract, end = agreed.contract, agreed.terms.ending_before
    covering: datetime | None = asked.get("covering_date")
    earliest: datetime | None = asked.get("starting_at")
    return (
        (contract.archived_at is None or bool(asked.get("include_archived")))
        and (covering is None or (contract.starting_at <= covering and (end is None or covering < end)))
        and (earliest is None or contract.starting_at >= earliest)
    )


def _is_listed(balance: Balance, asked: Mapping[str, Any]) -> bool:
    commit, segments = balance.committed.commit, balance.committed.segments
    covering, since, before = (asked.get(name) for name in ("covering_date", "starting_at", "effective_before"))
    return (
        bool(asked.get("include_contract_balances"))  # a customer's own commits are still to come
        and asked.get("access_type") in (None, commit.access_type)
        and asked.get("id") in (None, commit.pk)
        and (balance.contract.archived_at is None or bool(asked.get("include_archived")))
        and (covering is None or any(each.starting_at <= covering < each.ending_before for each in segments))
        and (since is None or any(each.ending_before > since for each in segments))
        and (before is None or any(each.starting_at < before for each in segments))
        and not (asked.get("exclude_zero_balances") and balance.amount == 0)
    )


def _matches(balance: Balance, condition: Mapping[str, Any]) -> bool:
    """All conditions of one filter; one that is empty or absent asks for nothing."""
    commit = balance.committed.commit
    types, ids, customs = (condition.get(name) for name in ("balance_types", "ids", "custom_fields"))
    return (
        (not types or ledger_name(commit.type) in types)
        and (not ids or commit.pk in ids)
        and (not customs or customs.items() <= commit.custom_fields.items())
    )


def _page(rows: Sequence[Any], asked: Mapping[str, Any], id_of: Any, *, cursor: str) -> tuple[list[Any], str | None]:
    """One page of a list that is at hand in a fixed order: what follows the row that the cursor names."""
    start = 0
    if cursor in asked:
        [after] = cursors.decode(asked[cursor], length=1, field=cursor)
        places = [index for index, row in enumerate(rows) if str(id_of(row)) == after]
        if not places:
            raise Refusal.of(cursor, asked[cursor], "must be a cursor from an earlier page of the same list")
        start = places[0] + 1
    page = list(rows[start : start + asked["limit"]])
    more = start + len(page) < len(rows)
    return page, cursors.encode(id_of(page[-1])) if more else None
