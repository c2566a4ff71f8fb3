"""The review queue, and the page on which a person holds a draft or releases it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.admin import Dressed, FactAdmin, instant_cell
from billing_site.foundation.display import amount_text, instant_text
from billing_site.foundation.periods import parse_instant
from billing_site.foundation.problems import REASON_LENGTH
from billing_site.foundation.refusals import NotFound, Refusal
from contracts.models import Contract
from invoicing import services
from invoicing.admin import releases
from invoicing.engine.reasons import (
    BY_HAND,
    FINANCE,
    NO_TAX_RATE,
    OPERATIONS,
    QUIET,
    REVENUE_OPERATIONS,
    REVIEWABLE,
    SILENT,
    Reason,
)
from invoicing.models import CustomerSummary, DraftSummary, HoldDecision, InvoiceVoid
from invoicing.queries.compute import computation
from invoicing.queries.holds import all_reasons, draft_or_silence
from invoicing.services.summaries import refresh_summary
from invoicing.wording import draft_text

PER_PAGE = 50
WHO = (REVENUE_OPERATIONS, OPERATIONS, FINANCE)


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """A reason in words, with the page on which it is mended."""

    text: str
    who: str
    since: str
    url: str

    @classmethod
    def of(cls, hold: dict[str, Any], draft: DraftSummary, at: datetime) -> "ReasonRow":
        since = parse_instant(hold["since"])
        when = f"since {instant_text(since)}" if since <= at else f"from {instant_text(since)} on"
        return cls(hold["message"], hold["who"], when, _mending_page(hold["kind"], draft))


@dataclass(frozen=True, slots=True)
class HeldRow:
    customer: str
    contract: str
    contract_url: str
    what: str
    draft_url: str
    amount: str
    reasons: list[ReasonRow]
    decide_url: str
    is_reviewable: bool
    chosen: str  # what its checkbox says; empty where something has to be mended first

    @classmethod
    def of(cls, draft: DraftSummary, at: datetime) -> "HeldRow":
        return cls(
            customer=draft.customer.name,
            contract=draft.contract_name or "Contract",
            contract_url=reverse("admin:contracts_contract_change", args=[draft.contract_id]),
            what=draft_text(draft, at),
            draft_url=draft_page(draft.customer_id, draft.pk),
            amount=amount_text(draft.total, draft.unit.to_unit()),
            reasons=[ReasonRow.of(hold, draft, at) for hold in draft.holds],
            decide_url=reverse("admin:invoicing_decide", args=[draft.customer_id, draft.pk]),
            is_reviewable=any(hold["is_reviewable"] for hold in draft.holds),
            chosen=str(draft.pk) if releases.is_releasable(draft) else "",
        )


@dataclass(frozen=True, slots=True)
class VoidRow:
    customer: str
    number: str
    amount: str
    reason: str
    since: str

    @classmethod
    def of(cls, void: InvoiceVoid) -> "VoidRow":
        invoice = void.invoice
        return cls(
            customer=invoice.customer_name,
            number=invoice.number,
            amount=amount_text(invoice.total, invoice.unit.to_unit()),
            reason=f"Voided by {void.voided_by}: {void.reason}",
            since=f"since {instant_text(void.voided_at)}",
        )


class WhyForm(Dressed, forms.Form):
    """Asks for a reason; it is the service that checks it."""

    reason = forms.CharField(max_length=REASON_LENGTH)

    def __init__(self, label: str, given: str = "", **options: Any) -> None:
        super().__init__(initial={"reason": given}, **options)
        self.fields["reason"].label = label


def draft_page(customer_id: UUID, draft_id: UUID) -> str:
    return f"{reverse('admin:invoicing_draftsofcustomer_change', args=[customer_id])}#draft-{draft_id}"


def held_rows(contract_id: UUID, *, at: datetime) -> list[HeldRow]:
    """The held drafts of a contract, as the summary of its customer says. One query."""
    held = DraftSummary.objects.filter(contract=contract_id).exclude(holds=[]).order_by("finalizes_at", "id")
    return [HeldRow.of(draft, at) for draft in held.select_related("customer", "unit")]


def held_texts(customer_id: UUID) -> dict[UUID, list[str]]:
    """Why each of the customer's drafts is held, without its findings, as its summary says. One query."""
    held = DraftSummary.objects.filter(customer=customer_id).exclude(holds=[])
    unlisted = {*REVIEWABLE, NO_TAX_RATE}
    return {draft.pk: [hold["message"] for hold in draft.holds if hold["kind"] in unlisted] for draft in held}


def _mending_page(kind: str, draft: DraftSummary) -> str:
    if kind == NO_TAX_RATE:
        return reverse("admin:contracts_taxrate_changelist")
    if kind in (QUIET, SILENT):
        return reverse("admin:ledger_activity")
    return draft_page(draft.customer_id, draft.pk)


