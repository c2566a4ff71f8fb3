from datetime import datetime
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing_site.foundation import clock, cursors
from billing_site.foundation.actor import Actor
from billing_site.foundation.periods import DAY, HOUR, parse_instant
from billing_site.foundation.refusals import Refusal
from contracts.views.base import bound_customer
from invoicing import services
from invoicing.explained_replies import EventsPageReply, ExplanationReply
from invoicing.presentation import behind_json, breakdown_json, explanation_json, invoice_json
from invoicing.queries.behind import cursor_of, events_behind, spot_of
from invoicing.queries.breakdowns import Spot, breakdowns_page
from invoicing.queries.documents import Filters, Place, customer_of, document, documents_page
from invoicing.queries.explained import explained_document
from invoicing.serializers import (
    BreakdownQuery,
    BreakdownReply,
    EventsQuery,
    ExplainQuery,
    FinalInvoiceRequest,
    InvoiceListQuery,
    InvoiceQuery,
    InvoiceReply,
    VoidInvoiceRequest,
)
from invoicing.services.printing import print_invoice
from invoicing.services.voiding import no_such_final
from invoicing.views.base import InvoicingView, pdf_response
from pricing.serializers.common import IdReply, enveloped, page_of

WINDOWS = {"DAY": DAY, "HOUR": HOUR}


class ListInvoices(InvoicingView):
    serializer_class = InvoiceReply

    @extend_schema(
        summary="List invoices, drafts included",
        description="Drafts are computed as they are read: an event posted before is in them.",
        parameters=[InvoiceListQuery],
        responses=page_of(InvoiceReply),
    )
    def get(self, request: Request, customer_id: UUID) -> Response:
        asked = InvoiceListQuery.read(request.query_params)
        page, last = documents_page(
            customer_id,
            Filters(
                status=asked.get("status"),
                type=asked.get("type"),
                contract_id=asked.get("contract_id"),
                unit_id=asked.get("credit_type_id"),
                starting_on=asked.get("starting_on"),
                ending_before=asked.get("ending_before"),
            ),
            at=clock.now(),
            limit=asked["limit"],
            after=Place(*_position(asked["next_page"])) if "next_page" in asked else None,
            newest_first=asked["sort"] == "date_desc",
            as_of=asked.get("as_of"),
        )
        skip = asked["skip_zero_qty_line_items"]
        return Response(
            {
                "data": [invoice_json(shown, skip_zero_quantities=skip) for shown in page],
                "next_page": None if last is None else cursors.encode(last.issued_at.isoformat(), last.id),
            }
        )


class OneInvoice(InvoicingView):
    serializer_class = InvoiceReply

    @extend_schema(
        summary="Read an invoice, draft or final",
        parameters=[InvoiceQuery],
        responses=enveloped(InvoiceReply),
    )
    def get(self, request: Request, customer_id: UUID, invoice_id: UUID) -> Response:
        asked = InvoiceQuery.read(request.query_params)
        shown = document(customer_id, invoice_id, at=clock.now(), as_of=asked.get("as_of"))
        return Response({"data": invoice_json(shown, skip_zero_quantities=asked["skip_zero_qty_line_items"])})


class InvoiceAsPdf(InvoicingView):
    @extend_schema(
        summary="Read an invoice as PDF: a draft as it is now, a final one always in the same bytes",
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, customer_id: UUID, invoice_id: UUID) -> HttpResponse:
        return pdf_response(print_invoice(customer_id, invoice_id, at=clock.now()))


class ExplainInvoice(InvoicingView):
    serializer_class = ExplanationReply

    @extend_schema(
        summary="Explain an invoice: each line down to rate, publication, overrides and balances, as data and in words",
        parameters=[ExplainQuery],
        responses=enveloped(ExplanationReply),
    )
    def get(self, request: Request, customer_id: UUID, invoice_id: UUID) -> Response:
        asked = ExplainQuery.read(request.query_params)
        told = explained_document(
            customer_id,
            invoice_id,
            at=clock.now(),
            as_of=asked.get("as_of"),
            is_for_customer=asked["view"] == "CUSTOMER" or bound_customer(request) is not None,
        )
        return Response({"data": explanation_json(told)})


