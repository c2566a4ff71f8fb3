"""What customers are called at billing providers and in revenue systems: added, looked at, and archived."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe

from billing_site.foundation.admin import HouseAdmin
from contracts import services
from contracts.forms.providers import NewConfigurationForm
from contracts.models import ProviderConfiguration
from pricing.admin import ARCHIVED, ThroughServices

NOTHING_IS_SENT = "Kept and shown; nothing is sent to a provider by it."


class InWords:
    """A configuration in words instead of JSON."""

    @admin.display(description="What it says")
    def says(self, configuration: ProviderConfiguration) -> str:
        said = dict(configuration.configuration)
        if configuration.tax_provider:
            said["taxes by"] = configuration.get_tax_provider_display()
        lines = ((name.replace("_", " "), value_text(value)) for name, value in said.items())
        return format_html_join(mark_safe("<br>"), "{}: {}", lines) or "Nothing more"


def value_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{name.replace('_', ' ')}: {value_text(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(value_text(each) for each in value)
    return "nothing" if value is None else str(value)


@admin.register(ProviderConfiguration)
class ProviderConfigurationAdmin(InWords, ThroughServices, HouseAdmin):
    nothing_yet = f"What customers are called at billing providers and in revenue systems. {NOTHING_IS_SENT}"
    add_form = NewConfigurationForm
    autocomplete_fields = ["customer"]
    list_display = [
        "customer",
        "kind",
        "provider",
        "delivery_method",
        "says",
        "created_at",
        "created_by",
        "archived_at",
    ]
    list_filter = [ARCHIVED, "kind", "provider"]
    list_select_related = ["customer"]
    search_fields = ["customer__name", "customer__id", "id"]
    ordering = ["-created_at", "-id"]
    fields = [
        "customer",
        "kind",
        "provider",
        "delivery_method",
        "says",
        "id",
        "created_at",
        "created_by",
        "archived_at",
    ]

    actions = ["archive"]

    @admin.action(description="Archive selected configurations", permissions=["change"])
    def archive(self, request: HttpRequest, configurations: QuerySet[ProviderConfiguration]) -> None:
        self.archive_each(request, configurations, services.archive_configuration)
