"""What the views of invoicing share."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.http import HttpResponse
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request

from billing_site.foundation import cursors
from billing_site.foundation.refusals import Refusal
from contracts.transactions import no_such_customer
from invoicing.services.printing import Pdf

Row = TypeVar("Row")


class InvoicingView(GenericAPIView):
    """A read. Lists page by cursors of their own, as drafts are not rows."""

    required_scope = "read"
    pagination_class: Any = None
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
    rows: Sequence[Row],
    asked: Mapping[str, Any],
    id_of: Callable[[Row], UUID],
    is_listed: Callable[[Row], bool],
    *,
    cursor: str,
) -> tuple[list[Row], str | None]:
    """One page of what is listed of rows that are at hand in a fixed order: what follows the row that the cursor names,
    whether or not that one is still listed."""
    start = 0
    if cursor in asked:
        [after] = cursors.decode(asked[cursor], length=1, field=cursor)
        places = [index for index, row in enumerate(rows) if str(id_of(row)) == after]
        if not places:
            raise Refusal.of(cursor, asked[cursor], "must be a cursor from an earlier page of the same list")
        start = places[0] + 1
    listed = [row for row in rows[start:] if is_listed(row)]
    page = listed[: asked["limit"]]
    return page, cursors.encode(id_of(page[-1])) if len(page) < len(listed) else None
