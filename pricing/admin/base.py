"""What the pages of the price list share."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.admin import ReasonActionForm
from billing_site.foundation.refusals import Refusal
from pricing import forms as own

ARCHIVED: Any = ("archived_at", admin.EmptyFieldListFilter)


class ThroughServices(admin.ModelAdmin):
    """Adds and changes rows by forms that call services; what has no form is only shown."""

    add_form: type[own.ServiceForm] | None = None
    change_form: type[own.ServiceForm] | None = None
    action_form = ReasonActionForm
    form: Any

    def told(self, request: HttpRequest) -> dict[str, Any]:
        return {"at": clock.now(), "by": Actor.of(request)}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        chosen = self.add_form if obj is None else self.change_form
        if chosen is not None:
            options["form"] = type(chosen.__name__, (chosen,), self.told(request))
        return super().get_form(request, obj, change, **options)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fields(request, obj) if obj is not None or self.add_form is None else names(self.add_form)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What the form does not change."""
        if obj is None:
            return []
        changed = names(self.change_form) if self.change_form else []
        return [field for field in self.fields or [] if field not in changed]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return super().get_inlines(request, obj) if obj is not None else []

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.add_form is not None and admin.ModelAdmin.has_add_permission(self, request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_change_permission(request, obj)
        return may and (obj is None or self.change_form is not None)

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """The form's service has saved it."""

    def archive_each(self, request: HttpRequest, rows: QuerySet[Any], archive: Callable[..., Any]) -> None:
        archived = 0
        for row in rows:
            try:
                archive(row.pk, reason=request.POST.get("reason", ""), **self.told(request))
            except Refusal as refusal:
                self.message_user(request, refusal.message, messages.ERROR)
            else:
                archived += 1
        if archived:
            self.message_user(request, f"{archived} archived.")


def names(form: type[own.ServiceForm]) -> list[str]:
    """The form's fields, in the order in which it asks for them."""
    first = list(form.field_order or ())
    return [*first, *(name for name in form.base_fields if name not in first)]


def digits(number: Any) -> str:
    """Every digit, and no zeros behind the last."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
