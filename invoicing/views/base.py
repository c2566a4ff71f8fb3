"""What the views of invoicing share."""

from typing import Any
from uuid import UUID

from rest_framework.generics import GenericAPIView
from rest_framework.request import Request

from contracts.transactions import no_such_customer


class InvoicingView(GenericAPIView):
    """A read. Lists page by cursors of their own, as drafts are not rows."""

    required_scope = "read"
    pagination_class = None
    filter_backends: list[Any] = []


class BodyView(InvoicingView):
    """A read whose body names the customer. A token bound to a customer sees that one; any other looks missing."""

    allows_customer_token = True

    def read(self, request: Request) -> dict[str, Any]:
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        sent = {name: value for name, value in body.validated_data.items() if value is not None}
        bound_to = getattr(request.auth, "customer_id", None)
        if bound_to is not None and sent["customer_id"] != UUID(str(bound_to)):
            raise no_such_customer(sent["customer_id"])
        return sent
