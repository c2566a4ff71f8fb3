"""Documents and drafts in the admin: to be looked at, and finalized when they are due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.admin import FactAdmin, are_too_many
from billing_site.foundation.display import day_text, exact_text, instant_text, period_text
from billing_site.foundation.money import Unit
from billing_site.foundation.refusals import Refusal
from invoicing import services
from invoicing.admin.findings import FindingCard, cards_of_contracts
from invoicing.admin.holds import held_texts
from invoicing.admin.known_then import KnownThen, present_text
from invoicing.admin.releases import by_currency, row_of
from invoicing.models import DraftsOfCustomer, DraftSummary, EntityNumber, Invoice, NumberSeries
from invoicing.printing.lines import PrintedLine
from invoicing.printing.page import Fact, totals_of
from invoicing.queries.documents import documents_by_id, drafts_of
from invoicing.queries.shown import ShownDocument
from pricing.models import PricingUnit


@admin.register(NumberSeries)
class NumberSeriesAdmin(FactAdmin):
    list_display = ["customer", "series", "last_number"]
    list_select_related = ["customer"]
    search_fields = ["customer__name"]
    ordering = ["customer__name", "series"]


@admin.register(EntityNumber)
class EntityNumberAdmin(FactAdmin):
    list_display = ["__str__", "customer"]
    list_filter = ["prefix", "series"]
    list_select_related = ["customer"]
    search_fields = ["customer__name", "number"]
    ordering = ["prefix", "series", "-number"]


@admin.register(DraftsOfCustomer)
class DraftsAdmin(FactAdmin):
    """A customer's documents as they would be now, or with what was known then; computed when the page is opened."""

    list_display = ["name", "id"]
    search_fields = ["name", "id"]
    ordering = ["name"]
    actions = ["finalize_due"]

    def has_finalize_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("invoicing.add_invoice")

    @admin.action(description="Finalize what is due", permissions=["finalize"])
    def finalize_due(self, request: HttpRequest, customers: QuerySet[DraftsOfCustomer]) -> HttpResponse | None:
        if are_too_many(request, customers, "customers"):
            return None
        if "confirmed" not in request.POST:
            return self._asked(request, customers)
        for customer in customers:
            outcome = services.finalize_due(customer.pk, at=clock.now(), by=Actor.of(request))
            numbers = ", ".join(invoice.number for invoice in outcome.finalized) or "nothing was due"
            self.message_user(request, f"{customer}: {numbers}.")
            for _, refusal in outcome.held:
                self.message_user(request, f"{customer}: {refusal.message}", messages.ERROR)
        return None

    def _asked(self, request: HttpRequest, customers: QuerySet[DraftsOfCustomer]) -> HttpResponse:
        """What would be final, as the drafts were last computed."""
        at, chosen = clock.now(), [customer.pk for customer in customers]
        due = DraftSummary.objects.filter(customer__in=chosen, finalizes_at__lte=at).order_by("customer__name", "id")
        drafts = list(due.select_related("customer", "unit"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Finalize what is due",
            "opts": self.opts,
            "drafts": [row_of(draft, at) for draft in drafts],
            "totals": by_currency([draft for draft in drafts if not draft.holds]),
            "chosen": chosen,
        }
        return TemplateResponse(request, "admin/invoicing/draftsofcustomer/finalize.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The drafts of one customer; POST finalizes one of them."""
        customer = self.get_object(request, object_id)
        if customer is None:
            self.message_user(request, f"There is no customer {object_id}.", messages.ERROR)
            return HttpResponseRedirect(reverse("admin:invoicing_draftsofcustomer_changelist"))
        if not self.has_view_permission(request, customer):
            raise PermissionDenied
        if request.method == "POST":
            return self._finalize(request, customer)
        at = clock.now()
        units = {unit.pk: unit.to_unit() for unit in PricingUnit.objects.all()}
        asked = KnownThen(request.GET, at=at)
        as_of = asked.instant()
        drafts = drafts_of(customer.pk, at=at, as_of=as_of)
        present = {} if as_of is None else documents_by_id(customer.pk, {draft.id for draft in drafts}, at=at)
        may_price = request.user.has_perm("pricing.add_rate")
        cards = cards_of_contracts({draft.contract_id for draft in drafts}) if may_price else {}
        held = {} if as_of else held_texts(customer.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Drafts of {customer}",
            "opts": self.opts,
            "customer": customer,
            "at": at,
            "asked": asked,
            "as_of": as_of,
            "drafts": [
                DraftCard.of(
                    draft, units, cards, at, None if as_of is None else present_text(present.get(draft.id), units), held
                )
                for draft in drafts
            ],
            "may_finalize": self.has_finalize_permission(request) and as_of is None,
            "may_decide": request.user.has_perm("invoicing.add_holddecision") and as_of is None,
        }
        return TemplateResponse(request, "admin/invoicing/draftsofcustomer/drafts.html", context)

    def _finalize(self, request: HttpRequest, customer: DraftsOfCustomer) -> HttpResponse:
        if not self.has_finalize_permission(request):
            raise PermissionDenied
        try:
            draft_id = UUID(request.POST.get("draft_id", ""))
            invoice = services.finalize_invoice(customer.pk, draft_id, at=clock.now(), by=Actor.of(request))
        except ValueError:
            self.message_user(request, "That is not the id of a draft.", messages.ERROR)
        except Refusal as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
        else:
            said = f"Finalized {invoice.number}." if invoice else "Settled: nothing was left to be billed."
            self.message_user(request, said)
        return HttpResponseRedirect(reverse("admin:invoicing_draftsofcustomer_change", args=[customer.pk]))


@dataclass(frozen=True, slots=True)
class DraftCard:
    """A draft in finished words; the template adds nothing."""

    id: UUID
    contract_id: UUID
    title: str
    total: str
    totals: list[Fact]
    when: str
    is_due: bool
    is_usage: bool
    lines: list[PrintedLine]
    findings: list[FindingCard]
    holds: list[str]

    @classmethod
    def of(
        cls,
        draft: ShownDocument,
        units: Mapping[UUID, Unit],
        cards: Mapping[UUID, UUID],
        at: datetime,
        present: str | None = None,
        held: Mapping[UUID, list[str]] = MappingProxyType({}),
    ) -> "DraftCard":
        """`present` says what has become of a draft of the past; `held` why drafts are held."""
        assert draft.finalizes_at is not None
        titles = {
            Invoice.Kind.USAGE: "Usage",
            Invoice.Kind.TRUE_UP: "True-up",
            Invoice.Kind.CHARGES: "Scheduled",
            Invoice.Kind.ADJUSTMENT: "Late usage",
        }
        when = "Waits for the usage before it; not before" if draft.waits_for else "Falls due"
        dated = period_text(draft.period) if draft.period else day_text(draft.issued_at)
        return cls(
            id=draft.id,
            contract_id=draft.contract_id,
            title=f"{titles[Invoice.Kind(draft.kind)]}, {dated}",
            total=exact_text(draft.total, units[draft.unit_id]),
            totals=list(totals_of(draft, units[draft.unit_id])),
            when=f"{when} {instant_text(draft.finalizes_at)}." if present is None else present,
            is_due=draft.finalizes_at <= at,
            is_usage=draft.kind == Invoice.Kind.USAGE,
            lines=[PrintedLine.of(line, units[line.unit_id]) for line in draft.lines],
            findings=[FindingCard.of(finding, cards) for finding in draft.findings],
            holds=held.get(draft.id, []),
        )
