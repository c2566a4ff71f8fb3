"""The page on which a subscription is changed, with its effect before it is made."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from billing_site.foundation import clock
from billing_site.foundation.refusals import Refusal
from billing_site.foundation.transactions import read_snapshot
from contracts import services
from contracts.forms.choices import contract_name
from contracts.forms.subscription_edits import SubscriptionEditForm
from contracts.queries import agreement, last_edit_number
from contracts.subscription_wording import subscription_name, subscription_text
from invoicing.admin.looked_at import is_saved_as_seen, mark_of
from invoicing.admin.recurring import page_of_contract
from invoicing.admin.screens import PreviewCard
from invoicing.queries.preview import preview_edit


class SubscriptionEditPage:
    """What the admin of contracts has besides its own pages."""

    @method_decorator(csrf_protect)
    def edit_subscription_view(self, request: HttpRequest, contract_id: UUID, subscription_id: UUID) -> HttpResponse:
        """What is made is what was looked at: a form that has changed since its preview is previewed again."""
        if not request.user.has_perm("contracts.change_contract"):
            raise PermissionDenied
        contract = self._contract(request, contract_id)  # type: ignore[attr-defined]
        customer, at, leave = contract.customer, clock.now(), page_of_contract(contract_id)
        agreed = agreement(customer.pk, contract_id)
        found = next((each for each in agreed.subscriptions if each.subscription.pk == subscription_id), None)
        if found is None:
            raise Http404("There is no such subscription.")
        based_on = last_edit_number(customer.pk, contract_id)
        form = SubscriptionEditForm(found, request.POST or None, at=at, based_on_edit=based_on)
        preview, previewed = None, ""
        if request.method == "POST" and form.is_valid():
            given = form.to_input()
            previewed = mark_of(given)
            try:
                if is_saved_as_seen(request, previewed):
                    told = self.told(request)  # type: ignore[attr-defined]
                    edit = services.edit_contract(customer, contract_id, given, **told)
                    messages.success(request, f"{edit} is made.")
                    return HttpResponseRedirect(leave)
                with read_snapshot():
                    shown = preview_edit(customer.pk, contract_id, given, at=at)
                preview = PreviewCard.of(shown, contract.billed_through, is_changed="save" in request.POST)
            except services.EditedMeanwhile as refusal:
                # What was typed was about terms that stand no longer.
                form = SubscriptionEditForm(found, at=at, based_on_edit=based_on)
                messages.error(request, refusal.message)
            except Refusal as refusal:
                form.show(refusal)
        context: dict[str, Any] = {
            "title": f"Change the subscription {subscription_name(found.subscription, found.terms)}",
            "heading": subscription_text(found),
            "of_what": contract_name(agreed),
            "leave": leave,
            "form": form,
            "preview": preview,
            "previewed": previewed,
            "media": form.media,
        }
        return self._balance_page(request, customer, "commit_edit", **context)  # type: ignore[attr-defined]
