from collections.abc import Collection
from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from contracts import services
from contracts.inputs import EarlierEndInput
from contracts.models import Commit
from contracts.serializers.balances import (
    CommitEndDateRequest,
    CreateCustomerCommitRequest,
    CreateCustomerCreditRequest,
    CreditEndDateRequest,
    EditCommitRequest,
    EditCreditRequest,
)
from contracts.serializers.unsupported import EDIT_BALANCE
from contracts.views.base import ContractsView
from pricing.serializers.common import IdReply, enveloped


class CreateShared(ContractsView):
    required_scope = "admin"

    def post(self, request: Request) -> Response:
        customer_id, given = self.read(request).validated_data
        commit = services.create_shared_commit(customer_id, given, **self.told(request))
        return Response({"data": {"id": commit.pk}})


@extend_schema(summary="Create a commit that contracts share", responses={200: enveloped(IdReply)})
class CreateCustomerCommit(CreateShared):
    serializer_class = CreateCustomerCommitRequest


@extend_schema(summary="Create a credit that contracts share", responses={200: enveloped(IdReply)})
class CreateCustomerCredit(CreateShared):
    serializer_class = CreateCustomerCreditRequest


class EditBalance(ContractsView):
    required_scope = "admin"
    unsupported = EDIT_BALANCE
    types: ClassVar[Collection[str]]

    def post(self, request: Request) -> Response:
        customer_id, given = self.read(request).validated_data
        commit = services.edit_commit(customer_id, given, types=self.types, **self.told(request))
        return Response({"data": {"id": commit.pk}})


@extend_schema(summary="Change a commit", responses={200: enveloped(IdReply)})
class EditCommit(EditBalance):
    serializer_class = EditCommitRequest
    types = services.COMMIT_TYPES


@extend_schema(summary="Change a credit", responses={200: enveloped(IdReply)})
class EditCredit(EditBalance):
    serializer_class = EditCreditRequest
    types = services.CREDIT_TYPES


class EndCommit(ContractsView):
    serializer_class = CommitEndDateRequest
    required_scope = "admin"

    @extend_schema(summary="End a prepaid commit earlier", responses={200: enveloped(IdReply)})
    def post(self, request: Request) -> Response:
        sent = self.read(request)
        customer_id, commit_id = sent.validated_data["customer_id"], sent.validated_data["commit_id"]
        commit = services.end_commit_earlier(
            customer_id, commit_id, sent.to_input(), type_=Commit.Type.PREPAID, **self.told(request)
        )
        return Response({"data": {"id": commit.pk}})


class EndCredit(ContractsView):
    serializer_class = CreditEndDateRequest
    required_scope = "admin"

    @extend_schema(summary="End a credit earlier", responses={200: enveloped(IdReply)})
    def post(self, request: Request) -> Response:
        sent = self.read(request).validated_data
        given = EarlierEndInput(sent["access_ending_before"])
        credit = services.end_commit_earlier(
            sent["customer_id"], sent["credit_id"], given, type_=Commit.Type.CREDIT, **self.told(request)
        )
        return Response({"data": {"id": credit.pk}})
