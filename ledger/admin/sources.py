"""Sources: who may send what, who was refused, and how far metrics have been measured back."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from billing_site.foundation.admin import FactAdmin, HouseAdmin
from billing_site.foundation.refusals import Refusal
from ledger.admin.facts import LargeAdmin
from ledger.models import DroppedMonth, MetricBackfill, RefusedCall, SourceAuthority
from ledger.services.authority import declare_authority, end_authority
from pricing.admin import ThroughServices
from pricing.forms import ServiceForm
from pricing.models import BillableMetric


class AuthorityForm(ServiceForm):
    class Meta:
        model = SourceAuthority
        fields = ["event_type", "source", "starting_at"]

    starting_at = forms.DateTimeField(required=False, help_text="On the hour, UTC. Default: the current hour.")

    def perform(self, values: dict[str, Any], **told: Any) -> SourceAuthority:
        return declare_authority(values["event_type"], values["source"], starting_at=values["starting_at"], **told)


@admin.register(SourceAuthority)
class SourceAuthorityAdmin(ThroughServices, HouseAdmin):
    nothing_yet = "Which source counts where several send the same usage."
    add_form = AuthorityForm
    list_display = ["event_type", "source", "starting_at", "ending_before", "created_by"]
    search_fields = ["event_type", "source"]
    ordering = ["event_type", "-starting_at"]
    actions = ["end"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request, obj)

    @admin.action(description="Let any source send these types again, from the next hour on", permissions=["change"])
    def end(self, request: HttpRequest, queryset: QuerySet[SourceAuthority]) -> None:
        for authority in queryset:
            try:
                end_authority(authority.pk, reason=request.POST.get("reason", ""), **self.told(request))
            except Refusal as refusal:
                self.message_user(request, refusal.message, messages.ERROR)


@admin.register(RefusedCall)
class RefusedCallAdmin(LargeAdmin):
    list_display = ["refused_at", "source", "event_type", "authority", "events"]
    search_fields = ["id", "token_id"]
    search_help_text = "The whole id of a refusal or of a token."
    ordering = ["-refused_at"]


@admin.register(MetricBackfill)
class MetricBackfillAdmin(FactAdmin):
    nothing_yet = "How far new metrics have been measured back over events that had come before."
    list_display = ["metric", "started_at", "finished_at", "progress", "events_counted"]
    ordering = ["-started_at"]

    @admin.display(description="Metric")
    def metric(self, backfill: MetricBackfill) -> str:
        found = BillableMetric.objects.filter(pk=backfill.metric_id).first()
        return str(found or backfill.metric_id)

    @admin.display(description="Events of before, measured")
    def progress(self, backfill: MetricBackfill) -> str:
        return str(backfill)


@admin.register(DroppedMonth)
class DroppedMonthAdmin(FactAdmin):
    list_display = ["month", "events", "dropped_at", "dropped_by"]
    ordering = ["-month"]
