"""Why a line of a contract's document is what it is: down to the events behind it, each with its part."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from billing_site.foundation import clock
from billing_site.foundation.refusals import NotFound, Refusal
from invoicing.admin.known_then import KnownThen
from invoicing.portal.behind import EventsCard
from invoicing.portal.documents import document_text
from invoicing.portal.why import WhyCard
from invoicing.queries.behind import events_behind, spot_of
from invoicing.queries.documents import document
from invoicing.queries.explained import Explained, NotThere, explained_row
from invoicing.queries.shown import ShownLine
from invoicing.queries.traces import ShownPart

EVENTS_SHOWN = 100


class WhyPages:
    """What the admin of contracts has besides its own pages."""

    admin_site: Any

    def why_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        document = "<uuid:contract_id>/why/<uuid:document_id>/"
        return [
            path(f"{document}<int:row>/", view(self.why_view), name="contracts_contract_why"),
            path(f"{document}events/<int:line>/", view(self.events_view), name="contracts_contract_events"),
        ]

    def why_view(self, request: HttpRequest, contract_id: UUID, document_id: UUID, row: int) -> HttpResponse:
        """Why a line is what it is, or was with the prices and terms of an instant; for htmx the panel alone."""
        admin: Any = self
        contract = admin._contract(request, contract_id)
        at = clock.now()
        asked = KnownThen(request.GET, at=at)

        def events_of(told: Explained, line: ShownLine, part: ShownPart) -> Iterator[tuple[str, str]]:
            if part.metric_id is not None and part is line.parts[0]:  # once a line
                place = next(index for index, each in enumerate(told.document.lines) if each is line)
                address = reverse("admin:contracts_contract_events", args=[contract_id, document_id, place])
                yield "each with its part", address

        then = None
        try:
            why = WhyCard.of(explained_row(contract.customer_id, document_id, row, at=at), events_of)
            if as_of := asked.instant():
                then = WhyCard.of(explained_row(contract.customer_id, document_id, row, at=at, as_of=as_of))
        except NotThere as refusal:
            asked.add_error("as_of", refusal.message)
        except NotFound as refusal:
            raise Http404(refusal.message) from refusal
        panel = "why_panel" if request.headers.get("HX-Request") else "why"
        return admin._render(
            request,
            contract,
            panel,
            title=f"Why: {why.title}",
            why=then or why,
            now=why if then else None,
            asked=asked,
            page=reverse("admin:contracts_contract_why", args=[contract_id, document_id, row]),
        )

    def events_view(self, request: HttpRequest, contract_id: UUID, document_id: UUID, line: int) -> HttpResponse:
        """GET: a page of the events behind a line, from `after` on."""
        admin: Any = self
        contract = admin._contract(request, contract_id)
        at = clock.now()
        try:
            after = spot_of(request.GET.get("after", ""), "after")
            page = events_behind(contract.customer_id, document_id, line, at=at, limit=EVENTS_SHOWN, after=after)
            shown = document(contract.customer_id, document_id, at=at)
        except (NotFound, Refusal) as refusal:
            raise Http404("There are no such events.") from refusal
        return admin._render(
            request,
            contract,
            "events",
            title=f"Events behind {shown.lines[line].name}",
            about=document_text(shown),
            events=EventsCard.of(page),
            may_see_events=request.user.has_perm("ledger.view_ingestcall"),
        )
