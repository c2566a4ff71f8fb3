"""The pages on which a contract gets a subscription and on which one is changed, with the effect before it is made."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from billing_site.foundation import clock
from billing_site.foundation.admin import custom_fields_page
from billing_site.foundation.custom_fields import Entity
from contracts import services
from contracts.forms.choices import contract_name
from contracts.forms.subscription_edits import SubscriptionEditForm
from contracts.forms.subscriptions import SubscriptionForm
from contracts.inputs import EditInput
from contracts.models import Contract
from contracts.queries import agreement, last_edit_number
from contracts.subscription_wording import subscription_name, subscription_text
from invoicing.admin.looked_at import made_as_seen
from invoicing.admin.recurring import page_of_contract
from invoicing.admin.screens import PreviewCard
from invoicing.queries.preview import preview_edit

Form = SubscriptionEditForm | SubscriptionForm


class SubscriptionPages:
    """What the admin of contracts has besides its own pages."""

    @method_decorator(csrf_protect)
    def subscribe_view(self, request: HttpRequest, contract_id: UUID) -> HttpResponse:
        """A subscription more."""
        contract = self._contract_to_change(request, contract_id)
        named = contract_name(agreement(contract.customer_id, contract_id))
        form = SubscriptionForm(contract.rate_card, request.POST or None)
        return self._subscription_page(
            request, contract, form, form, title=f"Add a subscription to {named}", of_what=named, template="subscribe"
        )

    @method_decorator(csrf_protect)
    def edit_subscription_view(self, request: HttpRequest, contract_id: UUID, subscription_id: UUID) -> HttpResponse:
        contract, at = self._contract_to_change(request, contract_id), clock.now()
        agreed = agreement(contract.customer_id, contract_id)
        found = next((each for each in agreed.subscriptions if each.subscription.pk == subscription_id), None)
        if found is None:
            raise Http404("There is no such subscription.")
        based_on = last_edit_number(contract.customer_id, contract_id)
        return self._subscription_page(
            request,
            contract,
            SubscriptionEditForm(found, request.POST or None, at=at, based_on_edit=based_on),
            SubscriptionEditForm(found, at=at, based_on_edit=based_on),
            title=f"Change the subscription {subscription_name(found.subscription, found.terms)}",
            heading=subscription_text(found),
            custom_fields=custom_fields_page(Entity.SUBSCRIPTION, subscription_id),
            of_what=contract_name(agreed),
            template="term_edit",
        )

    def _contract_to_change(self, request: HttpRequest, contract_id: UUID) -> Contract:
        if not request.user.has_perm("contracts.change_contract"):
            raise PermissionDenied
        return self._contract(request, contract_id)  # type: ignore[attr-defined]

    def _subscription_page(
        self, request: HttpRequest, contract: Contract, form: Form, anew: Form, *, template: str, **context: Any
    ) -> HttpResponse:
        """`anew` is the form as it stands, for where something else was edited meanwhile."""
        customer, leave, told = contract.customer, page_of_contract(contract.pk), self.told(request)  # type: ignore[attr-defined]

        def preview(given: EditInput) -> PreviewCard:
            found = preview_edit(customer.pk, contract.pk, given, at=told["at"])
            return PreviewCard.of(found, contract.billed_through, is_changed="save" in request.POST)

        def make(given: EditInput) -> HttpResponse:
            messages.success(request, f"{services.edit_contract(customer, contract.pk, given, **told)} is made.")
            return HttpResponseRedirect(leave)

        shown = made_as_seen(request, form, preview=preview, make=make, anew=lambda: anew)
        if isinstance(shown, HttpResponse):
            return shown
        return self._balance_page(request, customer, template, **context, leave=leave, **shown)  # type: ignore[attr-defined]
