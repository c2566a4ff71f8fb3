"""Keys of custom fields, and the page on which the values of one entity are looked at and changed."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from billing_site.foundation.admin import HouseAdmin, instant_cell
from billing_site.foundation.custom_fields import Entity, declared_keys
from billing_site.foundation.display import instant_text
from billing_site.foundation.models import CustomFieldKey
from billing_site.foundation.refusals import Refusal
from contracts import services
from contracts.forms.custom_fields import NewKeyForm, ValuesForm
from contracts.forms.rows import MOST_ROWS
from contracts.queries import custom_fields_changes, with_custom_fields
from pricing.admin import ThroughServices

# Whose right to change is the right to change its custom fields: terms are the contract's.
OF_CONTRACT = (
    Entity.COMMIT,
    Entity.CONTRACT_CREDIT,
    Entity.DISCOUNT,
    Entity.PROFESSIONAL_SERVICE,
    Entity.SCHEDULED_CHARGE,
    Entity.SUBSCRIPTION,
)


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

    def get_urls(self) -> list[Any]:
        return [
            path(
                "of/<str:entity>/<uuid:entity_id>/",
                self.admin_site.admin_view(self.values_view),
                name="foundation_customfieldkey_values",
            ),
            *super().get_urls(),
        ]

    @method_decorator(csrf_protect)
    def values_view(self, request: HttpRequest, entity: str, entity_id: UUID) -> HttpResponse:
        """The custom fields of one customer, contract, product or the like, with what they were."""
        row = with_custom_fields(entity).filter(pk=entity_id).first() if entity in Entity.values else None
        if row is None:
            raise Http404("There is nothing with custom fields here.")
        model = "contract" if entity in OF_CONTRACT else row._meta.model_name
        app = row._meta.app_label
        if not request.user.has_perm(f"{app}.view_{model}"):
            raise PermissionDenied
        may_change = request.user.has_perm(f"{app}.change_{model}") and len(row.custom_fields) < MOST_ROWS
        form = ValuesForm(row.custom_fields, declared_keys(entity), request.POST or None)
        if request.method == "POST":
            if not may_change:
                raise PermissionDenied
            if form.is_valid() and self._changed(request, entity, entity_id, form):
                return HttpResponseRedirect(request.path)
        return TemplateResponse(
            request,
            "admin/foundation/customfieldkey/values.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts if self.has_view_permission(request) else row._meta,  # the way back
                "title": f"Custom fields of {row}",
                "row": row,
                "leave": _page_of(entity, row),
                "form": form,
                "may_change": may_change,
                "is_declared": bool(declared_keys(entity)),
                "entities": Entity(entity).label,
                "changes": [
                    (_values_text(each.before), _values_text(each.after), each.reason, each.changed_by, told)
                    for each in custom_fields_changes(entity_id)
                    for told in [instant_text(each.changed_at.replace(microsecond=0))]
                ],
                "media": form.media,
            },
        )

    def _changed(self, request: HttpRequest, entity: str, entity_id: UUID, form: ValuesForm) -> bool:
        values = form.cleaned_data
        seen = {"based_on": values["based_on"] or {}, "reason": values["reason"]}
        try:
            services.change_values(entity, entity_id, form.values(), **seen, **self.told(request))
        except Refusal as refusal:
            form.show(refusal)
            return False
        messages.success(request, "The custom fields are kept.")
        return True

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


def _page_of(entity: str, row: Any) -> str:
    """Where it is looked at."""
    if entity not in OF_CONTRACT:
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    if row.contract_id is None:
        return reverse("admin:contracts_customer_balances", args=[row.customer_id])
    return reverse("admin:contracts_contract_change", args=[row.contract_id])


def _values_text(values: dict[str, str]) -> str:
    return "; ".join(f"{key}: {value}" for key, value in values.items()) or "nothing"
