"""Final documents in the admin: as they read on paper first, and what they were made of below."""

from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from billing_site.foundation.admin import (
    FactAdmin,
    ReadOnlyInline,
    WithReader,
    instant_cell,
    money_column,
    number_cell,
)
from billing_site.foundation.display import NOTHING, exact_text, instant_text
from billing_site.foundation.money import Unit
from billing_site.foundation.periods import floor_day
from invoicing.admin.invoice_list import FinanceList
from invoicing.admin.voids import TakingBack
from invoicing.models import Invoice, InvoiceLine
from invoicing.printing.lines import PrintedLine
from invoicing.printing.page import total_facts
from invoicing.queries.shown import shown_line
from invoicing.wording import invoice_text
from pricing.models import PricingUnit


class LinesInline(ReadOnlyInline):
    """The lines in the words in which they are printed."""

    model = InvoiceLine
    verbose_name_plural = "lines"
    ordering = ["position"]
    fields = ["position", "described", "time", "number_used", "number_price", "number_amount"]
    readonly_fields = ["described", "time", "number_used", "number_price", "number_amount"]

    @cached_property
    def units(self) -> dict[UUID, Unit]:
        """All there are: an inline lives for one request."""
        return {unit.pk: unit.to_unit() for unit in PricingUnit.objects.all()}

    def printed(self, line: InvoiceLine) -> PrintedLine:
        shown = shown_line(line)
        return PrintedLine.of(shown, self.units[shown.unit_id])

    @admin.display(description="Line")
    def described(self, line: InvoiceLine) -> str:
        printed = self.printed(line)
        return format_html("{} <small>{}</small>", printed.name, printed.kind) if printed.kind else printed.name

    @admin.display(description="Time")
    def time(self, line: InvoiceLine) -> str:
        return self.printed(line).period

    @admin.display(description="Quantity")
    def number_used(self, line: InvoiceLine) -> str:
        return number_cell(self.printed(line).quantity)

    @admin.display(description="Unit price")
    def number_price(self, line: InvoiceLine) -> str:
        return number_cell(self.printed(line).unit_price)

    @admin.display(description="Amount")
    def number_amount(self, line: InvoiceLine) -> str:
        printed = self.printed(line)
        return number_cell(printed.amount if printed.counts else f"{printed.amount} (not in the total)")


@admin.register(Invoice)
class InvoiceAdmin(WithReader, TakingBack, FinanceList, FactAdmin):
    """Final documents. Drafts are not rows: see Drafts."""

    nothing_yet = "Documents that are final. A draft becomes final when its grace period is over: see Drafts."
    list_display = [
        "number",
        "customer",
        "billed_for",
        "issued",
        "due",
        "money_total",
        "standing",
        "printed",
    ]
    actions = ["void", "regenerate"]
    money_total = money_column("Total", amount="total")
    list_select_related = ["customer", "unit", "void"]
    ordering = ["-issued_at", "number"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    *("number", "standing_in_words", "customer", "contract", "billed_for", "issued", "due"),
                    *("how_it_adds_up", "printed", "correct"),
                ]
            },
        ),
        (
            "What it was made of",
            {
                "classes": ["collapse"],
                "fields": [
                    *("finalized_at", "finalized_by", "publication", "edit_number", "snapshot", "money_version"),
                    *("exact_total", "kind", "slot", "generation", "regenerated_from", "content_hash"),
                ],
            },
        ),
        ("As it was frozen", {"classes": ["collapse"], "fields": ["customer_name", "details", "terms"]}),
    ]
    readonly_fields = [
        *("standing_in_words", "billed_for", "issued", "due", "how_it_adds_up", "printed", "correct"),
        *("exact_total", "content_hash"),
    ]
    inlines = [LinesInline]

    @admin.display(description="For", ordering="starting_at")
    def billed_for(self, invoice: Invoice) -> str:
        return invoice_text(invoice)

    @admin.display(description="Issued", ordering="issued_at")
    def issued(self, invoice: Invoice) -> str:
        return instant_cell(floor_day(invoice.issued_at))  # notes are issued at an instant; its day is enough here

    @admin.display(description="Due", ordering="due_at")
    def due(self, invoice: Invoice) -> str:
        return instant_cell(invoice.due_at) if invoice.due_at else NOTHING

    @admin.display(description="Status")
    def standing(self, invoice: Invoice) -> str:
        return format_html('<span class="house-held">{}</span>', "void") if hasattr(invoice, "void") else "final"

    @admin.display(description="Status")
    def standing_in_words(self, invoice: Invoice) -> str:
        """Who made it final and when, and who took it back."""
        final = f"Final since {instant_text(invoice.finalized_at)}, by {invoice.finalized_by}."
        if not hasattr(invoice, "void"):
            return final
        void = invoice.void
        why = f"Void since {instant_text(void.voided_at)}, by {void.voided_by}: {void.reason}"
        return format_html('<span class="house-badge bad">void</span> {}<br>{}', why, final)

    @admin.display(description="Total")
    def how_it_adds_up(self, invoice: Invoice) -> str:
        facts = total_facts(
            invoice.details.get("tax_lines", ()), invoice.subtotal, invoice.total, invoice.unit.to_unit()
        )
        *steps, total = facts
        before = format_html_join("", "{}: {}<br>", ((fact.label, fact.text) for fact in steps))
        return format_html("{}{}", before, total.text)

    @admin.display(description="Total before rounding")
    def exact_total(self, invoice: Invoice) -> str:
        return exact_text(invoice.unrounded_total, invoice.unit.to_unit())

    @admin.display(description="Printed")
    def printed(self, invoice: Invoice) -> str:
        ways = [("portal_invoice", "Page"), ("portal_invoice_pdf", "PDF")]
        if invoice.kind == Invoice.Kind.USAGE:
            ways.append(("portal_compared", "Against the period before"))
        where = [invoice.customer_id, invoice.pk]
        links = [(reverse(way, args=where), said) for way, said in ways]
        return format_html_join(" · ", '<a href="{}">{}</a>', links)

    @admin.display(description="Notes")
    def correct(self, invoice: Any) -> str:
        notes = Invoice.objects.filter(note__about=invoice).order_by("finalized_at", "number")
        links = [(reverse("admin:invoicing_invoice_change", args=[note.pk]), str(note)) for note in notes]
        may_enter = invoice.reader.has_perm("invoicing.add_enterednote")
        if may_enter and invoice.kind != Invoice.Kind.NOTE and not hasattr(invoice, "void"):
            links.append((reverse("admin:invoicing_note_enter", args=[invoice.pk]), "Enter a note by hand"))
        return format_html_join(" · ", '<a href="{}">{}</a>', links)

    @admin.display(description="SHA-256 of the document")
    def content_hash(self, invoice: Invoice) -> str:
        return bytes(invoice.document_hash).hex()
