"""Pricing units and billable metrics in the admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing_site.foundation.admin import HouseAdmin, WithCustomFields
from billing_site.foundation.custom_fields import Entity
from pricing import forms as own
from pricing import services
from pricing.admin.base import ARCHIVED, ThroughServices
from pricing.models import BillableMetric, PricingUnit


@admin.register(PricingUnit)
class PricingUnitAdmin(ThroughServices, HouseAdmin):
    nothing_yet = "Currencies, and units of your own such as credits."
    add_form = own.UnitForm
    list_display = ["name", "code", "is_currency", "wire_exponent", "minor_exponent", "created_at", "archived_at"]
    list_filter = ["is_currency", ARCHIVED]
    search_fields = ["name", "code"]
    ordering = ["-is_currency", "name"]
    fields = [
        "name",
        "code",
        "is_currency",
        "wire_exponent",
        "minor_exponent",
        "created_at",
        "created_by",
        "archived_at",
    ]
    actions = ["archive"]

    @admin.action(description="Archive selected pricing units", permissions=["change"])
    def archive(self, request: HttpRequest, units: QuerySet[PricingUnit]) -> None:
        self.archive_each(request, units, services.archive_pricing_unit)


@admin.register(BillableMetric)
class BillableMetricAdmin(WithCustomFields, ThroughServices, HouseAdmin):
    entity = Entity.BILLABLE_METRIC
    nothing_yet = "What is counted in usage events, and by which properties."
    add_form = own.MetricForm
    change_form = own.MetricNameForm
    list_display = [
        "name",
        "aggregation_type",
        "aggregation_key",
        "event_type_filter",
        "group_keys",
        "created_at",
        "archived_at",
    ]
    list_filter = ["aggregation_type", ARCHIVED]
    search_fields = ["name", "aggregation_key"]
    ordering = ["name", "id"]
    fields = [
        "name",
        "reason",
        "aggregation_type",
        "aggregation_key",
        "event_type_filter",
        "property_filters",
        "group_keys",
        "custom_values",
        "created_at",
        "created_by",
        "archived_at",
    ]
    actions = ["archive"]

    @admin.action(description="Archive selected billable metrics", permissions=["change"])
    def archive(self, request: HttpRequest, metrics: QuerySet[BillableMetric]) -> None:
        self.archive_each(request, metrics, services.archive_metric)
