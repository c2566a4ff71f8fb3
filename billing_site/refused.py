"""What somebody is told who may not open a page of the back office: whose page it is, and whom to ask."""

from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from billing_site.policies import NOBODY, page_named
from billing_site.roles import Role, roles_that_may


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 for pages, in words; without a page around them for who takes no HTML. The API has its own."""
    groups = Group.objects.filter(user=request.user.pk, name__in=list(Role)).order_by("name")
    held = list(groups.values_list("name", flat=True))
    said = f"{_what_it_takes(request, held)} {_who_it_is(request, held)} Nothing was changed."
    if not request.accepts("text/html"):
        return HttpResponse(said, status=403, content_type="text/plain; charset=utf-8")
    context = {**admin.site.each_context(request), "title": "Not with this login", "said": said}
    return TemplateResponse(request, "admin/refused.html", context, status=403).render()


def _what_it_takes(request: HttpRequest, held: list[str]) -> str:
    match = request.resolver_match
    page = page_named(match.url_name) if match and match.url_name else None
    asked = page.asked(request.method or "") if page else ()
    may = [str(role) for role in roles_that_may(*asked)] if asked else []
    if asked == NOBODY:
        return "Nobody does this by hand: such rows are facts, or are made on pages of their own."
    if asked and not may:
        return "This is for superusers alone."
    if may and not set(may).intersection(held):
        return f"This takes the role {' or '.join(may)}, which a superuser gives on the page of a user."
    return "This takes more than this login may."


def _who_it_is(request: HttpRequest, held: list[str]) -> str:
    role = f"with the role {' and '.join(held)}" if held else "without a role"
    return (
        f"You are signed in as {request.user.get_username()}, {'a superuser' if request.user.is_superuser else role}."
    )
