"""What came in, to be looked at. Nothing is changed here: facts are only added, and usage is derived from them.

Events, days and unread values have keys of several columns, which Django's admin has no lists for: events have a page
of their own (`pages.events`), usage is read by `POST /v1/usage`.

Every list is read in the order of an index, searched by whole keys and counted no further than one can leaf, so that it
opens at once however much there is.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Case, F, OuterRef, QuerySet, Subquery, Value, When
from django.http import HttpRequest

from billing_site.foundation.admin import FactAdmin, number_cell
from contracts.models import Commit
from contracts.terms import QUANTITY, UNITS
from ledger.admin import pages
from ledger.models import IngestCall, LedgerEntry, MetricSet, Series

MOST_ROWS = 10_000  # that can be leafed through; what lies deeper is found by its key


class UncountedPaginator(Paginator):
    """Counts no further than one can leaf."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows.order_by()[:MOST_ROWS].count()


def count_column(name: str) -> Callable[[Any], str]:
    """A column of a list, right-aligned. It does not sort, as no index could."""

    @admin.display(description=name.capitalize())
    def column(row: Any) -> str:
        return number_cell(f"{getattr(row, name):,}")

    return column


class LargeAdmin(FactAdmin):
    """Rows of a large table: searched by whole ids in `search_fields`, which have an index each."""

    paginator = UncountedPaginator

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        try:
            wanted = UUID(search_term.strip())
        except ValueError:
            return queryset.none(), False
        found = queryset.none()
        for name in self.search_fields:
            found |= queryset.filter(**{name: wanted})
        return found, False


@admin.register(IngestCall)
class IngestCallAdmin(LargeAdmin):
    list_display = ["received_at", "source", *map(count_column, ("accepted", "duplicates", "conflicts"))]
    search_fields = ["id"]
    search_help_text = "The whole id of a call."
    ordering = ["-received_at"]

    def get_urls(self) -> list[Any]:
        return [*pages.urls(), *super().get_urls()]


@admin.register(Series)
class SeriesAdmin(LargeAdmin):
    list_display = ["id", "metric_id", "values"]
    search_fields = ["id", "metric_id"]
    search_help_text = "The whole id of a series or of its metric."
    ordering = ["id"]


@admin.register(MetricSet)
class MetricSetAdmin(LargeAdmin):
    list_display = ["id", "__str__"]
    search_fields = ["id"]
    search_help_text = "The whole id of a set."
    ordering = ["id"]


@admin.register(LedgerEntry)
class LedgerEntryAdmin(LargeAdmin):
    list_display = ["timestamp", "customer", "type", "exact_amount", "commit_id", "invoice_id", "created_by"]
    list_select_related = ["customer"]
    search_fields = ["id", "customer_id"]
    search_help_text = "The whole id of an entry or of its customer."
    ordering = ["-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        commit = Commit.objects.filter(pk=OuterRef("commit_id"))
        held_in = Case(When(access_type=QUANTITY, then=Value(UNITS.name)), default=F("unit__name"))
        return super().get_queryset(request).annotate(held_in=Subquery(commit.values_list(held_in)[:1]))

    @admin.display(description="Amount")
    def exact_amount(self, entry: Any) -> str:
        """With what its balance is held in; of one without a row of its own, as it recurs, the number alone."""
        return number_cell(f"{entry.amount.normalize():f} {entry.held_in or ''}".rstrip())
