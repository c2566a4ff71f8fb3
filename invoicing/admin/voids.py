"""Voiding and regenerating documents from their list: a page says first what will happen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.admin import are_too_many
from billing_site.foundation.display import amount_text, exact_text, quantity_text
from billing_site.foundation.money import Unit
from billing_site.foundation.refusals import Refusal
from contracts.models import Commit
from invoicing import services
from invoicing.admin.invoice_list import totals_of
from invoicing.models import Invoice, InvoiceLine, InvoiceVoid
from invoicing.services.voiding import refuse_to_regenerate
from invoicing.wording import invoice_text
from ledger.models import LedgerEntry
from pricing.models import PricingUnit


@dataclass(frozen=True, slots=True)
class Told:
    """A document that would be voided, in finished words."""

    number: str
    customer: str
    total: str
    gives_back: list[str]


@dataclass(frozen=True, slots=True)
class Replaced:
    """A document that would be regenerated, in finished words; `becomes` says what of it."""

    number: str
    customer: str
    billed_for: str
    total: str
    becomes: str
    is_made: bool

    @classmethod
    def of(cls, invoice: Invoice, made: Invoice | None) -> "Replaced":
        refused = ""
        try:
            refuse_to_regenerate(invoice)
        except Refusal as refusal:
            refused = refusal.message
        becomes = f"It is replaced by {made} already." if made else refused
        total = amount_text(invoice.total, invoice.unit.to_unit())
        whose = str(invoice.customer)
        anew = "A document with a number of its own, final at once."
        return cls(str(invoice), whose, invoice_text(invoice), total, becomes or anew, is_made=not becomes)


class TakingBack:
    """Actions of the list of documents."""

    admin_site: Any
    opts: Any
    message_user: Any

    def has_take_back_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("invoicing.add_invoicevoid")

    @admin.action(description="Void…", permissions=["take_back"])
    def void(self, request: HttpRequest, invoices: QuerySet[Invoice]) -> HttpResponse | None:
        if are_too_many(request, invoices, "documents"):
            return None
        chosen = list(invoices.select_related("customer", "unit").order_by("customer__name", "number"))
        if "reason" in request.POST:
            for invoice in chosen:
                self._void(request, invoice)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Void documents",
            "opts": self.opts,
            "documents": list(told_of(chosen)),
            "totals": totals_of(Invoice.objects.filter(pk__in=[invoice.pk for invoice in chosen])),
            "chosen": [invoice.pk for invoice in chosen],
        }
        return TemplateResponse(request, "admin/invoicing/invoice/void.html", context)

    def _void(self, request: HttpRequest, invoice: Invoice) -> None:
        reason, by = request.POST["reason"], Actor.of(request)
        try:
            services.void_invoice(invoice.customer_id, invoice.pk, reason=reason, at=clock.now(), by=by)
        except Refusal as refusal:
            self.message_user(request, f"{invoice}: {refusal.message}", messages.ERROR)
        else:
            then = "waits to be regenerated" if invoice.is_regenerated_once_void else "its usage is on the next invoice"
            self.message_user(request, f"{invoice} of {invoice.customer} is void and {then}.")

    @admin.action(description="Regenerate…", permissions=["take_back"])
    def regenerate(self, request: HttpRequest, invoices: QuerySet[Invoice]) -> HttpResponse | None:
        if are_too_many(request, invoices, "documents"):
            return None
        related = ("customer", "unit", "contract", "void")
        chosen = list(invoices.select_related(*related).order_by("issued_at", "number"))
        if "confirmed" not in request.POST:
            found = Invoice.objects.filter(regenerated_from__invoice__in=chosen).select_related("regenerated_from")
            anew = {each.regenerated_from.invoice_id: each for each in found if each.regenerated_from}
            documents = [Replaced.of(invoice, anew.get(invoice.pk)) for invoice in chosen]
            context = {
                **self.admin_site.each_context(request),
                "title": "Regenerate void documents",
                "opts": self.opts,
                "documents": documents,
                "any_made": any(document.is_made for document in documents),
                "chosen": [invoice.pk for invoice in chosen],
            }
            return TemplateResponse(request, "admin/invoicing/invoice/regenerate.html", context)
        for invoice in chosen:
            try:
                made = services.regenerate_invoice(
                    invoice.customer_id, invoice.pk, at=clock.now(), by=Actor.of(request)
                )
            except Refusal as refusal:
                self.message_user(request, f"{invoice}: {refusal.message}", messages.ERROR)
            else:
                self.message_user(request, f"{invoice} is replaced by {made}.")
        return None


def told_of(invoices: Sequence[Invoice]) -> Iterator[Told]:
    """Six queries, however many there are."""
    entries = LedgerEntry.objects.filter(invoice_id__in=[invoice.pk for invoice in invoices])
    entries = entries.exclude(amount=0).order_by("timestamp", "id")
    commits = Commit.objects.select_related("unit").in_bulk([entry.commit_id for entry in entries])
    held_in: dict[str, tuple[str, Unit | None]] = _applied(invoices)
    held_in |= {str(commit.pk): (commit.name, commit.held_in) for commit in commits.values()}
    voids = set(InvoiceVoid.objects.filter(invoice__in=invoices).values_list("invoice_id", flat=True))
    for invoice in invoices:
        posted = [] if invoice.pk in voids else [entry for entry in entries if entry.invoice_id == invoice.pk]
        total = amount_text(invoice.total, invoice.unit.to_unit())
        gives_back = [_words(-entry.amount, *held_in.get(str(entry.commit_id), ("", None))) for entry in posted]
        yield Told(str(invoice), str(invoice.customer), total, gives_back)


def _applied(invoices: Sequence[Invoice]) -> dict[str, tuple[str, Unit | None]]:
    """How lines call a balance, and what it is held in, by commit: instances of what recurs, and what a renewal took
    over, have no row of their own."""
    lines = InvoiceLine.objects.filter(invoice__in=invoices, type="applied_commit_or_credit")
    units = {str(unit.pk): unit.to_unit() for unit in PricingUnit.objects.all()}
    return {
        said["commit_id"]: (name, None if "quantity_consumed" in said else units[said["credit_type"]["id"]])
        for name, said in lines.values_list("name", "details")
    }


def _words(amount: Decimal, name: str, unit: Unit | None) -> str:
    """Without a unit it counts what is sold."""
    text = quantity_text(amount) if unit is None else exact_text(amount, unit)
    return f"{text} to {name or 'a balance'}"
