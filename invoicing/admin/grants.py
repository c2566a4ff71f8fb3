"""The pages on which a customer, or one of its contracts, is granted a commit or credit, with its effect before it is
granted."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from contracts import services
from contracts.forms.choices import contract_name
from contracts.forms.contract_grants import ContractGrantForm
from contracts.forms.shared_grants import SharedGrantForm
from contracts.inputs import EditInput, SharedCommitInput
from contracts.models import Contract, Customer
from contracts.queries import agreement, agreements
from invoicing.admin.looked_at import made_as_seen
from invoicing.admin.screens import PreviewCard
from invoicing.queries.preview import Preview, preview_edit, preview_shared_commit


class GrantPages:
    """What the admin of contracts has besides its own pages."""

    @method_decorator(csrf_protect)
    def grant_view(self, request: HttpRequest, customer_id: UUID) -> HttpResponse:
        """One of the customer's own, which contracts share."""
        self._may_grant(request)
        customer = self._customer(request, customer_id)  # type: ignore[attr-defined]
        agreed = agreements(customer_id)

        def grant(given: SharedCommitInput, reason: str, **told: Any) -> str:
            return f"{services.create_shared_commit(customer, given, reason=reason, **told)} is granted."

        return self._grant_page(
            request,
            customer,
            SharedGrantForm(agreed, request.POST or None),
            whom=customer.name,
            leave=reverse("admin:contracts_customer_balances", args=[customer_id]),
            preview=lambda given, at: preview_shared_commit(customer_id, given, at=at),
            grant=grant,
            billed_through=_billed_through(customer_id),
            is_shared=True,
            has_contracts=bool(agreed),
        )

    @method_decorator(csrf_protect)
    def grant_of_contract_view(self, request: HttpRequest, contract_id: UUID) -> HttpResponse:
        """One of a single contract, once or anew each period."""
        self._may_grant(request)
        contract = self._contract(request, contract_id)  # type: ignore[attr-defined]
        customer, agreed = contract.customer, agreement(contract.customer_id, contract_id)

        def grant(given: EditInput, reason: str, **told: Any) -> str:
            return f"{services.edit_contract(customer, contract_id, given, **told)} is made."

        return self._grant_page(
            request,
            customer,
            ContractGrantForm(agreed, request.POST or None),
            whom=contract_name(agreed),
            leave=reverse("admin:contracts_contract_change", args=[contract_id]),
            preview=lambda given, at: preview_edit(customer.pk, contract_id, given, at=at),
            grant=grant,
            billed_through=contract.billed_through,
        )

    def _may_grant(self, request: HttpRequest) -> None:
        if not request.user.has_perm("contracts.change_contract"):
            raise PermissionDenied

    def _grant_page(
        self,
        request: HttpRequest,
        customer: Customer,
        form: SharedGrantForm | ContractGrantForm,
        *,
        whom: str,
        leave: str,
        preview: Callable[[Any, datetime], Preview],
        grant: Callable[..., str],
        billed_through: datetime | None,
        **context: Any,
    ) -> HttpResponse:
        told = self.told(request)  # type: ignore[attr-defined]

        def card(given: Any) -> PreviewCard:
            return PreviewCard.of(preview(given, told["at"]), billed_through, is_changed="save" in request.POST)

        def make(given: Any) -> HttpResponse:
            messages.success(request, grant(given, form.cleaned_data["reason"], **told))
            return HttpResponseRedirect(leave)

        shown = made_as_seen(request, form, preview=card, make=make)
        if isinstance(shown, HttpResponse):
            return shown
        return self._balance_page(  # type: ignore[attr-defined]
            request,
            customer,
            "grant",
            title=f"Grant {whom} a commit or credit",
            whom=whom,
            leave=leave,
            **shown,
            **context,
        )


def _billed_through(customer_id: UUID) -> Any:
    """Up to when usage of any contract is final."""
    return Contract.objects.filter(customer=customer_id).aggregate(latest=Max("billed_through"))["latest"]
