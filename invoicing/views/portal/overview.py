"""The customer's first page: what it comes to now, followed live."""

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing_site.foundation import clock
from billing_site.foundation.display import instant_text
from contracts.queries import customer_of
from invoicing.portal import page_of
from invoicing.queries.account import DOCUMENTS_SHOWN, account
from invoicing.views.portal.following import followed
from invoicing.views.portal.viewers import Viewer, missing, seen, shown, viewer_of_login

ALL = "all"  # ?documents=all


@never_cache
@require_safe
def my_page(request: HttpRequest) -> HttpResponse:
    """Whoever is signed in sees their own; staff choose a customer."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.path)
    customer = customer_of(request.user)
    viewer = viewer_of_login(request, customer.pk) if customer is not None else None
    if viewer is not None:
        return seen(overview, request, viewer, lambda: missing(request))
    if request.user.is_staff:
        return HttpResponseRedirect(reverse("admin:contracts_customer_changelist"))
    return render(request, "invoicing/portal/missing.html", {"is_stranger": True}, status=404)


@followed
def overview(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Raises NotFound."""
    at = clock.now()
    with_all = request.GET.get("documents") == ALL
    page = page_of(account(viewer.customer_id, at=at, document_limit=None if with_all else DOCUMENTS_SHOWN))
    return shown(
        request,
        viewer,
        "page.html",
        "",
        page.customer_name,
        page=page,
        test_clock=instant_text(at) if settings.SANDBOX else "",
    )
