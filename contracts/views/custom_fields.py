from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation.custom_fields import listed_keys
from contracts import services
from contracts.serializers.custom_fields import (
    AddKeyRequest,
    DeleteValuesRequest,
    KeyReply,
    KeyRequest,
    ListKeysRequest,
    SetValuesRequest,
)
from contracts.views.base import ContractsView


class AddKey(ContractsView):
    serializer_class = AddKeyRequest
    required_scope = "admin"

    @extend_schema(summary="Declare a key of custom fields", responses={200: None})
    def post(self, request: Request) -> Response:
        services.declare_key(**self.read(request).validated_data, **self.told(request))
        return Response()


class ListKeys(ContractsView):
    serializer_class = ListKeysRequest

    @extend_schema(summary="List the declared keys of custom fields", responses=KeyReply(many=True))
    def post(self, request: Request) -> Response:
        keys = self.paginate_queryset(listed_keys(self.read(request).validated_data.get("entities"))) or []
        return self.get_paginated_response(
            [{"entity": row.entity, "key": row.key, "enforce_uniqueness": row.enforce_uniqueness} for row in keys]
        )


class RemoveKey(ContractsView):
    serializer_class = KeyRequest
    required_scope = "admin"

    @extend_schema(summary="Remove a key of custom fields, with its values", responses={200: None})
    def post(self, request: Request) -> Response:
        services.remove_key(**self.read(request).validated_data, **self.told(request))
        return Response()


class SetValues(ContractsView):
    serializer_class = SetValuesRequest
    required_scope = "admin"

    @extend_schema(summary="Set custom fields of one entity", responses={200: None})
    def post(self, request: Request) -> Response:
        sent = self.read(request).validated_data
        services.set_values(sent["entity"], sent["entity_id"], sent["custom_fields"], **self.told(request))
        return Response()


class DeleteValues(ContractsView):
    serializer_class = DeleteValuesRequest
    required_scope = "admin"

    @extend_schema(summary="Delete custom fields of one entity", responses={200: None})
    def post(self, request: Request) -> Response:
        sent = self.read(request).validated_data
        services.delete_values(sent["entity"], sent["entity_id"], sent["keys"], **self.told(request))
        return Response()
