"""Documents of a customer: the list, each as it is printed, and each line down to the events behind it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from billing_site.foundation import clock, cursors
from billing_site.foundation.display import LOCALE, instant_text, period_text, written_for
from billing_site.foundation.periods import Period, format_instant, parse_instant
from billing_site.foundation.refusals import NotFound, Refusal
from billing_site.foundation.transactions import read_snapshot
from contracts.queries import claim_windows, customer
from invoicing.models import DraftSummary
from invoicing.portal.documents import document_row
from invoicing.portal.why import WhyCard
from invoicing.printing.page import printed
from invoicing.queries.documents import Filters, Place, document, head_of
from invoicing.queries.explained import explained_row
from invoicing.queries.listed import listed_page
from invoicing.queries.measured import metrics_of
from invoicing.queries.shown import DRAFT, FINALIZED, VOID, ShownDocument
from invoicing.queries.traces import ShownPart
from invoicing.services.printing import print_invoice
from invoicing.views.base import pdf_response
from invoicing.views.portal.viewers import Viewer, shown
from ledger.metering import encode
from ledger.queries.behind import events_behind
from pricing.models import PricingUnit

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

    def events_at(subject: str, part: ShownPart) -> str:
        return viewer.link(
            "events/",
            subject=subject,
            metric=part.metric_id,
            starting_at=format_instant(part.period.starting_at),
            ending_before=format_instant(part.period.ending_before) if part.period.ending_before else "",
            values=json.dumps(dict(part.group_values)) if part.group_values else "",
        )

    card = WhyCard.of(told, events_at)
    name = told.explained.contract.customer.name
    return shown(request, viewer, "why.html", "invoices/", name, title=card.title, why=card, invoice_id=invoice_id)


def events(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The events of one of the customer's subjects that a metric counts, over a time. Raises NotFound."""
    asked = request.GET
    with read_snapshot():
        name = customer(viewer.customer_id).name
        metrics = {str(metric.pk): metric for metric in metrics_of(viewer.customer_id)}
        claims = claim_windows(viewer.customer_id)
        metric, subject = metrics.get(asked.get("metric", "")), asked.get("subject", "")
        if metric is None or subject not in {claim.subject for claim in claims}:
            raise NotFound("There are no such events.")
        try:
            period = Period(parse_instant(asked.get("starting_at", "")), parse_instant(asked.get("ending_before", "")))
            values, after = _values(asked.get("values", "")), _event_place(asked.get("after", ""))
            found = events_behind(subject, metric, period, values, claims, after=after, limit=EVENTS_SHOWN)
        except ValueError as error:
            raise NotFound("There are no such events.") from error
    rows = [
        {
            "when": instant_text(event.timestamp),
            "id": event.transaction_id,
            "type": event.event_type,
            "properties": encode(event.properties).decode(),
            "is_corrected": event.correction > 0,
        }
        for event in found.events
    ]
    return shown(
        request,
        viewer,
        "events.html",
        "invoices/",
        name,
        title=f"Events of {metric.name}",
        rows=rows,
        subject=subject,
        when=period_text(period),
        values=values,
        asked={name: asked.get(name, "") for name in ("subject", "metric", "starting_at", "ending_before", "values")},
        after=cursors.encode(found.after[0].isoformat(), found.after[1]) if found.after else "",
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
    place = _event_place(cursor)
    try:
        return None if place is None else Place(place[0], UUID(place[1]))
    except ValueError as error:
        raise cursors.foreign(cursor, "after") from error


def _event_place(cursor: str) -> tuple[datetime, str] | None:
    """Raises Refusal."""
    if not cursor:
        return None
    instant, id_ = cursors.decode(cursor, length=2, field="after")
    try:
        return parse_instant(instant), str(id_)
    except (AttributeError, ValueError) as error:
        raise cursors.foreign(cursor, "after") from error


def _values(text: str) -> Mapping[str, Any]:
    """Raises ValueError."""
    values = json.loads(text) if text else {}
    if not isinstance(values, dict):
        raise ValueError(text)
    return values
