"""Lists by keyset: a page begins after the last row of the one before, so none is skipped or seen twice."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation import cursors
from billing_site.foundation.refusals import Refusal

MAX_LIMIT = 100


class KeysetPagination(BasePagination):
    """`limit` and `next_page` in the query string (on POST lists too), `next_page` beside `data` in the reply.

    A view may set `ordering` (default: created_at, id); its last column is unique and nothing in it is null.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        ordering = getattr(view, "ordering", ("created_at", "id"))
        limit = page_size(request.query_params.get("limit"))
        if cursor := request.query_params.get("next_page"):
            try:
                queryset = queryset.filter(_after(ordering, cursors.decode(cursor, length=len(ordering))))
            except (ValidationError, ValueError, TypeError) as error:
                raise cursors.foreign(cursor) from error
        rows = list(queryset.order_by(*ordering)[: limit + 1])
        self.next_page = None
        if len(rows) > limit:
            rows = rows[:limit]
            self.next_page = cursors.encode(*(_position(rows[-1], name) for name in ordering))
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"data": data, "next_page": self.next_page})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["data"],
            "properties": {
                "data": schema,
                "next_page": {"type": ["string", "null"], "description": "Send it back to get the next page."},
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}},
            {"name": "next_page", "in": "query", "schema": {"type": "string"}},
        ]


def page_size(given: Any, *, default: int = MAX_LIMIT, maximum: int = MAX_LIMIT) -> int:
    """How many rows a page has: a whole number from 1 to `maximum`; 20.0 counts as whole."""
    if given in (None, ""):
        return default
    try:
        number = Decimal(str(given))
        if number == number.to_integral_value() and 1 <= number <= maximum:
            return int(number)
    except InvalidOperation:
        pass
    raise Refusal.of("limit", given, f"must be a whole number from 1 to {maximum}")


def _position(row: Any, column: str) -> Any:
    value = getattr(row, column.lstrip("-"))
    return value.isoformat() if hasattr(value, "isoformat") else value


def _after(ordering: tuple[str, ...], position: list[Any]) -> Q:
    """Rows that follow `position`: the first column that differs decides."""
    later = Q(pk__in=[])
    equal: dict[str, Any] = {}
    for column, value in zip(ordering, position, strict=True):
        name = column.lstrip("-")
        comparison = "lt" if column.startswith("-") else "gt"
        later |= Q(**equal, **{f"{name}__{comparison}": value})
        equal[name] = value
    return later
