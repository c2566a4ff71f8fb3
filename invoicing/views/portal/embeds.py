"""The same pages within an iframe, by a signed address (`invoicing.embedding`). Who may frame them, the site says."""

from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from billing_site.foundation.refusals import NotFound
from invoicing.embedding import Unreadable, read, stylesheet
from invoicing.views.portal.viewers import LIGHT, Page, Viewer, looks_asked_for, seen

NOT_HERE = "This page is not part of the view, or no longer there. Reload the page that it is part of."


def of_embed(page: Page, *dashboards: str) -> Page:
    """`page(request, viewer, …)` for whoever holds a signed address of one of these dashboards (of any, where none is
    named). Nothing that is not signed decides whose page it is, and no cookie is set or asked for."""

    @never_cache
    @xframe_options_exempt
    @require_safe
    @wraps(page)
    def shown(request: HttpRequest, token: str, **named: Any) -> HttpResponse:
        try:
            embed = read(token)
        except Unreadable as refusal:
            response = _refused(request, str(refusal), 403)
        else:
            if dashboards and embed.dashboard not in dashboards:
                response = _refused(request, NOT_HERE, 404)
            else:
                looks = looks_asked_for(request)
                if embed.colours:
                    looks["theme"] = LIGHT  # the colours are for one ground
                viewer = Viewer(embed.customer_id, f"/embed/{token}/", embed=embed, **looks)
                response = seen(page, request, viewer, lambda: _refused(request, NOT_HERE, 404), **named)
        response["Referrer-Policy"] = "no-referrer"
        return response

    return shown


def colours(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The colours that the address asks for, as a stylesheet."""
    assert viewer.embed is not None
    return HttpResponse(stylesheet(viewer.embed), content_type="text/css; charset=utf-8")


def nothing(request: HttpRequest, viewer: Viewer, rest: str) -> HttpResponse:
    """What no view has. Raises NotFound."""
    raise NotFound(f"There is no page {rest}.")


def _refused(request: HttpRequest, problem: str, status: int) -> HttpResponse:
    return render(request, "invoicing/portal/refused.html", {"problem": problem}, status=status)
