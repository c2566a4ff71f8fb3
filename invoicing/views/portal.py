"""The customer's page: for the customer's own logins, and for staff who may view customers and their documents."""

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing_site.foundation import clock
from billing_site.foundation.display import clock_text, instant_text
from billing_site.foundation.refusals import NotFound
from contracts.queries import customer_of
from invoicing.models import DraftSummary
from invoicing.portal import page_of
from invoicing.printing.page import printed
from invoicing.queries.account import DOCUMENTS_SHOWN, account
from invoicing.queries.changes import version_of
from invoicing.queries.documents import document
from invoicing.services.printing import print_invoice
from invoicing.views.base import pdf_response
from pricing.models import PricingUnit

ALL = "all"  # ?documents=all


@never_cache
@require_safe
def my_page(request: HttpRequest) -> HttpResponse:
    """Whoever is signed in sees their own; staff choose a customer."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.path)
    customer = customer_of(request.user)
    if customer is not None:
        return _page(request, customer.pk)
    if request.user.is_staff:
        return HttpResponseRedirect(reverse("admin:contracts_customer_changelist"))
    return render(request, "invoicing/portal/missing.html", {"is_stranger": True}, status=404)


@never_cache
@require_safe
def page_of_customer(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """One customer's page. What somebody may not see looks like what is not there."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.path)
    if not _may_see(request.user, customer_id):
        return _missing(request)
    return _page(request, customer_id)


@never_cache
@require_safe
def invoice(request: HttpRequest, customer_id: UUID, invoice_id: UUID) -> HttpResponse:
    """A document, draft or final, as it is printed."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.path)
    if not _may_see(request.user, customer_id):
        return _missing(request)
    try:
        shown = document(customer_id, invoice_id, at=clock.now())
    except NotFound:
        return _missing(request)
    units = {unit.pk: unit.to_unit() for unit in PricingUnit.objects.all()}
    may_decide = request.user.is_staff and request.user.has_perm("invoicing.add_holddecision")
    is_held = may_decide and DraftSummary.objects.filter(pk=invoice_id).exclude(holds=[]).exists()
    context = {
        "document": printed(shown, units),
        "customer_id": customer_id,
        "invoice_id": invoice_id,
        "is_held": is_held,  # for who may decide: the customer is not told why, and need not know that
    }
    return render(request, "invoicing/invoice.html", context)


@never_cache
@require_safe
def invoice_pdf(request: HttpRequest, customer_id: UUID, invoice_id: UUID) -> HttpResponse:
    """The same as PDF."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.path)
    if not _may_see(request.user, customer_id):
        return _missing(request)
    try:
        return pdf_response(print_invoice(customer_id, invoice_id, at=clock.now()))
    except NotFound:
        return _missing(request)


@never_cache
@require_safe
def live(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """The page's parts as they are now, or 204 where the browser has seen this version (`?seen=`)."""
    if not request.user.is_authenticated:
        return HttpResponse("Sign in again.", status=401, content_type="text/plain; charset=utf-8")
    if not _may_see(request.user, customer_id):
        return _missing(request)
    at = clock.now()
    try:
        if request.GET.get("seen") == version_of(customer_id, at=at):
            response = HttpResponse(status=204)
        else:
            response = render(request, "invoicing/portal/live.html", _context(request, customer_id))
    except NotFound:
        return _missing(request)
    response["HX-Trigger"] = json.dumps({"portal:live": {"asOf": _as_of()}})
    return response


def _may_see(user: Any, customer_id: UUID) -> bool:
    if user.is_staff:
        return bool(user.has_perms(("contracts.view_customer", "invoicing.view_invoice")))
    own = customer_of(user)
    return own is not None and own.pk == customer_id


def _page(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    try:
        return render(request, "invoicing/portal/page.html", _context(request, customer_id))
    except NotFound:
        return _missing(request)


def _context(request: HttpRequest, customer_id: UUID) -> dict[str, Any]:
    at = clock.now()
    with_all = request.GET.get("documents") == ALL
    read = account(customer_id, at=at, document_limit=None if with_all else DOCUMENTS_SHOWN)
    return {
        "page": page_of(read),
        "is_staff": request.user.is_staff,
        "with_all_documents": with_all,
        "as_of": _as_of(),
        "test_clock": instant_text(at) if settings.SANDBOX else "",
    }


def _as_of() -> str:
    """What the reader's own clock says: that the page is fresh has nothing to do with business time."""
    return clock_text(clock.wall_time())


def _missing(request: HttpRequest) -> HttpResponse:
    return render(request, "invoicing/portal/missing.html", status=404)
