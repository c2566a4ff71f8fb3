"""Proposed notes: what they would change and why, and the buttons that approve or dismiss them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.admin import FactAdmin
from billing_site.foundation.display import day_text, exact_text, period_text
from billing_site.foundation.money import Unit, exact_sum
from billing_site.foundation.refusals import Refusal
from contracts.models import Contract, Customer
from contracts.wording import EditInWords, history_in_words
from invoicing import services
from invoicing.admin.hand_notes import HandNotePages, entered_cards
from invoicing.engine.documents import Line
from invoicing.engine.notes.anew import Billed
from invoicing.models import Note, NoteDismissal, NoteSummary
from invoicing.queries.hand_notes import GivenByHand
from invoicing.queries.notes import Proposal, proposals

PER_PAGE = 50
DISMISSED = "Dismissed. It comes back as soon as the document calls for another note."


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """`was` and `now` are empty where a line only follows from others."""

    name: str
    was: str
    now: str
    difference: str

    @classmethod
    def of(cls, line: Line, total: Decimal, proposal: Proposal) -> "ChangedLine":
        def came_to(parts: list[Billed]) -> str:
            values = (*line.pricing_group_values, *line.presentation_group_values)
            mine = [
                each.part.amount
                for each in parts
                if (each.product_id, each.values, each.part.segment_id, each.unit)
                == (line.product_id, values, line.segment_id, line.unit)
            ]
            return exact_text(exact_sum(mine), line.unit) if line.parts else ""

        correction = proposal.correction
        name = line.name.partition(", adjustment of ")[0]
        if line.type == "applied_commit_or_credit":
            name = f"{name}, applied to the line before"
        return cls(name, came_to(list(correction.billed)), came_to(correction.standing), exact_text(total, line.unit))


@dataclass(frozen=True, slots=True)
class NoteCard:
    """A proposal in finished words."""

    about_id: UUID
    customer: Customer
    contract_id: UUID
    title: str
    difference: str  # the digest
    total: str
    balances: list[str]
    because: list[str]
    by_hand: list[str]
    lines: list[ChangedLine]
    findings: list[str]
    is_mine: bool


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """The head of a proposal, as it was when its customer's summary was made."""

    customer: Customer
    title: str
    total: str
    because: list[str]
    has_findings: bool

    @classmethod
    def of(cls, head: NoteSummary) -> "ProposalRow":
        about = head.about
        assert about.period is not None, "a usage document has a period"
        return cls(
            customer=head.customer,
            title=f"{about.number}, {period_text(about.period)}",
            total=exact_text(head.total, head.unit.to_unit()),
            because=head.because,
            has_findings=head.findings > 0,
        )


def cards_of(customer: Customer, *, by: Actor) -> Iterator[NoteCard]:
    """The customer's proposals, as `by` is to see them."""
    found = proposals(customer.pk, at=clock.now())
    contracts = Contract.objects.select_related("rate_card").in_bulk({each.about.contract_id for each in found})
    told = {pk: {edit.number: edit for edit in history_in_words(contract)} for pk, contract in contracts.items()}
    for each in found:
        unit = each.document.unit
        assert each.about.period is not None, "a usage document has a period"
        yield NoteCard(
            about_id=each.about.pk,
            customer=customer,
            contract_id=each.about.contract_id,
            title=f"{each.about.number}, {period_text(each.about.period)}",
            difference=each.difference,
            total=exact_text(each.note.total, unit),
            balances=list(_moves(each)),
            because=list(_because(each, told[each.about.contract_id])),
            by_hand=[_by_hand(given, unit) for given in each.by_hand],
            lines=[
                ChangedLine.of(line, total, each)
                for line, total in zip(each.document.lines, each.note.totals, strict=True)
                if total
            ],
            findings=[finding.message for finding in each.findings],
            is_mine=each.because.is_by(by),
        )


def _moves(proposal: Proposal) -> Iterator[str]:
    for balance, amount in proposal.correction.rerated.deductions.items():
        if amount:
            name = balance.commit.name or "a balance"
            text = _amount(abs(amount), None if balance.counts_units else balance.commit.unit)
            yield f"{text} given back to {name}" if amount < 0 else f"{text} more drawn on {name}"


def _by_hand(given: GivenByHand, unit: Unit) -> str:
    """ "CN-000001 of 5 November 2025 has given back $0.50 by hand (API calls: Outage on 3 October)."."""
    did = "given back" if given.amount < 0 else "charged"
    return (
        f"{given.number} of {day_text(given.issued_at)} has {did} {exact_text(abs(given.amount), unit)} by hand "
        f"({given.name})."
    )