@admin.register(HoldDecision)
class HoldDecisionAdmin(FactAdmin):
    """What people decided, kept for ever; and above it, what waits for them."""

    list_display = ["document_name", "customer", "kind", "reason", "created_by", "created"]
    list_filter = ["kind", "created_at"]
    list_select_related = ["customer"]
    search_fields = ["customer__name", "document_id", "created_by"]
    ordering = ["-created_at", "-money_version"]

    @admin.display(description="At", ordering="created_at")
    def created(self, decision: HoldDecision) -> str:
        return instant_cell(decision.created_at)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            *releases.urls(),
            path("queue/", view(self.queue), name="invoicing_review_queue"),
            path("<uuid:customer_id>/<uuid:draft_id>/", view(self.decide), name="invoicing_decide"),
            *super().get_urls(),
        ]

    def queue(self, request: HttpRequest) -> HttpResponse:
        """Every held draft of every customer, the most urgent first. Nothing is computed."""
        if not request.user.has_perm("invoicing.view_draftsummary"):
            raise PermissionDenied
        at, who = clock.now(), request.GET.get("who", "")
        held = DraftSummary.objects.exclude(holds=[]).order_by("finalizes_at", "id")
        if who in WHO:
            held = held.filter(holds__contains=[{"who": who}])
        page = Paginator(held.select_related("customer", "unit"), PER_PAGE).get_page(request.GET.get("page"))
        voids = InvoiceVoid.objects.waiting().select_related("invoice__unit").order_by("voided_at", "id")
        context = {
            **self.admin_site.each_context(request),
            "title": "Review queue",
            "opts": self.opts,
            "page": page,
            "rows": [HeldRow.of(draft, at) for draft in page],
            "who": who,
            "everybody": WHO,
            "voids": [VoidRow.of(void) for void in voids[:PER_PAGE]] if who in ("", FINANCE) else [],
            "troubles": list(CustomerSummary.objects.exclude(error="").select_related("customer").order_by("pk")[:3]),
            "may_decide": request.user.has_perm("invoicing.add_holddecision"),
        }
        return TemplateResponse(request, "admin/invoicing/holds/queue.html", context)

    def decide(self, request: HttpRequest, customer_id: UUID, draft_id: UUID) -> HttpResponse:
        """What holds a draft and what will happen; POST `verb` hold or release, with `reason` and the keys `seen`."""
        if not request.user.has_perm("invoicing.add_holddecision"):
            raise PermissionDenied
        at = clock.now()
        if request.method == "POST" and self._decided(request, customer_id, draft_id, at):
            return HttpResponseRedirect(reverse("admin:invoicing_review_queue"))
        try:
            computed = computation(customer_id, at=at)
        except NotFound as missing:
            raise Http404(missing.message) from missing
        draft = draft_or_silence(computed, draft_id)
        if draft is None:
            self.message_user(request, "There is no such draft: it may be final by now.", messages.ERROR)
            return HttpResponseRedirect(reverse("admin:invoicing_review_queue"))
        reasons = all_reasons(computed, at=at).get(draft_id, ())
        contract = Contract.objects.select_related("customer").get(pk=draft.contract_id)
        history = HoldDecision.objects.filter(customer=customer_id, document_id=draft_id).order_by("-money_version")
        context = {
            **self.admin_site.each_context(request),
            "title": "Hold or release",
            "opts": self.opts,
            "name": services.named(draft),
            "amount": amount_text(draft.total, draft.unit),
            "draft_url": draft_page(customer_id, draft_id),
            "to_mend": [reason for reason in reasons if not reason.is_reviewable],
            "to_review": [reason for reason in reasons if reason.is_reviewable],
            "is_held_by_hand": _is_held_by_hand(reasons),
            "is_due": draft.finalizes_at <= at,
            "due": instant_text(draft.finalizes_at),
            "customer": contract.customer,
            "contract": contract,
            "may_go": WhyForm("Why may it go?", request.POST.get("reason", ""), auto_id="release_%s")["reason"],
            "must_wait": WhyForm("Why must it wait?", auto_id="hold_%s")["reason"],
            "history": history,
        }
        return TemplateResponse(request, "admin/invoicing/holds/decide.html", context)

    def _decided(self, request: HttpRequest, customer_id: UUID, draft_id: UUID, at: datetime) -> bool:
        """Whether it was done; if not, the page says why not."""
        reason, by = request.POST.get("reason", ""), Actor.of(request)
        try:
            if request.POST.get("verb") == "hold":
                made = services.hold_draft(customer_id, draft_id, reason=reason, at=at, by=by)
            else:
                seen = request.POST.getlist("seen")
                made = services.release_draft(customer_id, draft_id, seen=seen, reason=reason, at=at, by=by)
        except Refusal as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return False
        refresh_summary(customer_id, at=at)  # so that the queue, which is shown next, says the same
        self.message_user(request, f"{made.document_name} is {made.get_kind_display()}.")
        return True


def _is_held_by_hand(reasons: Iterable[Reason]) -> bool:
    return any(reason.kind == BY_HAND for reason in reasons)
