"""What the views of invoicing share."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request

from billing_site.foundation import cursors
from billing_site.foundation.refusals import Refusal
from contracts.transactions import no_such_customer
from invoicing.services.printing import Pdf


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


def pdf_response(pdf: Pdf) -> HttpResponse:
    """To be looked at in the browser, and saved under its name."""
    response = HttpResponse(pdf.content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{pdf.name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def page_of_rows(
    rows: Sequence[Any], asked: Mapping[str, Any], id_of: Any, *, cursor: str
) -> tuple[list[Any], str | None]:
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
