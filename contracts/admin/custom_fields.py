from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from billing_site.foundation.admin import HouseAdmin, instant_cell
from billing_site.foundation.models import CustomFieldKey
from billing_site.foundation.refusals import Refusal
from contracts import services
from contracts.forms.custom_fields import NewKeyForm
from pricing.admin import ThroughServices


@admin.register(CustomFieldKey)
class CustomFieldKeyAdmin(ThroughServices, HouseAdmin):
    nothing_yet = (
        "Which custom fields customers, contracts, products and their like may have. As long as none is declared for a "
        "kind, its custom fields may have any key."
    )
    add_form = NewKeyForm
    list_display = ["key", "entity", "enforce_uniqueness", "declared", "created_by", "removed"]
    list_filter = ["entity", "enforce_uniqueness", ("removed_at", admin.EmptyFieldListFilter)]
    search_fields = ["key"]
    ordering = ["entity", "key", "created_at", "id"]
    fields = ["key", "entity", "enforce_uniqueness", "created_at", "created_by", "removed_at"]
    actions = ["remove"]

    @admin.display(description="Declared", ordering="created_at")
    def declared(self, row: CustomFieldKey) -> str:
        return instant_cell(row.created_at)

    @admin.display(description="Removed", ordering="removed_at")
    def removed(self, row: CustomFieldKey) -> str:
        return instant_cell(row.removed_at)

    @admin.action(description="Remove selected keys, with their values", permissions=["change"])
    def remove(self, request: HttpRequest, keys: QuerySet[CustomFieldKey]) -> None:
        standing = [row for row in keys if row.removed_at is None]
        for row in standing:
            told: dict[str, Any] = {"reason": request.POST.get("reason", ""), **self.told(request)}
            try:
                services.remove_key(row.entity, row.key, **told)
            except Refusal as refusal:
                self.message_user(request, refusal.message, messages.ERROR)
            else:
                self.message_user(request, f"{row.key} is no key of {row.get_entity_display()} any more.")
        if not standing:
            self.message_user(request, "These were removed before.", messages.WARNING)
