"""The page on which a commit or credit is changed, of a contract or of the customer, with its effect before it is
made."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from billing_site.foundation import clock
from billing_site.foundation.admin import custom_fields_page
from billing_site.foundation.custom_fields import Entity
from billing_site.foundation.refusals import NotFound
from contracts import services
from contracts.forms.balance_edits import CommitEditForm
from contracts.inputs import CommitChangeInput
from contracts.models import Commit, Contract
from contracts.queries import agreements, last_edit_number
from invoicing.admin.looked_at import made_as_seen
from invoicing.admin.screens import PreviewCard
from invoicing.queries.preview import preview_commit_edit


class CommitEditPage:
    """What the admin of contracts has besides its own pages."""

    @method_decorator(csrf_protect)
    def edit_commit_view(self, request: HttpRequest, commit_id: UUID) -> HttpResponse:
        if not request.user.has_perm("contracts.change_contract"):
            raise PermissionDenied
        row = Commit.objects.select_related("customer").filter(pk=commit_id).first()
        if row is None:
            raise Http404("There is no such commit or credit.")
        customer, types, at = row.customer, Commit.Type.values, clock.now()
        try:
            committed = services.standing_commit(customer.pk, commit_id, types, at=at)
        except NotFound as refusal:
            raise Http404(refusal.message) from refusal
        fresh: dict[str, Any] = {
            "at": at,
            "agreed": agreements(customer.pk),
            "based_on_edit": last_edit_number(customer.pk, row.contract_id),
        }
        form = CommitEditForm(committed, request.POST or None, **fresh)

        def preview(given: CommitChangeInput) -> PreviewCard:
            found = preview_commit_edit(customer.pk, given, types=types, at=at)
            return PreviewCard.of(found, _billed_through(row), is_changed="save" in request.POST)

        def make(given: CommitChangeInput) -> HttpResponse:
            services.edit_commit(
                customer.pk,
                given,
                types=types,
                reason=form.cleaned_data["reason"],
                based_on_edit=form.cleaned_data["based_on_edit"],
                **self.told(request),  # type: ignore[attr-defined]
            )
            messages.success(request, f"{committed.commit} is changed.")
            return HttpResponseRedirect(page_of_commit(row))

        anew = partial(CommitEditForm, committed, **fresh)
        shown = made_as_seen(request, form, preview=preview, make=make, anew=anew)
        if isinstance(shown, HttpResponse):
            return shown
        return self._balance_page(  # type: ignore[attr-defined]
            request,
            customer,
            "term_edit",
            title=f"Change {committed.commit}",
            heading=committed.commit,
            custom_fields=custom_fields_page(Entity.CONTRACT_CREDIT if row.is_credit else Entity.COMMIT, row.pk),
            of_what=customer,
            leave=page_of_commit(row),
            **shown,
        )


def page_of_commit(commit: Commit) -> str:
    """Where a commit is looked at: at its contract, or among the balances of its customer."""
    if commit.contract_id:
        return reverse("admin:contracts_contract_change", args=[commit.contract_id])
    return reverse("admin:contracts_customer_balances", args=[commit.customer_id])


def _billed_through(commit: Commit) -> Any:
    """Up to when usage that may have drawn on it is final."""
    contracts = Contract.objects.filter(customer=commit.customer_id)
    if commit.contract_id:
        contracts = contracts.filter(pk=commit.contract_id)
    return contracts.aggregate(latest=Max("billed_through"))["latest"]
