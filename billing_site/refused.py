"""What somebody is told who may not open a page of the back office: whose page it is, and whom to ask."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from billing_site.policies import NOBODY, page_named
from billing_site.roles import Role, roles_that_may


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 for pages; the API has its own."""
    match = request.resolver_match
    page = page_named(match.url_name) if match and match.url_name else None
    asked = page.asked(request.method or "") if page else ()
    groups = Group.objects.filter(user=request.user.pk, name__in=list(Role)).order_by("name")
    held = list(groups.values_list("name", flat=True))
    may = [str(role) for role in roles_that_may(*asked)] if asked else []
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Not with this login",
        "is_for_nobody": asked == NOBODY,
        "is_superusers": bool(asked) and not may,
        "roles": [] if set(may).intersection(held) else may,  # who has one of them lacked something else
        "held": held,
    }
    return TemplateResponse(request, "admin/refused.html", context, status=403).render()
