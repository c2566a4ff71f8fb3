"""Contracts with their balances, whose amounts only this app knows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation import clock
from billing_site.foundation.refusals import Refusal
from billing_site.foundation.transactions import read_snapshot
from contracts.commit_presentation import Fields
from contracts.first_presentation import Balances, first_contract_json
from contracts.presentation import contract_json
from contracts.queries import Agreement, origins
from contracts.queries.customers import no_such_contract
from contracts.serializers.replies import ContractReply, FirstShapeOfContractReply
from invoicing.queries.balances import agreements_with_balances
from invoicing.queries.documents import refuse_unknown
from invoicing.serializers import (
    ContractGetRequest,
    ContractListRequest,
    FirstContractGetRequest,
)
from invoicing.views.balances import balance_fields
from invoicing.views.base import BodyView, page_of_rows
from pricing.serializers.common import enveloped, page_of


class GetContract(BodyView):
    serializer_class = ContractGetRequest

    @extend_schema(summary="Read a contract", responses={200: enveloped(ContractReply)})
    def post(self, request: Request) -> Response:
        asked, at = self.read(request), clock.now()
        if "as_of_date" in asked and asked.get("include_ledgers"):
            raise Refusal.of("as_of_date", asked["as_of_date"].isoformat(), "cannot be combined with include_ledgers")
        found, statements = agreements_with_balances(
            asked["customer_id"],
            at=at,
            contract_ids=[asked["contract_id"]],
            as_of=asked.get("as_of_date"),
            with_balances=_wants_balances(asked),
        )
        if not found:
            raise no_such_contract(asked["contract_id"])
        return Response(
            {
                "data": contract_json(
                    found[0], at=asked.get("as_of_date") or at, balances=balance_fields(statements, asked)
                )
            }
        )


class ListContracts(BodyView):
    serializer_class = ContractListRequest

    @extend_schema(summary="List a customer's contracts", responses={200: page_of(ContractReply, cursor="cursor")})
    def post(self, request: Request) -> Response:
        asked = self.read(request)
        if "covering_date" in asked and "starting_at" in asked:
            raise Refusal.of("covering_date", asked["covering_date"].isoformat(), "cannot be combined with starting_at")
        refuse_unknown(asked["customer_id"])
        at = clock.now()
        found, statements = agreements_with_balances(asked["customer_id"], at=at, with_balances=_wants_balances(asked))
        page, cursor = page_of_rows(
            found, asked, lambda agreed: agreed.contract.pk, lambda agreed: _is_wanted(agreed, asked), cursor="cursor"
        )
        return Response({"data": self.shown(page, balance_fields(statements, asked), at=at), "cursor": cursor})

    def shown(self, page: Sequence[Agreement], balances: Balances, *, at: datetime) -> list[Fields]:
        """The contracts of the page in the shape of the call."""
        return [contract_json(agreed, at=at, balances=balances) for agreed in page]


class GetFirstContract(BodyView):
    serializer_class = FirstContractGetRequest

    @extend_schema(
        summary="Read a contract in the first version's shape: as it was agreed, its amendments, and as it is",
        responses={200: enveloped(FirstShapeOfContractReply)},
    )
    def post(self, request: Request) -> Response:
        asked, at = self.read(request), clock.now()
        with read_snapshot():
            found, statements = agreements_with_balances(
                asked["customer_id"],
                at=at,
                contract_ids=[asked["contract_id"]],
                with_balances=_wants_balances(asked),
            )
            if not found:
                raise no_such_contract(asked["contract_id"])
            [shown] = _in_first_shape(found, balance_fields(statements, asked), at=at)
        return Response({"data": shown})


class ListFirstContracts(ListContracts):
    @extend_schema(
        summary="List a customer's contracts in the first version's shape",
        responses={200: page_of(FirstShapeOfContractReply, cursor="cursor")},
    )
    def post(self, request: Request) -> Response:
        with read_snapshot():
            return super().post(request)

    def shown(self, page: Sequence[Agreement], balances: Balances, *, at: datetime) -> list[Fields]:
        return _in_first_shape(page, balances, at=at)


def _in_first_shape(found: Sequence[Agreement], balances: Balances, *, at: datetime) -> list[Fields]:
    """Read it in the snapshot that `found` is of."""
    if not found:
        return []
    first = origins(found[0].contract.customer_id, [agreed.contract.pk for agreed in found])
    return [first_contract_json(agreed, first[agreed.contract.pk], at=at, balances=balances) for agreed in found]


def _wants_balances(asked: Mapping[str, Any]) -> bool:
    return bool(asked.get("include_balance") or asked.get("include_ledgers"))


def _is_wanted(agreed: Agreement, asked: Mapping[str, Any]) -> bool:
    contract, end = agreed.contract, agreed.terms.ending_before
    covering: datetime | None = asked.get("covering_date")
    earliest: datetime | None = asked.get("starting_at")
    return (
        (contract.archived_at is None or bool(asked.get("include_archived")))
        and (covering is None or (contract.starting_at <= covering and (end is None or covering < end)))
        and (earliest is None or contract.starting_at >= earliest)
    )
