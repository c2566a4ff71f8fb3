"""Packages: a page that says what a contract from a date would be, and who has one."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from billing_site.foundation import clock
from billing_site.foundation.admin import Dressed, HouseAdmin, number_cell
from billing_site.foundation.display import count_text, period_text
from billing_site.foundation.periods import Period, floor_day
from billing_site.foundation.refusals import Refusal
from contracts import services
from contracts.forms.instants import HourField
from contracts.models import Package, PackageAlias
from contracts.provider_wording import package_provider_text
from contracts.queries import contracts_from
from contracts.term_lines import term_lines, whole_lines
from pricing.admin import ARCHIVED, ThroughServices

CONTRACTS_SHOWN = 8
UNITS = {"DAYS": "day", "WEEKS": "week", "MONTHS": "month", "YEARS": "year"}


class FromForm(Dressed, forms.Form):
    start = HourField(required=True, label="For a contract that starts")


class PackageRecordAdmin(ThroughServices, HouseAdmin):
    """The list of packages, and what each says. How one is made is known above: see `invoicing.admin`."""

    nothing_yet = "Contracts as templates, from which new ones are made in two clicks."
    list_display = ["name", "aliases_held", "runs_for", "contracts_now", "created_at", "created_by", "archived_at"]
    list_filter = [ARCHIVED]
    search_fields = ["name", "aliases__name", "id", "uniqueness_key"]
    ordering = ["-created_at", "-id"]
    fields = ["name", "uniqueness_key", "created_at", "created_by", "archived_at"]
    actions = ["archive"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        made = Count("contracts", filter=Q(contracts__archived_at=None), distinct=True)
        return super().get_queryset(request).prefetch_related("aliases").annotate(contract_count=made)

    @admin.display(description="Aliases")
    def aliases_held(self, package: Package) -> str:
        return ", ".join(dict.fromkeys(alias.name for alias in package.aliases.all()))

    @admin.display(description="Contracts run for")
    def runs_for(self, package: Package) -> str:
        lasts = package.template.get("duration")
        if lasts is None:
            return "no end"
        unit = UNITS[lasts["unit"]]
        return count_text(lasts["value"], unit, f"{unit}s")

    @admin.display(description="Contracts", ordering="contract_count")
    def contracts_now(self, package: Any) -> str:
        return number_cell(f"{package.contract_count:,}")

    @admin.action(description="Archive selected packages", permissions=["change"])
    def archive(self, request: HttpRequest, packages: QuerySet[Package]) -> None:
        self.archive_each(request, packages, services.archive_package)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The package itself does not change."""
        return obj is None and request.user.has_perm("contracts.change_package")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        package = self.get_object(request, unquote(object_id))
        if package is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, package):
            raise PermissionDenied
        told = self.told(request)
        asked = request.GET if "start_0" in request.GET else None
        form = FromForm(asked, initial={"start": floor_day(told["at"])})
        start = form.cleaned_data["start"] if form.is_bound and form.is_valid() else floor_day(clock.now())
        lines: list[str] = []
        refused = ""
        try:
            lines = package_lines(package, start, **told)
        except Refusal as refusal:
            refused = refusal.message
        made = contracts_from(package).select_related("customer").order_by("-created_at", "-id")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "package": package,
            "title": package.name,
            "aliases": [_alias_text(alias) for alias in package.aliases.all()],
            "runs_for": self.runs_for(package),
            "form": form,
            "lines": lines,
            "refused": refused,
            "contracts": [
                (each, period_text(Period(each.starting_at, each.held_end))) for each in made[:CONTRACTS_SHOWN]
            ],
            "contract_count": made.count(),
            "may_make": request.user.has_perm("contracts.add_contract") and package.archived_at is None,
            "may_copy": request.user.has_perm("contracts.add_package"),
            "media": form.media,
        }
        return TemplateResponse(request, "admin/contracts/package/page.html", context)


def package_lines(package: Package, start: datetime, **told: Any) -> list[str]:
    """What a contract made from it from `start` on would be. Raises Refusal where there can be none."""
    planned = services.as_contract(package, start, **told)
    provider = package_provider_text(package.template)
    return [*whole_lines(planned), *([provider] if provider else []), *(line.text for line in term_lines(planned))]


def _alias_text(alias: PackageAlias) -> str:
    if alias.starting_at is not None:
        return f"{alias.name}, {period_text(Period(alias.starting_at, alias.ending_before))}"
    return f"{alias.name}, up to {alias.ending_before:%-d %B %Y}" if alias.ending_before else alias.name
