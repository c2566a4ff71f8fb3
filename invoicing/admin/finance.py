"""The CFO's page: realised prices, like customers that pay differently, revenue, what is open; each as a sheet."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from billing_site.foundation import clock
from billing_site.foundation.display import instant_text
from invoicing.finance.price_months import (
    PRICE_MONTH_COLUMNS,
    price_month_charts,
    price_month_sheet,
    price_month_tables,
)
from invoicing.finance.prices import (
    REALISED_COLUMNS,
    SIMILAR_COLUMNS,
    realised_sheet,
    realised_table,
    shown_comparables,
    shown_paid,
    similar_sheet,
    similar_table,
)
from invoicing.finance.reading import SPANS, Asked, Books, read_books
from invoicing.finance.revenue import PRODUCT, REVENUE_COLUMNS, SEGMENT, charts_of, revenue_sheet, revenue_tables
from invoicing.finance.standing import STANDING_COLUMNS, standing_charts, standing_sheet, standing_table
from invoicing.finance.tables import sheet_lines
from invoicing.queries.price_makers import price_makers
from invoicing.queries.summaries import oldest_summary

NEEDED = ("invoicing.view_invoice", "invoicing.view_draftsummary", "contracts.view_contract")
SHEETS: Mapping[str, tuple[Sequence[str], Callable[[Books], Iterator[Sequence[str]]]]] = {
    "prices": (REALISED_COLUMNS, realised_sheet),
    "price-months": (PRICE_MONTH_COLUMNS, price_month_sheet),
    "similar": (SIMILAR_COLUMNS, similar_sheet),
    "revenue": (REVENUE_COLUMNS, revenue_sheet),
    "standing": (STANDING_COLUMNS, standing_sheet),
}


class FinancePage:
    """What the admin of commitments has besides its list."""

    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("finance/", view(self.finance_view), name="invoicing_finance"),
            path("finance/<slug:name>.csv", view(self.finance_sheet_view), name="invoicing_finance_csv"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def finance_view(self, request: HttpRequest) -> HttpResponse:
        """GET with `months`, `segment` (a custom field key of customers) and `by` (product or segment). What is none of
        these is as if it were not said."""
        _check(request)
        at, by = clock.now(), request.GET.get("by", PRODUCT)
        by = by if by in (PRODUCT, SEGMENT) else PRODUCT
        books = read_books(_asked(request), at=at)
        groups = shown_comparables(books)
        pairs = {(paid.customer_id, group.product_id) for group in groups for paid in shown_paid(group)}
        makers = price_makers(pairs, books.asked.months(at))
        summarized = oldest_summary()
        context = {
            **self.admin_site.each_context(request),
            "title": "Finance",
            "asked": books.asked,
            "by": by,
            "spans": SPANS,
            "keys": books.keys,
            "as_of": instant_text(summarized) if summarized else "",
            "standing": standing_table(books),
            "revenue": revenue_tables(books, by),
            "charts": charts_of(books, by),
            "standing_charts": standing_charts(books),
            "price_months": price_month_tables(books),
            "price_charts": price_month_charts(books),
            "prices": realised_table(books),
            "similar": similar_table(books, groups, makers),
            "sheets": {name.replace("-", "_"): _sheet_url(name, books.asked) for name in SHEETS},
        }
        return TemplateResponse(request, "admin/invoicing/finance/page.html", context)

    def finance_sheet_view(self, request: HttpRequest, name: str) -> StreamingHttpResponse:
        """GET, asked like the page: every row of one of its tables."""
        _check(request)
        if name not in SHEETS:
            raise Http404("There is no such sheet.")
        at = clock.now()
        columns, rows = SHEETS[name]
        books = read_books(_asked(request), at=at)
        return StreamingHttpResponse(
            sheet_lines(columns, rows(books)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}-{at:%Y-%m-%d}.csv"'},
        )


def _check(request: HttpRequest) -> None:
    if not request.user.has_perms(NEEDED):
        raise PermissionDenied


def _asked(request: HttpRequest) -> Asked:
    span = request.GET.get("months", "")
    segment = request.GET.get("segment", "")
    return Asked(int(span) if span in map(str, SPANS) else Asked().span, segment.replace("\0", ""))


def _sheet_url(name: str, asked: Asked) -> str:
    query = urlencode({"months": asked.span, "segment": asked.segment})
    return f"{reverse('admin:invoicing_finance_csv', args=[name])}?{query}"
