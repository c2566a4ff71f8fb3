"""Documents of a customer: the list, each as it is printed, and each line down to the events behind it."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from billing_site.foundation import clock, cursors
from billing_site.foundation.display import LOCALE, written_for
from billing_site.foundation.periods import parse_instant
from billing_site.foundation.refusals import NotFound, Refusal
from contracts.queries import customer
from invoicing.models import DraftSummary, Invoice
from invoicing.portal.behind import EventsCard
from invoicing.portal.comparing import ComparedCard
from invoicing.portal.documents import document_row, document_text
from invoicing.portal.why import WhyCard
from invoicing.printing.page import printed
from invoicing.queries.behind import events_behind, spot_of
from invoicing.queries.documents import Filters, Place, document, document_and_before, head_of
from invoicing.queries.explained import Explained, explained_row
from invoicing.queries.listed import listed_page
from invoicing.queries.shown import DRAFT, FINALIZED, VOID, ShownDocument, ShownLine
from invoicing.queries.traces import ShownPart
from invoicing.services.printing import print_invoice
from invoicing.views.base import pdf_response
from invoicing.views.portal.viewers import Viewer, shown
from pricing.models import PricingUnit
from pricing.queries import pricing_unit

PAGE_SIZE = 20
EVENTS_SHOWN = 100


class DocumentsForm(forms.Form):
    status = forms.ChoiceField(
        label="Status",
        required=False,
        choices=[("", "any"), (DRAFT, "draft"), (FINALIZED, "final"), (VOID, "void")],
    )
    type = forms.ChoiceField(
        label="For",
        required=False,
        choices=[("", "anything"), ("USAGE", "usage"), ("SCHEDULED", "scheduled charges")],
    )


def invoices(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Newest first, drafts among them. Raises NotFound."""
    form = DocumentsForm(request.GET.dict(), label_suffix="")
    asked = form.cleaned_data if form.is_valid() else {}
    allowed = _allowed(viewer)
    for name, decided in (("status", viewer.option("invoice_status_filter")), ("type", allowed.type)):
        if decided:
            del form.fields[name]
    wanted = replace(
        allowed, status=allowed.status or asked.get("status") or None, type=allowed.type or asked.get("type") or None
    )
    after, problem = None, ""
    try:
        after = _place(request.GET.get("after", ""))
    except Refusal:
        problem = "The address of this page was cut short: this is the first one."
    read = listed_page(viewer.customer_id, wanted, at=clock.now(), limit=PAGE_SIZE, after=after)
    return shown(
        request,
        viewer,
        "invoices.html",
        "invoices/",
        read.customer_name,
        title="Invoices",
        form=form,
        documents=[document_row(each.document, each.products, each.unit) for each in read.documents],
        after=cursors.encode(read.after.issued_at.isoformat(), read.after.id) if read.after else "",
        is_first=after is None,
        problem=problem,
        asked=asked,
        hides_zeros=viewer.embed is not None and viewer.option("show_zero_usage_line_items") != "true",
    )


def invoice(request: HttpRequest, viewer: Viewer, invoice_id: UUID) -> HttpResponse:
    """A document, draft or final, as it is printed: alike for every reader. Raises NotFound."""
    shown = _document(viewer, invoice_id)
    units = {unit.pk: unit.to_unit() for unit in PricingUnit.objects.all()}
    may_decide = viewer.is_staff and request.user.has_perm("invoicing.add_holddecision")
    is_held = may_decide and DraftSummary.objects.filter(pk=invoice_id).exclude(holds=[]).exists()
    with written_for(LOCALE):
        context = {
            "document": printed(shown, units),
            "viewer": viewer,
            "customer_id": viewer.customer_id,
            "invoice_id": invoice_id,
            "is_compared": shown.kind == Invoice.Kind.USAGE,
            "is_held": is_held,  # for who may decide: the customer is not told why, and need not know that
        }
    return render(request, "invoicing/invoice.html", context)


