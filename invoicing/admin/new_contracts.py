"""The pages on which a contract is made from a package, or like another one, with its terms in words and its effect in
money before it is made."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from billing_site.foundation import clock
from billing_site.foundation.periods import floor_day
from billing_site.foundation.transactions import read_snapshot
from contracts import services
from contracts.forms.new_contracts import CopyForm, StartForm
from contracts.inputs import ContractInput
from contracts.models import Package
from contracts.queries import agreement
from contracts.term_lines import term_lines, whole_lines
from invoicing.admin.looked_at import made_as_seen
from invoicing.admin.screens import PreviewCard
from invoicing.queries.preview import preview_contract


class NewContractPages:
    """What the admin of contracts has besides its own pages."""

    @method_decorator(csrf_protect)
    def from_package_view(self, request: HttpRequest, package_id: UUID) -> HttpResponse:
        self._may_make(request)
        found = Package.objects.filter(pk=package_id).first()
        if found is None:
            raise Http404("There is no such package.")

        def given(values: dict[str, Any]) -> ContractInput:
            return ContractInput(
                starting_at=values["starting_at"],
                package_id=package_id,
                uniqueness_key=values["uniqueness_key"] or None,
            )

        initial = {"starting_at": floor_day(clock.now()), "customer": request.GET.get("customer")}
        return self._new_page(
            request,
            StartForm(request.POST or None, initial=initial),
            given,
            title=f"New contract from {found}",
            leave=reverse("admin:contracts_package_change", args=[package_id]),
            source=found.name,
            said="It gets the package’s terms, counted from its start.",
        )

    @method_decorator(csrf_protect)
    def copy_view(self, request: HttpRequest, contract_id: UUID) -> HttpResponse:
        """Whatever stands of a contract, for the same customer or another one."""
        self._may_make(request)
        contract = self._contract(request, contract_id)  # type: ignore[attr-defined]
        agreed = agreement(contract.customer_id, contract_id)

        def given(values: dict[str, Any]) -> ContractInput:
            return replace(
                services.contract_like(agreed, values["starting_at"]),
                name=values["name"],
                uniqueness_key=values["uniqueness_key"] or None,
            )

        start = agreed.terms.ending_before or floor_day(clock.now())
        initial = {"customer": contract.customer_id, "name": agreed.terms.name, "starting_at": start}
        return self._new_page(
            request,
            CopyForm(request.POST or None, initial=initial),
            given,
            title=f"New contract like {agreed.terms.name or contract}",
            leave=reverse("admin:contracts_contract_change", args=[contract_id]),
            source=agreed.terms.name or str(contract),
            said="It gets all terms that stand, each as far after its start as it was after that of the other.",
        )

    def _may_make(self, request: HttpRequest) -> None:
        if not request.user.has_perm("contracts.add_contract"):
            raise PermissionDenied

    def _new_page(
        self,
        request: HttpRequest,
        form: StartForm,
        to_input: Callable[[dict[str, Any]], ContractInput],
        **context: Any,
    ) -> HttpResponse:
        admin: Any = self
        by = admin.told(request)
        terms: dict[str, Any] = {"whole": [], "lines": []}

        def asked() -> tuple[UUID, ContractInput]:
            return form.cleaned_data["customer"].pk, to_input(form.cleaned_data)

        def preview(given: tuple[UUID, ContractInput]) -> PreviewCard:
            with read_snapshot():
                planned = services.contract_as_planned(*given, **by)
                found = preview_contract(planned, at=by["at"])
                terms.update(whole=list(whole_lines(planned)), lines=list(term_lines(planned)))
            return PreviewCard.of(found, None, is_changed="save" in request.POST)

        def make(given: tuple[UUID, ContractInput]) -> HttpResponse:
            customer, reason = form.cleaned_data["customer"], form.cleaned_data["reason"]
            made = services.create_contract(customer, given[1], reason=reason, **by)
            messages.success(request, f"{made} is made.")
            return HttpResponseRedirect(reverse("admin:contracts_contract_change", args=[made.pk]))

        shown = made_as_seen(request, form, preview=preview, make=make, asked=asked)
        if isinstance(shown, HttpResponse):
            return shown
        return TemplateResponse(
            request,
            "admin/contracts/contract/new.html",
            {
                **admin.admin_site.each_context(request),
                "opts": admin.opts,
                **shown,
                **terms,
                "doing": "What this contract would bill",
                "make": "Make this contract",
                **context,
            },
        )
