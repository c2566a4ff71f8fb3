"""What every admin page stands on: history that says why, and facts that can only be read."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from simple_history.admin import SimpleHistoryAdmin

from billing_site.foundation import clock, tokens
from billing_site.foundation.actor import Actor
from billing_site.foundation.models import ApiToken, Job, TestClock


class ReasonForm(forms.ModelForm):
    """A form that asks why, and keeps the answer in the history."""

    reason = forms.CharField(
        required=False, widget=forms.TextInput(attrs={"size": 80}), help_text="Why; kept in the history."
    )


class HouseAdmin(SimpleHistoryAdmin):
    """Configured rows: history with author and reason; nothing is deleted."""

    form = ReasonForm
    history_list_display = ["actor_label", "source"]
    show_full_result_count = False
    list_per_page = 50

    def save_model(self, request: HttpRequest, obj: Model, form: forms.Form, change: bool) -> None:
        obj._change_reason = form.cleaned_data.get("reason") or None  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def told(self, request: HttpRequest) -> dict[str, Any]:
        """When and by whom, for the service behind a form: `service(..., **self.told(request))`."""
        return {"at": clock.now(), "by": Actor.of(request)}


class FactAdmin(admin.ModelAdmin):
    """Facts and derived rows: they can be looked at."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ApiToken)
class ApiTokenAdmin(HouseAdmin):
    """Tokens are made with `manage.py create_token`, which shows the secret once; here they are seen and revoked."""

    list_display = ["name", "scope", "source", "customer_id", "created_at", "created_by", "revoked_at"]
    list_filter = ["scope", ("revoked_at", admin.EmptyFieldListFilter)]
    search_fields = ["name", "source"]
    readonly_fields = ["name", "scope", "source", "customer_id", "created_at", "created_by", "revoked_at", "revoked_by"]
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description="Revoke selected tokens", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        for token in queryset:
            tokens.revoke_token(token, **self.told(request))
        self.message_user(request, f"{len(queryset)} revoked.")


@admin.register(TestClock)
class TestClockAdmin(FactAdmin, SimpleHistoryAdmin):
    """Moved with `manage.py clock`, which lets happen what falls due on the way; its moves are in the history."""

    list_display = ["instant"]
    history_list_display = ["actor_label", "instant"]


@admin.register(Job)
class JobAdmin(FactAdmin):
    list_display = ["kind", "key", "state", "attempts", "created_at", "heartbeat_at", "error"]
    list_filter = ["state", "kind"]
    search_fields = ["key"]
