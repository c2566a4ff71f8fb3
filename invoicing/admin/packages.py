"""The page on which a package is made, with what a contract made from it would be before it is made."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from billing_site.foundation.display import day_text
from billing_site.foundation.periods import floor_day
from contracts import services
from contracts.admin.packages import PackageRecordAdmin, package_lines
from contracts.forms.packages import PackageForm
from contracts.models import Package
from contracts.services import PackageInput
from invoicing.admin.looked_at import made_as_seen


@admin.register(Package)
class PackageAdmin(PackageRecordAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("contracts.add_package")

    @method_decorator(csrf_protect)
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        told = self.told(request)
        start = floor_day(told["at"])
        like = self._like(request)
        form = PackageForm(request.POST or None, like=like)

        def preview(given: PackageInput) -> list[str]:
            return package_lines(services.package_as_planned(given, **told), start, **told)

        def make(given: PackageInput) -> HttpResponse:
            made = services.create_package(given, reason=form.cleaned_data["reason"], **told)
            messages.success(request, f"{made} is made.")
            return HttpResponseRedirect(reverse("admin:contracts_package_change", args=[made.pk]))

        shown = made_as_seen(request, form, preview=preview, make=make)
        if isinstance(shown, HttpResponse):
            return shown
        return TemplateResponse(
            request,
            "admin/contracts/package/new.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                **shown,
                "title": f"New package like {like.name}" if like else "New package",
                "like": like,
                "start": day_text(start),
                "is_changed": "save" in request.POST,
                "make": "Make this package",
                "leave": reverse("admin:contracts_package_changelist"),
            },
        )

    def _like(self, request: HttpRequest) -> Package | None:
        """The one that the address names, if any."""
        named = request.GET.get("like")
        found = None if named is None else self.get_object(request, named)
        if named is not None and found is None:
            raise Http404("There is no such package.")
        return found
