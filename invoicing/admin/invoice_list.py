"""The list of documents as finance reads it: what is filtered, what that comes to in each currency, and all of it as
CSV. What is void is listed, and adds nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import path, reverse

from billing_site.foundation import clock
from billing_site.foundation.display import amount_text, plain_text
from billing_site.foundation.money import Unit, major_amount
from billing_site.foundation.periods import format_instant
from contracts.models import Customer
from invoicing.admin.invoice_filters import FILTERS
from invoicing.finance.tables import sheet_lines
from invoicing.models import Invoice
from pricing.models import PricingUnit
from pricing.sheets.cells import guarded

MOST_WORDS = 6  # of a search
CHUNK = 1_000  # rows read at a time
COLUMNS = (
    *("number", "customer", "customer_id", "kind", "status", "period_start", "period_end", "issued_at", "due_at"),
    *("currency", "subtotal", "tax", "total", "finalized_at", "finalized_by", "contract_id", "invoice_id"),
)


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """What the listed documents of a currency come to, in finished words."""

    currency: str
    documents: str
    void: str
    subtotal: str
    tax: str
    total: str


class InvoicesOfPage(ChangeList):
    """One page, and the totals of all pages."""

    totals: list[CurrencyTotal]
    csv_url: str

    def get_queryset(self, request: HttpRequest, *given: Any, **options: Any) -> QuerySet[Invoice]:
        found: QuerySet[Invoice] = super().get_queryset(request, *given, **options)
        return found.defer("terms", "snapshot")  # large, and in no column

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.totals = totals_of(self.queryset)
        self.csv_url = reverse("admin:invoicing_invoice_csv") + self.get_query_string(remove=["p", "all"])


class FinanceList:
    """What the admin of documents has as a list."""

    admin_site: Any
    has_view_permission: Any
    get_changelist_instance: Any
    list_filter = FILTERS
    list_filter_submit = True
    list_filter_sheet = True
    show_facets = ShowFacets.NEVER  # each choice would be counted over all documents
    list_before_template = "admin/invoicing/invoice/totals.html"
    search_fields = ("number", "customer__name")
    search_help_text = "The beginning of a number, or words of the customer's name."

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return InvoicesOfPage

    def get_search_results(
        self, request: HttpRequest, rows: QuerySet[Invoice], search_term: str
    ) -> tuple[QuerySet[Invoice], bool]:
        """Each word begins the number, or is in the name that the customer has now or had on the document."""
        for word in search_term.replace("\0", "").split()[:MOST_WORDS]:
            named = Customer.objects.filter(name__icontains=word)
            rows = rows.filter(
                Q(number__startswith=word.upper()) | Q(customer__in=named) | Q(customer_name__icontains=word)
            )
        return rows, False

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("csv/", view(self.csv_view), name="invoicing_invoice_csv"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def csv_view(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """GET, with what the list was asked: every document that it lists, in its order."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            found = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse("admin:invoicing_invoice_changelist") + "?e=1")
        rows = found.defer("terms", "snapshot", "details", "document_hash").iterator(CHUNK)
        name = f"invoices-{clock.now():%Y-%m-%d}.csv"
        return StreamingHttpResponse(
            sheet_lines(COLUMNS, map(_cells, rows)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


def totals_of(found: QuerySet[Invoice]) -> list[CurrencyTotal]:
    """By currency. Two queries, however many documents there are."""
    stands = Q(void=None)
    sums = (
        found.order_by()
        .values("unit")
        .annotate(
            documents=Count("pk"),
            void_documents=Count("void"),
            subtotal_sum=Sum("subtotal", filter=stands, default=Decimal(0)),
            total_sum=Sum("total", filter=stands, default=Decimal(0)),
        )
    )
    by_unit = {row["unit"]: row for row in sums}
    units = PricingUnit.objects.filter(pk__in=by_unit).order_by("code", "name")
    return [_total(by_unit[unit.pk], unit.to_unit()) for unit in units]


def _total(row: Mapping[str, Any], unit: Unit) -> CurrencyTotal:
    return CurrencyTotal(
        currency=unit.code or unit.name,
        documents=f"{row['documents']:,}",
        void=f"{row['void_documents']:,} of them void" if row["void_documents"] else "",
        subtotal=amount_text(row["subtotal_sum"], unit),
        tax=amount_text(row["total_sum"] - row["subtotal_sum"], unit),
        total=amount_text(row["total_sum"], unit),
    )


def _cells(invoice: Invoice) -> list[str]:
    unit = invoice.unit.to_unit()
    instants = [invoice.starting_at, invoice.ending_before, invoice.issued_at, invoice.due_at]
    return [
        guarded(invoice.number),
        guarded(invoice.customer.name),
        str(invoice.customer_id),
        invoice.kind,
        "VOID" if hasattr(invoice, "void") else "FINALIZED",
        *(format_instant(instant) if instant else "" for instant in instants),
        unit.code or guarded(unit.name),
        *(
            plain_text(major_amount(amount, unit))
            for amount in (invoice.subtotal, invoice.total - invoice.subtotal, invoice.total)
        ),
        format_instant(invoice.finalized_at),
        guarded(invoice.finalized_by),
        str(invoice.contract_id),
        str(invoice.pk),
    ]