class EventsBehindLine(InvoicingView):
    serializer_class = EventsPageReply

    @extend_schema(
        summary="List the events behind a line of an invoice, in order of time; their quantities add up to what was "
        "metered for it",
        parameters=[EventsQuery],
        responses=EventsPageReply,
    )
    def get(self, request: Request, customer_id: UUID, invoice_id: UUID) -> Response:
        asked = EventsQuery.read(request.query_params)
        page = events_behind(
            customer_id,
            invoice_id,
            asked["line_item"],
            at=clock.now(),
            limit=asked["limit"],
            after=spot_of(asked.get("next_page", "")),
        )
        return Response(
            {
                "data": [behind_json(each) for each in page.events],
                "metric_quantity": page.metric_quantity,
                "dropped_months": [f"{month:%Y-%m}" for month in page.dropped],
                "next_page": cursor_of(page),
            }
        )


class ListBreakdowns(InvoicingView):
    serializer_class = BreakdownReply

    @extend_schema(
        summary="Cut usage invoices into days or hours (UTC)",
        description="The pieces of an invoice add up to it. A page spans at most 35 days, or 24 hours.",
        parameters=[BreakdownQuery],
        responses=page_of(BreakdownReply),
    )
    def get(self, request: Request, customer_id: UUID) -> Response:
        asked = BreakdownQuery.read(request.query_params)
        if asked["ending_before"] <= asked["starting_on"]:
            raise Refusal.of("ending_before", asked["ending_before"].isoformat(), "must be later than starting_on")
        pieces, last = breakdowns_page(
            customer_id,
            Filters(status=asked.get("status"), type="USAGE", unit_id=asked.get("credit_type_id")),
            WINDOWS[asked["window_size"]],
            starting_on=asked["starting_on"],
            ending_before=asked["ending_before"],
            at=clock.now(),
            limit=asked["limit"],
            after=Spot(*_position(asked["next_page"])) if "next_page" in asked else None,
            newest_first=asked["sort"] == "date_desc",
            as_of=asked.get("as_of"),
        )
        skip = asked["skip_zero_qty_line_items"]
        return Response(
            {
                "data": [breakdown_json(piece, skip_zero_quantities=skip) for piece in pieces],
                "next_page": None if last is None else cursors.encode(last.starting_at.isoformat(), last.document_id),
            }
        )


class VoidInvoice(InvoicingView):
    serializer_class = VoidInvoiceRequest
    required_scope = "admin"

    @extend_schema(
        summary="Void a final invoice",
        description="What it drew on balances is given back; its period waits until the invoice is regenerated.",
        responses={200: enveloped(IdReply)},
    )
    def post(self, request: Request) -> Response:
        sent = VoidInvoiceRequest(data=request.data)
        sent.is_valid(raise_exception=True)
        invoice_id, by = sent.validated_data["id"], Actor.of(request)
        reason = sent.validated_data.get("reason") or "Voided through the API"
        services.void_invoice(_owner(invoice_id), invoice_id, reason=reason, at=clock.now(), by=by)
        return Response({"data": {"id": invoice_id}})


class RegenerateInvoice(InvoicingView):
    serializer_class = FinalInvoiceRequest
    required_scope = "admin"

    @extend_schema(
        summary="Make a new invoice in the place of a void one",
        description="Final at once, under its own id and number, from usage, prices, terms and balances of now.",
        responses={200: enveloped(IdReply)},
    )
    def post(self, request: Request) -> Response:
        sent = FinalInvoiceRequest(data=request.data)
        sent.is_valid(raise_exception=True)
        invoice_id = sent.validated_data["id"]
        made = services.regenerate_invoice(_owner(invoice_id), invoice_id, at=clock.now(), by=Actor.of(request))
        return Response({"data": {"id": made.pk}})


def _owner(invoice_id: UUID) -> UUID:
    """Raises NotFound."""
    customer_id = customer_of(invoice_id)
    if customer_id is None:
        raise no_such_final(invoice_id)
    return customer_id


def _position(cursor: str) -> tuple[datetime, UUID]:
    instant, id_ = cursors.decode(cursor, length=2)
    try:
        return parse_instant(instant), UUID(id_)
    except (TypeError, ValueError, AttributeError) as error:
        raise Refusal.of("next_page", cursor, "must be a cursor from an earlier page of the same list") from error
