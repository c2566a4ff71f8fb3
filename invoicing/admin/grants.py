"""The page on which a customer is granted a commit or credit of its own, with its effect before it is granted."""

import hashlib
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from billing_site.foundation import clock
from billing_site.foundation.refusals import Refusal
from contracts import services
from contracts.forms.shared_grants import SharedGrantForm
from contracts.models import Contract
from contracts.queries import agreements
from invoicing.admin.screens import PreviewCard
from invoicing.queries.preview import preview_shared_commit


class GrantPage:
    """What the admin of contracts has besides its own pages."""

    @method_decorator(csrf_protect)
    def grant_view(self, request: HttpRequest, customer_id: UUID) -> HttpResponse:
        """What is granted is what was looked at: a form that has changed since its preview is previewed again."""
        if not request.user.has_perm("contracts.change_contract"):
            raise PermissionDenied
        customer, at = self._customer(request, customer_id), clock.now()  # type: ignore[attr-defined]
        agreed = agreements(customer_id)
        form = SharedGrantForm(agreed, request.POST or None)
        preview, previewed = None, ""
        if request.method == "POST" and form.is_valid():
            given, told = form.to_input(), self.told(request)  # type: ignore[attr-defined]
            previewed = hashlib.sha256(repr(given).encode()).hexdigest()
            try:
                if "save" in request.POST and request.POST.get("previewed") == previewed:
                    commit = services.create_shared_commit(customer, given, reason=form.cleaned_data["reason"], **told)
                    messages.success(request, f"{commit} is granted.")
                    return HttpResponseRedirect(reverse("admin:contracts_customer_balances", args=[customer_id]))
                found = preview_shared_commit(customer_id, given, at=at)
                preview = PreviewCard.of(found, _billed_through(customer_id), is_changed="save" in request.POST)
            except Refusal as refusal:
                form.show(refusal)
        return self._balance_page(  # type: ignore[attr-defined]
            request,
            customer,
            "grant",
            title=f"Grant {customer.name} a commit or credit",
            form=form,
            preview=preview,
            previewed=previewed,
            media=form.media,
            has_contracts=bool(agreed),
        )


def _billed_through(customer_id: UUID) -> Any:
    """Up to when usage of any contract is final."""
    return Contract.objects.filter(customer=customer_id).aggregate(latest=Max("billed_through"))["latest"]
