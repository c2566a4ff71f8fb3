from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation import clock
from billing_site.foundation.transactions import read_snapshot
from contracts import queries, services
from contracts.first_presentation import created_contract_json
from contracts.inputs import EditInput
from contracts.models import ContractEdit
from contracts.presentation import contract_price_json, edit_json
from contracts.serializers.contract_prices import ContractPriceReply
from contracts.serializers.contracts import (
    AmendContractRequest,
    ContractRateScheduleRequest,
    ContractRequest,
    CreateContractRequest,
    EditContractRequest,
    SetUsageFilterRequest,
    UndoEditRequest,
    UpdateEndDateRequest,
)
from contracts.serializers.edit_replies import EditedReply, EditHistoryReply
from contracts.serializers.replies import CreatedContractReply
from contracts.serializers.unsupported import AMEND_CONTRACT, CREATE_CONTRACT, EDIT_CONTRACT
from contracts.services.edit_changes import FILTERS
from contracts.services.endings import FIELD as END
from contracts.views.base import ContractsView, called, refuse_foreign
from pricing.queries import KEY, Selector, keys_priced_at, rate_card
from pricing.serializers.common import IdReply, enveloped, given


class CreateContract(ContractsView):
    serializer_class = CreateContractRequest
    required_scope = "admin"
    unsupported = CREATE_CONTRACT

    @extend_schema(summary="Create a contract", responses={200: enveloped(CreatedContractReply)})
    def post(self, request: Request) -> Response:
        sent = self.read(request)
        customer_id = sent.validated_data["customer_id"]
        contract = services.create_contract(customer_id, sent.to_input(), **self.told(request))
        with read_snapshot():
            agreed = queries.agreement(customer_id, contract.pk)
            shown = created_contract_json(queries.with_granted(agreed, at=contract.created_at), at=contract.created_at)
        return Response({"data": {"id": str(contract.pk), "contract": shown}})


class EditContract(ContractsView):
    serializer_class = EditContractRequest
    required_scope = "admin"
    unsupported = EDIT_CONTRACT

    @extend_schema(summary="Change the terms of a contract by one atomic edit", responses={200: enveloped(EditedReply)})
    def post(self, request: Request) -> Response:
        sent = self.read(request)
        customer_id, contract_id = sent.validated_data["customer_id"], sent.validated_data["contract_id"]
        edit = services.edit_contract(customer_id, contract_id, sent.to_input(), **self.told(request))
        return _edited(customer_id, contract_id, edit)


class UndoEdit(ContractsView):
    serializer_class = UndoEditRequest
    required_scope = "admin"

    @extend_schema(
        summary="Undo an edit of a contract by a new edit",
        description="What it added is taken out, overrides that it took out are agreed again, and the name, the end "
        "and the net terms are what they were. An edit that changed balances is undone by hand.",
        responses={200: enveloped(EditedReply)},
    )
    def post(self, request: Request) -> Response:
        sent = self.read(request).validated_data
        customer_id, contract_id = sent["customer_id"], sent["contract_id"]
        edit = services.undo_edit(
            customer_id, contract_id, sent["edit_id"], reason=sent.get("reason") or "", **self.told(request)
        )
        return _edited(customer_id, contract_id, edit)


class AmendContract(ContractsView):
    serializer_class = AmendContractRequest
    required_scope = "admin"
    unsupported = AMEND_CONTRACT

    @extend_schema(
        summary="Amend a contract",
        description="One atomic edit that adds terms, which the first version's shape lists among the amendments.",
        responses={200: enveloped(IdReply)},
    )
    def post(self, request: Request) -> Response:
        sent = self.read(request)
        customer_id, contract_id = sent.validated_data["customer_id"], sent.validated_data["contract_id"]
        edit = services.edit_contract(customer_id, contract_id, sent.to_input(), **self.told(request))
        return Response({"data": {"id": str(edit.pk)}})


class SetUsageFilter(ContractsView):
    serializer_class = SetUsageFilterRequest
    required_scope = "admin"

    @extend_schema(
        summary="Say which usage is a contract's from a date on",
        description="Contracts of one customer may overlap where their filters keep them apart.",
        responses={200: None},
    )
    def post(self, request: Request) -> Response:
        sent = self.read(request)
        customer_id, contract_id = sent.validated_data["customer_id"], sent.validated_data["contract_id"]
        with called(lambda field: field.removeprefix(f"{FILTERS}[0].")):
            services.edit_contract(customer_id, contract_id, sent.to_input(), **self.told(request))
        return Response()


class UpdateEndDate(ContractsView):
    serializer_class = UpdateEndDateRequest
    required_scope = "admin"

    @extend_schema(
        summary="Let a contract end earlier, later or never",
        description="An edit like any other: a shorter term drops access to balances and scheduled charges after its "
        "end. Final invoices do not change, so what is billed by them cannot be cut off.",
        responses={200: enveloped(IdReply)},
    )
    def post(self, request: Request) -> Response:
        sent = self.read(request).validated_data
        given = EditInput(update_contract_end_date=sent.get("ending_before"))
        with called(lambda field: "ending_before" if field == END else field):
            services.edit_contract(sent["customer_id"], sent["contract_id"], given, **self.told(request))
        return Response({"data": {"id": str(sent["contract_id"])}})


class GetEditHistory(ContractsView):
    serializer_class = ContractRequest
    allows_customer_token = True
    pagination_class = None

    @extend_schema(summary="List the edits of a contract", responses=EditHistoryReply)
    def post(self, request: Request) -> Response:
        sent = self.read(request).validated_data
        customer_id, contract_id = sent["customer_id"], sent["contract_id"]
        refuse_foreign(request, customer_id)
        with read_snapshot():
            queries.agreement(customer_id, contract_id)
            edits = queries.edit_history(customer_id, contract_id)
        return Response({"data": [edit_json(edited) for edited in edits]})


class GetContractRateSchedule(ContractsView):
    serializer_class = ContractRateScheduleRequest
    allows_customer_token = True
    ordering = KEY

    @extend_schema(
        summary="List the prices of a contract at an instant: list price beside override",
        responses=ContractPriceReply(many=True),
    )
    def post(self, request: Request) -> Response:
        sent = self.read(request).validated_data
        refuse_foreign(request, sent["customer_id"])
        at = sent.get("at") or clock.now()
        selectors = [Selector(**given(selector)) for selector in sent.get("selectors") or []]
        with read_snapshot():
            known = self.known(sent)
            agreed = queries.agreement(sent["customer_id"], sent["contract_id"], at_edit=known.at_edit)
            if agreed.contract.rate_card_id is None:
                return Response({"data": [], "next_page": None})
            card = rate_card(agreed.contract.rate_card_id)
            keys = (
                self.paginate_queryset(keys_priced_at(card, selectors, at=at, at_publication=known.at_publication))
                or []
            )
            prices = queries.contract_prices(
                queries.to_terms(agreed), card, keys, at=at, at_publication=known.at_publication
            )
        return self.get_paginated_response([contract_price_json(price) for price in prices])


def _edited(customer_id: UUID, contract_id: UUID, edit: ContractEdit) -> Response:
    with read_snapshot():
        (edited,) = queries.edit_history(customer_id, contract_id, edit_id=edit.pk)
    return Response({"data": {"id": str(edit.pk), "edit": edit_json(edited)}})
