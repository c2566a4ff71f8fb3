"""What finance asks of the list of documents: whose they are, their status, kind, series, money, dates and amounts."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from billing_site.foundation import clock
from billing_site.foundation.list_filters import (
    AmountRange,
    AutocompleteSelectFilter,
    Choice,
    ChoicesDropdownFilter,
    DayRange,
)
from invoicing.models import EntityNumber, Invoice, InvoiceLine, InvoiceVoid, Note, NumberSeries
from pricing.models import PricingUnit

YES_OR_NO = [("yes", "Yes"), ("no", "No")]
LATE_LINE = Q(details__has_key="adjustment")  # says which closed period it is for


class StandingFilter(Choice):
    title = "status"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, page: Any) -> list[tuple[str, str]]:
        return [
            ("final", "Final"),
            ("overdue", "Final, its due date has passed"),
            ("void", "Void"),
            ("waiting", "Void, to be regenerated"),
        ]

    def chosen(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value == "waiting":
            return rows.filter(void__in=InvoiceVoid.objects.waiting())
        if value == "overdue":  # what was paid is not known here; a credit note asks for nothing
            return rows.filter(void=None, due_at__lt=clock.now(), total__gt=0)
        return rows.filter(void=None) if value == "final" else rows.filter(void__isnull=False)


class SeriesFilter(Choice):
    """The series in which a number was given: of each customer, or of the legal entity that had the prefix then."""

    title = "series of numbers"
    parameter_name = "series"

    def lookups(self, request: HttpRequest, page: Any) -> list[tuple[str, str]]:
        """Two queries."""
        of_customers = NumberSeries.objects.order_by("series").values_list("series", flat=True).distinct()
        of_entities = EntityNumber.objects.order_by("prefix", "series").values_list("prefix", "series").distinct()
        return [
            *((series, f"{series}, for each customer") for series in of_customers),
            *((f"{prefix}-{series}", f"{prefix}-{series}, for all customers") for prefix, series in of_entities),
        ]

    def chosen(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(number__startswith=f"{value}-")


class CurrencyFilter(Choice):
    title = "currency"
    parameter_name = "currency"

    def lookups(self, request: HttpRequest, page: Any) -> list[tuple[str, str]]:
        """One query."""
        return [(str(unit.pk), unit.code) for unit in _billed_units()]

    def chosen(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(unit=value)


class NotesFilter(Choice):
    title = "credit or debit notes on it"
    parameter_name = "notes"

    def lookups(self, request: HttpRequest, page: Any) -> list[tuple[str, str]]:
        return YES_OR_NO

    def chosen(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        has_note = Exists(Note.objects.filter(about=OuterRef("pk")))
        return rows.filter(has_note if value == "yes" else ~has_note)


class LateUsageFilter(Choice):
    """Whether a document bills usage of a period that was closed before."""

    title = "late usage on it"
    parameter_name = "late"

    def lookups(self, request: HttpRequest, page: Any) -> list[tuple[str, str]]:
        return YES_OR_NO

    def chosen(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        is_late = Exists(InvoiceLine.objects.filter(LATE_LINE, invoice=OuterRef("pk")))
        return rows.filter(is_late if value == "yes" else ~is_late)


class TotalRange(AmountRange):
    title = "total, with tax"
    parameter_name = column = "total"

    def units(self) -> list[tuple[Any, int]]:
        """One query."""
        return [(unit.pk, unit.wire_exponent) for unit in _billed_units()]


def _billed_units() -> QuerySet[PricingUnit]:
    """What there are documents in: each unit is looked up by the index of documents by unit."""
    billed = Exists(Invoice.objects.filter(unit=OuterRef("pk")))
    return PricingUnit.objects.filter(billed).order_by("code", "name")


FILTERS = [
    ("customer", AutocompleteSelectFilter),
    ("contract", AutocompleteSelectFilter),
    StandingFilter,
    ("kind", ChoicesDropdownFilter),
    CurrencyFilter,
    SeriesFilter,
    NotesFilter,
    LateUsageFilter,
    DayRange.of("issued_at", "day of issue"),
    DayRange.of("starting_at", "start of the period"),
    DayRange.of("due_at", "due date"),
    TotalRange,
]
