"""Notes by hand: the page on which one is entered, seen first as it would be printed, and the cards of those that wait
for somebody else's approval."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.admin import Dressed, FactAdmin
from billing_site.foundation.display import day_text, exact_text
from billing_site.foundation.ids import uuid7
from billing_site.foundation.money import Unit, exact_sum
from billing_site.foundation.problems import NAME_LENGTH, REASON_LENGTH
from billing_site.foundation.refusals import Refusal
from contracts.forms.amounts import MajorField
from contracts.models import Customer
from invoicing import services
from invoicing.admin.looked_at import made_as_seen
from invoicing.engine.notes.by_hand import CREDIT, Creditable
from invoicing.models import EnteredNote, EnteredNoteDecision, Invoice, InvoiceVoid
from invoicing.printing.page import Fact, total_facts
from invoicing.queries.hand_notes import asked_in, creditable, previewed_note
from invoicing.services.hand_notes import NoteInput, NoteLineInput, checked_note, was_entered_by
from pricing.models import Product

SPARE_ROWS = 3
SOLD = ("USAGE", "COMPOSITE", "SUBSCRIPTION", "FIXED")


class HandNoteForm(Dressed, forms.Form):
    """A row in which nothing is typed is none. The hidden id keeps a form that is sent twice from entering two."""

    id = forms.UUIDField(widget=forms.HiddenInput)
    kind = forms.ChoiceField(choices=EnteredNote.Kind.choices, label="It is a")
    reason = forms.CharField(max_length=REASON_LENGTH, help_text="Why; kept with the note, and not printed.")

    def __init__(self, about: Invoice, found: Creditable, data: Any = None) -> None:
        super().__init__(data, initial={"id": uuid7()})
        self.unit = about.unit.to_unit()
        filled = 0 if data is None else sum(1 for name in data if name.endswith("_amount"))
        used = sum(1 for row in range(filled) if data is not None and data.get(f"row_{row}_amount"))
        self.places = range(max(used + SPARE_ROWS, filled))
        choices = list(_choices(found, self.unit))
        for row in self.places:
            amount = MajorField(label="Amount")
            amount.in_unit(self.unit)
            self.fields[f"row_{row}_subject"] = forms.ChoiceField(choices=choices, required=False, label="What")
            self.fields[f"row_{row}_amount"] = amount
            self.fields[f"row_{row}_reason"] = forms.CharField(
                max_length=NAME_LENGTH, required=False, label="Reason, as printed"
            )
        self.dress()

    @property
    def rows(self) -> list[list[forms.BoundField]]:
        return [[self[f"row_{row}_{field}"] for field in ("subject", "amount", "reason")] for row in self.places]

    @property
    def used(self) -> list[int]:
        return [
            row
            for row in self.places
            if any(self.cleaned_data.get(f"row_{row}_{field}") for field in ("subject", "amount", "reason"))
        ]

    def to_input(self) -> NoteInput:
        values = self.cleaned_data
        lines = tuple(self._line(row) for row in self.used)
        return NoteInput(values["id"], values["kind"], lines, values["reason"])

    def show(self, refusal: Refusal) -> None:
        """Beside the fields of their rows."""
        for error in refusal.errors:
            place, _, field = error.field.removeprefix("lines[").partition("].")
            field = field if field in ("amount", "reason") else "subject"
            name = f"row_{self.used[int(place)]}_{field}" if place.isdigit() else error.field
            is_seen = name in self.fields and name != "id"
            said = refusal.message if error.field == "id" else f"{error.rule[0].upper()}{error.rule[1:]}."
            self.add_error(name if is_seen else None, said)
        if not refusal.errors:
            self.add_error(None, refusal.message)

    def _line(self, row: int) -> NoteLineInput:
        values = self.cleaned_data
        kind, _, subject = values[f"row_{row}_subject"].partition(" ")
        return NoteLineInput(
            amount=values[f"row_{row}_amount"] or Decimal(0),
            reason=values[f"row_{row}_reason"],
            line=int(subject) if kind == "line" else None,
            product_id=UUID(subject) if kind == "product" else None,
        )


def _choices(found: Creditable, unit: Unit) -> Iterator[tuple[str, Any]]:
    yield "", "Neither a line nor a product"
    lines = [
        (f"line {line.position}", f"{line.position}. {line.name}: {exact_text(found.left_of(line), unit)} left")
        for line in found.lines
    ]
    yield "Lines of the document", lines
    products = Product.objects.filter(type__in=SOLD, archived_at=None).order_by("name", "id")
    yield "Products", [(f"product {product.pk}", product.name) for product in products]


@dataclass(frozen=True, slots=True)
class NotePreview:
    """The note as it would be printed. `problem` says why it could not be approved."""

    title: str
    lines: list[Fact]
    totals: list[Fact]
    problem: str


@dataclass(frozen=True, slots=True)
class EnteredCard:
    """A note that waits for approval, in finished words."""

    id: UUID
    about_id: UUID
    customer: Customer
    title: str
    total: str
    entered: str
    lines: list[Fact]
    is_mine: bool


def entered_cards(customer_id: UUID | None, *, by: Actor) -> Iterator[EnteredCard]:
    """What waits, oldest first: of one customer, or of all. One query."""
    waiting = EnteredNote.objects.waiting().select_related("about__unit", "customer").order_by("entered_at", "id")
    for entered in waiting if customer_id is None else waiting.filter(customer=customer_id):
        unit, sign = entered.about.unit.to_unit(), -1 if entered.kind == CREDIT else 1
        asked = asked_in(entered)
        yield EnteredCard(
            id=entered.pk,
            about_id=entered.about_id,
            customer=entered.customer,
            title=str(entered),
            total=exact_text(sign * exact_sum([each.amount for each in asked]), unit),
            entered=f"Entered by {entered.entered_by} on {day_text(entered.entered_at)}: “{entered.reason}”",
            lines=[
                Fact(": ".join(filter(None, [each.name, each.reason])), exact_text(sign * each.amount, unit))
                for each in asked
            ],
            is_mine=was_entered_by(entered, by),
        )


class HandNotePages:
    """What the admin of notes has besides its own pages."""

    admin_site: Any
    opts: Any
    message_user: Any

    @method_decorator(csrf_protect)
    def enter_view(self, request: HttpRequest, invoice_id: UUID) -> HttpResponse:
        if not request.user.has_perm("invoicing.add_enterednote"):
            raise PermissionDenied
        about = Invoice.objects.select_related("unit", "customer").filter(pk=invoice_id).first()
        if about is None:
            raise Http404("There is no such document.")
        if about.kind == Invoice.Kind.NOTE or InvoiceVoid.objects.filter(invoice=about).exists():
            self.message_user(request, f"{about} is a note, or void: there is nothing to correct.", messages.ERROR)
            return HttpResponseRedirect(reverse("admin:invoicing_invoice_change", args=[about.pk]))
        found = creditable(about)
        at = clock.now()

        def make(given: NoteInput) -> HttpResponse:
            services.enter_note(about.customer_id, about.pk, given, at=at, by=Actor.of(request))
            messages.success(request, "Entered. It is a note once somebody else has approved it.")
            return HttpResponseRedirect(f"{reverse('admin:invoicing_note_proposed')}?customer={about.customer_id}")

        form = HandNoteForm(about, found, request.POST or None)
        shown = made_as_seen(request, form, preview=partial(_preview, about, at=at), make=make)
        if isinstance(shown, HttpResponse):
            return shown
        context = {
            **self.admin_site.each_context(request),
            "title": f"A note on {about}",
            "opts": self.opts,
            "about": about,
            "left": exact_text(found.left, about.unit.to_unit()),
            **shown,
            "is_changed": "save" in request.POST,
        }
        return TemplateResponse(request, "admin/invoicing/note/enter.html", context)

    def decide_entered(self, request: HttpRequest) -> None:
        """Raises PermissionDenied."""
        approves = "approve" in request.POST
        if not request.user.has_perm("invoicing.add_note" if approves else "invoicing.add_enterednotedecision"):
            raise PermissionDenied
        reason, at, by = request.POST.get("reason", ""), clock.now(), Actor.of(request)
        decide = services.approve_entered_note if approves else services.reject_entered_note
        try:
            customer_id, entered_id = UUID(request.POST["customer_id"]), UUID(request.POST["entered_id"])
            made = decide(customer_id, entered_id, reason=reason, at=at, by=by)
        except (KeyError, ValueError):
            self.message_user(request, "That is not the id of a note.", messages.ERROR)
        except Refusal as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
        else:
            self.message_user(request, f"{made} is made." if approves else "Rejected. The document stays as it is.")


def _preview(about: Invoice, given: NoteInput, *, at: datetime) -> NotePreview:
    """Raises Refusal."""
    note, taxed = previewed_note(about, given.kind, checked_note(about, given), at=at)
    unit = about.unit.to_unit()
    lines = [
        Fact(line.name, exact_text(total, unit)) for line, total in zip(note.document.lines, note.totals, strict=True)
    ]
    total = exact_sum([note.total, taxed.total])
    return NotePreview(
        title=f"{EnteredNote.Kind(given.kind).label.capitalize()} on {about}",
        lines=lines,
        totals=list(total_facts(taxed.fields().get("tax_lines", ()), note.total, total, unit)),
        problem=taxed.problem,
    )


@admin.register(EnteredNote)
class EnteredNoteAdmin(FactAdmin):
    """What was entered, decided on or not."""

    nothing_yet = "Notes that somebody has asked for: “Enter a note by hand” on the page of a final document."
    list_display = ["__str__", "customer", "entered_by", "entered_at", "decision", "reason"]
    list_select_related = ["about", "customer", "decision"]
    list_filter = ["kind", "entered_at"]
    search_fields = ["about__number", "customer__name", "entered_by"]
    ordering = ["-entered_at", "id"]


@admin.register(EnteredNoteDecision)
class EnteredNoteDecisionAdmin(FactAdmin):
    nothing_yet = "Who has approved or rejected notes that were entered by hand, and why."
    list_display = ["entered", "customer", "__str__", "decided_by", "decided_at", "reason"]
    list_select_related = ["entered__about", "customer"]
    search_fields = ["entered__about__number", "customer__name", "decided_by"]
    ordering = ["-decided_at", "entered_id"]
