from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.refusals import Refusal
from contracts import queries
from contracts.queries import no_such_customer
from contracts.serializers.unsupported import Known, refuse_unsupported


class ContractsView(GenericAPIView):
    """A view over customers and contracts. `required_scope` says which tokens may use it."""

    required_scope = "read"
    unsupported: Known = {}

    def read(self, request: Request) -> Any:
        """The request's body in the view's shape. Raises NotSupported, ValidationError."""
        if isinstance(request.data, Mapping):
            refuse_unsupported(request.data, self.unsupported)
        serializer: serializers.BaseSerializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return serializer

    def told(self, request: Request) -> dict[str, Any]:
        """When and by whom, for the service behind the view."""
        return {"at": clock.now(), "by": Actor.of(request)}

    def known(self, sent: dict[str, Any]) -> queries.Known:
        """What was known at `as_of` in the checked values, or is now where it is not given. Raises Refusal."""
        as_of = sent.get("as_of")
        return queries.Known() if as_of is None else queries.known_at(sent["customer_id"], as_of, at=clock.now())


@contextmanager
def called(name: Callable[[str], str]) -> Iterator[None]:
    """What is refused inside is refused by the names that this call has for the fields."""
    try:
        yield
    except Refusal as refusal:
        raise refusal.renamed(name) from refusal


def refuse_foreign(request: Request, customer_id: UUID) -> None:
    """A token bound to a customer sees no other: raises NotFound, as for one that does not exist."""
    bound_to = bound_customer(request)
    if bound_to is not None and bound_to != customer_id:
        raise no_such_customer(customer_id)


def bound_customer(request: Request) -> UUID | None:
    """The customer that the request's token is bound to."""
    return getattr(request.auth, "customer_id", None)
