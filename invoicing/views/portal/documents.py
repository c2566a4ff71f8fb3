"""Documents of a customer, as they are printed."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from billing_site.foundation import clock
from billing_site.foundation.display import LOCALE, written_for
from invoicing.models import DraftSummary
from invoicing.printing.page import printed
from invoicing.queries.documents import document
from invoicing.services.printing import print_invoice
from invoicing.views.base import pdf_response
from invoicing.views.portal.viewers import Viewer
from pricing.models import PricingUnit


def invoice(request: HttpRequest, viewer: Viewer, invoice_id: UUID) -> HttpResponse:
    """A document, draft or final, as it is printed: alike for every reader. Raises NotFound."""
    shown = document(viewer.customer_id, invoice_id, at=clock.now())
    units = {unit.pk: unit.to_unit() for unit in PricingUnit.objects.all()}
    may_decide = viewer.is_staff and request.user.has_perm("invoicing.add_holddecision")
    is_held = may_decide and DraftSummary.objects.filter(pk=invoice_id).exclude(holds=[]).exists()
    with written_for(LOCALE):
        context = {
            "document": printed(shown, units),
            "viewer": viewer,
            "customer_id": viewer.customer_id,
            "invoice_id": invoice_id,
            "is_held": is_held,  # for who may decide: the customer is not told why, and need not know that
        }
    return render(request, "invoicing/invoice.html", context)


def invoice_pdf(request: HttpRequest, viewer: Viewer, invoice_id: UUID) -> HttpResponse:
    """The same as PDF. Raises NotFound."""
    with written_for(LOCALE):
        return pdf_response(print_invoice(viewer.customer_id, invoice_id, at=clock.now()))