def invoice_pdf(request: HttpRequest, viewer: Viewer, invoice_id: UUID) -> HttpResponse:
    """The same as PDF. Raises NotFound."""
    _document(viewer, invoice_id)
    with written_for(LOCALE):
        return pdf_response(print_invoice(viewer.customer_id, invoice_id, at=clock.now()))


def why(request: HttpRequest, viewer: Viewer, invoice_id: UUID, row: int) -> HttpResponse:
    """Why a line of a document is what it is. Raises NotFound."""
    _document(viewer, invoice_id)
    found = explained_row(viewer.customer_id, invoice_id, row, at=clock.now())
    told = replace(found, explained=replace(found.explained, is_for_customer=True))

    def events_of(told: Explained, line: ShownLine, part: ShownPart) -> Iterator[tuple[str, str]]:
        if part.metric_id is not None and part is line.parts[0]:  # once a line
            place = next(index for index, each in enumerate(told.document.lines) if each is line)
            yield "The events behind it", viewer.link(f"invoices/{invoice_id}/events/{place}")

    card = WhyCard.of(told, events_of)
    name = told.explained.contract.customer.name
    return shown(request, viewer, "why.html", "invoices/", name, title=card.title, why=card, invoice_id=invoice_id)


def compare(request: HttpRequest, viewer: Viewer, invoice_id: UUID) -> HttpResponse:
    """Why a document comes to more, or less, than the one before it. Raises NotFound."""
    now, before = document_and_before(viewer.customer_id, invoice_id, at=clock.now())
    allowed = _allowed(viewer)
    if not head_of(now).passes(allowed):
        raise NotFound("There is no such invoice.")
    card = None
    if before is not None and before.unit_id == now.unit_id and head_of(before).passes(allowed):
        card = ComparedCard.of(now, before, pricing_unit(now.unit_id).to_unit())
    name = customer(viewer.customer_id).name
    title = "Against the period before"
    return shown(request, viewer, "compared.html", "invoices/", name, title=title, compared=card, invoice_id=invoice_id)


def events(request: HttpRequest, viewer: Viewer, invoice_id: UUID, line: int) -> HttpResponse:
    """The events behind a line of a document, each with its part of what was metered for the line. Raises NotFound."""
    shown_document = _document(viewer, invoice_id)
    try:
        after = spot_of(request.GET.get("after", ""), "after")
        page = events_behind(viewer.customer_id, invoice_id, line, at=clock.now(), limit=EVENTS_SHOWN, after=after)
    except Refusal as refusal:
        raise NotFound("There are no such events.") from refusal
    title = shown_document.lines[line].name
    return shown(
        request,
        viewer,
        "events.html",
        "invoices/",
        customer(viewer.customer_id).name,
        title=f"Events behind {title}",
        about=document_text(shown_document),
        events=EventsCard.of(page),
        invoice_id=invoice_id,
        line=line,
    )


def _allowed(viewer: Viewer) -> Filters:
    """The documents that the viewer's address is for."""
    status, contract_id = viewer.option("invoice_status_filter"), viewer.option("contract_id")
    return Filters(
        status=status if status in (DRAFT, FINALIZED, VOID) else None,
        type=viewer.option("invoice_type") or None,
        contract_id=UUID(contract_id) if contract_id else None,
        is_without_void=status == "FINALIZED_AND_DRAFT" or viewer.option("hide_voided_invoices") == "true",
    )


def _document(viewer: Viewer, invoice_id: UUID) -> ShownDocument:
    """Raises NotFound, for one that the viewer's address is not for too."""
    found = document(viewer.customer_id, invoice_id, at=clock.now())
    if not head_of(found).passes(_allowed(viewer)):
        raise NotFound("There is no such invoice.")
    return found


def _place(cursor: str) -> Place | None:
    """Raises Refusal."""
    if not cursor:
        return None
    instant, id_ = cursors.decode(cursor, length=2, field="after")
    try:
        return Place(parse_instant(instant), UUID(id_))
    except (AttributeError, TypeError, ValueError) as error:
        raise cursors.foreign(cursor, "after") from error
