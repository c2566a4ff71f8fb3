"""The page on which somebody records what became of the payment that a commit waits for: it says first what follows."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from billing_site.foundation.admin import Dressed
from billing_site.foundation.display import amount_text, day_text, exact_text, instant_text
from billing_site.foundation.money import exact_sum
from billing_site.foundation.periods import floor_hour
from billing_site.foundation.problems import REASON_LENGTH
from billing_site.foundation.refusals import Refusal
from contracts.commit_wording import commit_text, gate_text, noun_and_name, payment_text
from contracts.models import PaymentGate, PaymentOutcome
from invoicing import services
from invoicing.admin.commits import page_of_commit
from invoicing.services.payments import AwaitedPayment

Outcome = PaymentOutcome.Outcome


class PaymentForm(Dressed, forms.Form):
    outcome = forms.ChoiceField(choices=Outcome.choices)  # the button that is pressed
    reason = forms.CharField(
        max_length=REASON_LENGTH, help_text="How you know: a transfer, a receipt. Kept with the edit and shown."
    )


class PaymentPage:
    """What the admin of contracts has besides its own pages."""

    @method_decorator(csrf_protect)
    def record_payment_view(self, request: HttpRequest, commit_id: UUID) -> HttpResponse:
        if not request.user.has_perm("contracts.add_paymentoutcome"):
            raise PermissionDenied
        gate = PaymentGate.objects.select_related("commit__customer").filter(commit=commit_id).first()
        if gate is None:
            raise Http404("No payment is awaited for such a commit.")
        told: dict[str, Any] = self.told(request)  # type: ignore[attr-defined]
        page, refused, awaited = page_of_commit(gate.commit), "", None
        form = PaymentForm(request.POST or None)
        try:
            awaited = services.awaited_payment(gate.pk)
            if request.method == "POST" and form.is_valid():
                outcome, reason = Outcome(form.cleaned_data["outcome"]), form.cleaned_data["reason"]
                made = services.record_outcome(gate.customer_id, gate.pk, outcome, reason=reason, **told)
                messages.success(request, f"{payment_text(made)}.")
                return HttpResponseRedirect(page)
        except Refusal as refusal:
            refused = refusal.message
        return self._balance_page(  # type: ignore[attr-defined]
            request,
            gate.commit.customer,
            "payment",
            title=f"Payment for {noun_and_name(gate.commit)} of {gate.commit.customer.name}",
            page=page,
            refused=refused,
            form=form,
            media=form.media,
            is_open=awaited is not None and awaited.outcome is None,
            standing=list(_standing(awaited)) if awaited is not None else [],
            once_paid=_once_paid(awaited, told["at"]) if awaited is not None else "",
            once_failed=_once_failed(awaited) if awaited is not None else "",
        )


def _standing(awaited: AwaitedPayment) -> Iterator[str]:
    committed, invoice = awaited.committed, awaited.invoice
    assert committed.gate is not None, "access waits for it"
    yield f"{commit_text(committed)}."
    yield f"It {gate_text(committed.gate)}."
    if invoice is None:
        dates = ", ".join(day_text(item.issued_at) for item in committed.invoice_items)
        yield f"Its invoice is a draft until {dates}." if dates else "No invoice asks for it any more."
        return
    is_void = hasattr(invoice, "void")
    due = f", due on {day_text(invoice.due_at)}" if invoice.due_at and not is_void else ""
    total = amount_text(invoice.total, invoice.unit.to_unit())
    yield f"Invoice {invoice}: {total}{due}{', void' if is_void else ''}."


def _once_paid(awaited: AwaitedPayment, at: datetime) -> str:
    commit, left = awaited.committed.commit, awaited.usable_from(at)
    if not left:
        return "What it is for is over: nothing of it could be used. Extend its access first."
    amount = exact_text(exact_sum([each.amount for each in left]), commit.held_in)
    start = max(floor_hour(at), min(each.period.starting_at for each in left))
    lost = awaited.lost_by(at)
    over = f" {exact_text(lost, commit.held_in)} of it has ended and stays unused." if lost else ""
    return (
        f"{amount} can be used from {instant_text(start)} on. What was used earlier stays charged as it is, on drafts, "
        f"too.{over}"
    )


def _once_failed(awaited: AwaitedPayment) -> str:
    invoice = awaited.invoice
    if invoice is None:
        return "Its draft is gone, and nothing of it can ever be used."
    if hasattr(invoice, "void"):
        return "Nothing of it can ever be used; its invoice is void already."
    return f"{invoice} is voided, none is made in its place, and nothing of the commit can ever be used."


def may_record_payment(request: HttpRequest, gate: Any) -> bool:
    return gate is not None and gate.is_waiting and request.user.has_perm("contracts.add_paymentoutcome")
