"""The page on which a recurring commit or credit is changed, with its effect on what is still to come before it is
made."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from billing_site.foundation import clock
from billing_site.foundation.transactions import read_snapshot
from contracts import services
from contracts.forms.choices import contract_name
from contracts.forms.recurring_edits import RecurringEditForm
from contracts.inputs import EditInput
from contracts.models import RecurringCommit
from contracts.queries import agreement, customer_terms, last_edit_number
from contracts.recurring import still_to_come
from contracts.recurring_wording import difference_in_words, noun_and_name, recurring_text
from invoicing.admin.looked_at import made_as_seen
from invoicing.admin.screens import PreviewCard
from invoicing.queries.preview import preview_edit

SHOWN = 3  # instances to come


class RecurringEditPage:
    """What the admin of contracts has besides its own pages."""

    @method_decorator(csrf_protect)
    def edit_recurring_view(self, request: HttpRequest, contract_id: UUID, recurring_id: UUID) -> HttpResponse:
        if not request.user.has_perm("contracts.change_contract"):
            raise PermissionDenied
        contract = self._contract(request, contract_id)  # type: ignore[attr-defined]
        customer, at, leave = contract.customer, clock.now(), page_of_contract(contract_id)
        agreed = agreement(customer.pk, contract_id)
        recurring = next((each for each in agreed.recurring if each.now.recurring_id == recurring_id), None)
        if recurring is None:
            raise Http404("There is no such recurring commit or credit.")
        based_on = last_edit_number(customer.pk, contract_id)

        def preview(given: EditInput) -> PreviewCard:
            with read_snapshot():
                found = preview_edit(customer.pk, contract_id, given, at=at)
                to_come = grants_to_come(customer.pk, contract_id, given, recurring.now, at=at)
            card = PreviewCard.of(found, contract.billed_through, is_changed="save" in request.POST)
            return replace(card, notes=(*card.notes, *to_come))

        def make(given: EditInput) -> HttpResponse:
            edit = services.edit_contract(customer, contract_id, given, **self.told(request))  # type: ignore[attr-defined]
            messages.success(request, f"{edit} is made.")
            return HttpResponseRedirect(leave)

        form = RecurringEditForm(recurring, request.POST or None, based_on_edit=based_on)
        anew = partial(RecurringEditForm, recurring, based_on_edit=based_on)
        shown = made_as_seen(request, form, preview=preview, make=make, anew=anew)
        if isinstance(shown, HttpResponse):
            return shown
        return self._balance_page(  # type: ignore[attr-defined]
            request,
            customer,
            "term_edit",
            title=f"Change {noun_and_name(recurring.now)}",
            heading=recurring_text(recurring.now),
            of_what=contract_name(agreed),
            leave=leave,
            **shown,
        )


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
