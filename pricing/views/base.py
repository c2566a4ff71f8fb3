from typing import Any

from rest_framework.generics import GenericAPIView
from rest_framework.request import Request

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from pricing import queries


class PricingView(GenericAPIView):
    """A view over the price list. `required_scope` says which tokens may use it."""

    required_scope = "read"

    def sent(self, request: Request) -> Any:
        """The request's body in the view's serializer, checked for shape. Raises ValidationError."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return serializer

    def read(self, request: Request) -> dict[str, Any]:
        """The checked values of the request's body. Raises ValidationError."""
        return self.sent(request).validated_data

    def told(self, request: Request) -> dict[str, Any]:
        """When and by whom, for the service behind the view."""
        return {"at": clock.now(), "by": Actor.of(request)}

    def known(self, sent: dict[str, Any]) -> int | None:
        """The publication that `as_of` in the checked values means; None where it is not given. Raises Refusal."""
        as_of = sent.get("as_of")
        return None if as_of is None else queries.publication_as_of(as_of, at=clock.now())


class PricingWrite(PricingView):
    required_scope = "admin"