def _amount(amount: Decimal, unit: Unit | None) -> str:
    return f"{amount.normalize():f} units" if unit is None else exact_text(amount, unit)


def _because(proposal: Proposal, told: Mapping[int, EditInWords]) -> Iterator[str]:
    for edit in proposal.because.edits:
        words = told.get(edit.number)
        changes = " ".join(words.changes) if words is not None else f"{edit.get_kind_display()}."
        why = f" “{edit.reason}”" if edit.reason else ""
        yield f"Edit {edit.number} by {edit.created_by} on {day_text(edit.created_at)}: {changes}{why}"
    for publication in proposal.because.publications:
        reason = publication.price_change.reason
        why = f": “{reason}”" if reason else "."
        when = day_text(publication.published_at)
        yield f"Prices of publication {publication.number} by {publication.published_by} on {when}{why}"


def _asked_for(request: HttpRequest) -> Customer | None:
    try:
        return Customer.objects.filter(pk=UUID(request.GET.get("customer", ""))).first()
    except ValueError:
        return None


@admin.register(Note)
class NoteAdmin(HandNotePages, FactAdmin):
    """Notes that were made; what is proposed is no row, and has a page of its own."""

    nothing_yet = "Credit and debit notes on final documents."
    list_display = ["invoice", "about", "customer", "is_rated", "reason"]
    list_select_related = ["invoice", "about", "customer"]
    search_fields = ["invoice__number", "about__number", "customer__name"]
    ordering = ["-invoice__finalized_at", "invoice_id"]
    exclude = ["standing"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.proposed_view)
        enter = self.admin_site.admin_view(self.enter_view)
        return [
            path("proposed/", view, name="invoicing_note_proposed"),
            path("enter/<uuid:invoice_id>/", enter, name="invoicing_note_enter"),
            *super().get_urls(),
        ]

    def proposed_view(self, request: HttpRequest) -> HttpResponse:
        """All that wait, without computing anything; or those of one customer (`?customer=`), line by line. POST
        decides on one."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._decide(request)
        by, one = Actor.of(request), _asked_for(request)
        heads = NoteSummary.objects.select_related("customer", "about", "unit").defer("about__terms", "about__details")
        heads = heads.order_by("about__ending_before", "id")
        page = Paginator(heads, PER_PAGE).get_page(request.GET.get("page")) if one is None else None
        context = {
            **self.admin_site.each_context(request),
            "title": "Proposed notes",
            "opts": self.opts,
            "entered": list(entered_cards(None if one is None else one.pk, by=by)),
            "cards": [] if one is None else list(cards_of(one, by=by)),
            "customer": one,
            "page": page,
            "rows": [ProposalRow.of(head) for head in page or ()],
            "may_approve": request.user.has_perm("invoicing.add_note"),
            "may_reject": request.user.has_perm("invoicing.add_enterednotedecision"),
            "may_dismiss": request.user.has_perm("invoicing.add_notedismissal"),
        }
        return TemplateResponse(request, "admin/invoicing/note/proposed.html", context)

    def _decide(self, request: HttpRequest) -> HttpResponse:
        query = request.GET.urlencode()
        back = HttpResponseRedirect(reverse("admin:invoicing_note_proposed") + (f"?{query}" if query else ""))
        if "entered_id" in request.POST:
            self.decide_entered(request)
            return back
        approves = "approve" in request.POST
        if not request.user.has_perm("invoicing.add_note" if approves else "invoicing.add_notedismissal"):
            raise PermissionDenied
        decide = services.approve_note if approves else services.dismiss_note
        reason, difference = request.POST.get("reason", ""), request.POST.get("difference", "")
        try:
            customer_id, about_id = UUID(request.POST["customer_id"]), UUID(request.POST["about_id"])
            made = decide(
                customer_id, about_id, difference=difference, reason=reason, at=clock.now(), by=Actor.of(request)
            )
        except (KeyError, ValueError):
            self.message_user(request, "That is not the id of a document.", messages.ERROR)
        except Refusal as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
        else:
            self.message_user(request, f"{made} is made." if approves else DISMISSED)
        return back


@admin.register(NoteDismissal)
class NoteDismissalAdmin(FactAdmin):
    list_display = ["about", "customer", "dismissed_at", "dismissed_by", "reason"]
    list_select_related = ["about", "customer"]
    search_fields = ["about__number", "customer__name"]
    ordering = ["-dismissed_at", "id"]
