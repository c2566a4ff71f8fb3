"""Correcting events: a new fact under the identity of the old one."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from ledger.presentation import correction_json
from ledger.serializers import AmendRequest, CorrectionReply, VoidRequest
from ledger.services.corrections import amend_event, void_event


class CorrectionView(GenericAPIView):
    required_scope = "admin"
    pagination_class = None

    def read(self, request: Request) -> dict[str, Any]:
        """The body in the view's shape; null counts as left out. Raises ValidationError."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        sent = {name: value for name, value in serializer.validated_data.items() if value is not None}
        return {
            "transaction_id": sent.pop("transaction_id"),
            "subject": sent.pop("customer_id", None),
            "at": clock.now(),
            "by": Actor.of(request),
            **sent,
        }


class VoidEvent(CorrectionView):
    """Take an event back: from now on it counts nothing, in whatever it was measured by.

    The event itself stays, and so does its transaction id: sent again, it is a repeat. Voiding twice changes nothing.
    """

    serializer_class = VoidRequest

    @extend_schema(summary="Take an event back", responses=CorrectionReply)
    def post(self, request: Request) -> Response:
        sent = self.read(request)
        return Response({"data": correction_json(void_event(sent.pop("transaction_id"), **sent))})


class AmendEvent(CorrectionView):
    """Let an event say something else under the same identity, from now on.

    Every metric that measured the event counts the new content instead. Saying the same again changes nothing.
    """

    serializer_class = AmendRequest

    @extend_schema(summary="Amend an event", responses=CorrectionReply)
    def post(self, request: Request) -> Response:
        sent = self.read(request)
        return Response({"data": correction_json(amend_event(sent.pop("transaction_id"), **sent))})
