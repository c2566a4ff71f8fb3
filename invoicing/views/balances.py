"""Commits and credits with what is left of them: lists, and the sum over all of them."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.refusals import Refusal
from contracts.commit_presentation import commit_json
from contracts.serializers.replies import CommitReply
from contracts.terms import QUANTITY, UNITS, ledger_name
from invoicing.balance_serializers import (
    BalanceListRequest,
    CommitListRequest,
    CreditListRequest,
    ManualEntryRequest,
    NetBalanceReply,
    NetBalanceRequest,
)
from invoicing.presentation import movement_json
from invoicing.queries.balances import Balance, balances, net_balance
from invoicing.queries.statements import Statement
from invoicing.services.manual_entries import add_manual_entry
from invoicing.views.base import BodyView, InvoicingView, page_of_rows
from pricing.queries import unit
from pricing.serializers.common import enveloped, page_of
from pricing.units import USD_ID

COMMITS = page_of(CommitReply)


@extend_schema(summary="List a customer's commits and credits, with balances and ledgers", responses={200: COMMITS})
class ListBalances(BodyView):
    """The customer's own, and those of its contracts where they are asked for."""

    serializer_class: type[Serializer] = BalanceListRequest
    id_field: ClassVar[str] = "id"
    contracts_too: ClassVar[str] = "include_contract_balances"

    def post(self, request: Request) -> Response:
        asked = self.read(request)
        found = balances(asked["customer_id"], at=clock.now(), as_of=asked.get("as_of"))
        page, cursor = page_of_rows(
            found,
            asked,
            lambda balance: balance.committed.commit.pk,
            lambda balance: self.is_of_kind(balance) and self._is_listed(balance, asked),
            cursor="next_page",
        )
        fields = balance_fields({balance.committed.commit.pk: balance.statement for balance in page}, asked)
        return Response(
            {"data": [commit_json(balance.committed, balances=fields) for balance in page], "next_page": cursor}
        )

    def is_of_kind(self, balance: Balance) -> bool:
        return True

    def _is_listed(self, balance: Balance, asked: Mapping[str, Any]) -> bool:
        commit, segments = balance.committed.commit, balance.committed.segments
        covering, since, before = (asked.get(name) for name in ("covering_date", "starting_at", "effective_before"))
        return (
            (balance.contract is None or bool(asked.get(self.contracts_too)))
            and asked.get("access_type") in (None, commit.access_type)
            and asked.get(self.id_field) in (None, commit.pk)
            and (not balance.is_archived or bool(asked.get("include_archived")))
            and (covering is None or any(each.starting_at <= covering < each.ending_before for each in segments))
            and (since is None or any(each.ending_before > since for each in segments))
            and (before is None or any(each.starting_at < before for each in segments))
            and not (asked.get("exclude_zero_balances") and balance.statement.left == 0)
        )


@extend_schema(summary="List a customer's commits", responses={200: COMMITS})
class ListCommits(ListBalances):
    serializer_class = CommitListRequest
    id_field = "commit_id"
    contracts_too = "include_contract_commits"

    def is_of_kind(self, balance: Balance) -> bool:
        return not balance.committed.commit.is_credit


@extend_schema(summary="List a customer's credits", responses={200: COMMITS})
class ListCredits(ListBalances):
    serializer_class = CreditListRequest
    id_field = "credit_id"
    contracts_too = "include_contract_credits"

    def is_of_kind(self, balance: Balance) -> bool:
        return balance.committed.commit.is_credit


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
            if not balance.is_archived and any(_matches(balance, one) for one in asked.get("filters") or [{}])
        ]
        drafts_too = asked.get("invoice_inclusion_mode", "FINALIZED_AND_DRAFT") == "FINALIZED_AND_DRAFT"
        amount = net_balance(matched, unit_id=unit_id, with_drafts=drafts_too)
        return Response({"data": {"balance": amount, "credit_type_id": unit_id or UNITS.id}})


class AddManualBalanceEntry(InvoicingView):
    serializer_class = ManualEntryRequest
    required_scope = "admin"

    @extend_schema(summary="Add to a commit or credit by hand, or take from it", responses={200: None})
    def post(self, request: Request) -> Response:
        sent = ManualEntryRequest(data=request.data)
        sent.is_valid(raise_exception=True)
        customer_id = sent.validated_data["customer_id"]
        add_manual_entry(customer_id, sent.to_input(), at=clock.now(), by=Actor.of(request))
        return Response()


def _unit_asked_for(asked: Mapping[str, Any]) -> UUID | None:
    """None: units of what is sold. Raises Refusal."""
    if asked.get("access_type") != QUANTITY:
        return unit(asked.get("credit_type_id", USD_ID)).pk
    if "credit_type_id" in asked:
        raise Refusal.of("credit_type_id", asked["credit_type_id"], "cannot be combined with QUANTITY")
    return None


def balance_fields(found: Mapping[UUID, Statement], asked: Mapping[str, Any]) -> dict[UUID, dict[str, Any]]:
    """What joins each commit's shape: its balance and ledger, where they were asked for."""
    fields: dict[UUID, dict[str, Any]] = {}
    for commit_id, statement in found.items():
        fields[commit_id] = {}
        if asked.get("include_balance"):
            fields[commit_id]["balance"] = statement.left
        if asked.get("include_ledgers"):
            fields[commit_id]["ledger"] = [movement_json(movement) for movement in statement.movements]
    return fields


def _matches(balance: Balance, condition: Mapping[str, Any]) -> bool:
    """All conditions of one filter; one that is empty or absent asks for nothing."""
    commit = balance.committed.commit
    types, ids, customs = (condition.get(name) for name in ("balance_types", "ids", "custom_fields"))
    return (
        (not types or ledger_name(commit.type) in types)
        and (not ids or commit.pk in ids)
        and (not customs or customs.items() <= commit.custom_fields.items())
    )
