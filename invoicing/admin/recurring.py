"""The page on which a recurring commit or credit is changed, with its effect on what is still to come before it is
made."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from billing_site.foundation import clock
from billing_site.foundation.refusals import Refusal
from billing_site.foundation.transactions import read_snapshot
from contracts import services
from contracts.forms.choices import contract_name
from contracts.forms.recurring_edits import RecurringEditForm
from contracts.inputs import EditInput
from contracts.models import RecurringCommit
from contracts.queries import agreement, customer_terms, last_edit_number
from contracts.recurring import still_to_come
from contracts.recurring_wording import difference_in_words, noun_and_name, recurring_text
from invoicing.admin.looked_at import is_saved_as_seen, mark_of
from invoicing.admin.screens import PreviewCard
from invoicing.queries.preview import preview_edit

SHOWN = 3  # instances to come


class RecurringEditPage:
    """What the admin of contracts has besides its own pages."""

    @method_decorator(csrf_protect)
    def edit_recurring_view(self, request: HttpRequest, contract_id: UUID, recurring_id: UUID) -> HttpResponse:
        """What is made is what was looked at: a form that has changed since its preview is previewed again."""
        if not request.user.has_perm("contracts.change_contract"):
            raise PermissionDenied
        contract = self._contract(request, contract_id)  # type: ignore[attr-defined]
        customer, at, leave = contract.customer, clock.now(), page_of_contract(contract_id)
        agreed = agreement(customer.pk, contract_id)
        recurring = next((each for each in agreed.recurring if each.now.recurring_id == recurring_id), None)
        if recurring is None:
            raise Http404("There is no such recurring commit or credit.")
        based_on = last_edit_number(customer.pk, contract_id)
        form = RecurringEditForm(recurring, request.POST or None, based_on_edit=based_on)
        preview, previewed = None, ""
        if request.method == "POST" and form.is_valid():
            given = form.to_input()
            previewed = mark_of(given)
            try:
                if is_saved_as_seen(request, previewed):
                    told = self.told(request)  # type: ignore[attr-defined]
                    messages.success(
                        request, f"{services.edit_contract(customer, contract_id, given, **told)} is made."
                    )
                    return HttpResponseRedirect(leave)
                with read_snapshot():
                    found = preview_edit(customer.pk, contract_id, given, at=at)
                    to_come = grants_to_come(customer.pk, contract_id, given, recurring.now, at=at)
                card = PreviewCard.of(found, contract.billed_through, is_changed="save" in request.POST)
                preview = replace(card, notes=(*card.notes, *to_come))
            except services.EditedMeanwhile as refusal:
                # What was typed was about terms that stand no longer.
                form = RecurringEditForm(recurring, based_on_edit=based_on)
                messages.error(request, refusal.message)
            except Refusal as refusal:
                form.show(refusal)
        context: dict[str, Any] = {
            "title": f"Change {noun_and_name(recurring.now)}",
            "heading": recurring_text(recurring.now),
            "of_what": contract_name(agreed),
            "leave": leave,
            "form": form,
            "preview": preview,
            "previewed": previewed,
            "media": form.media,
        }
        return self._balance_page(request, customer, "term_edit", **context)  # type: ignore[attr-defined]


def grants_to_come(
    customer_id: UUID, contract_id: UUID, given: EditInput, row: RecurringCommit, *, at: datetime
) -> Iterator[str]:
    """Which of the next instances would be others, in words. Drafts do not show those that have not begun."""
    sides = customer_terms(customer_id), services.terms_after_edit(customer_id, contract_id, given, at=at)
    before, after = (
        still_to_come(contract, row.recurring_id, at=at, most=SHOWN)
        for terms in sides
        for contract in terms.contracts
        if contract.id == contract_id
    )
    return difference_in_words(before, after, row)


def page_of_contract(contract_id: UUID) -> str:
    return reverse("admin:contracts_contract_change", args=[contract_id])
