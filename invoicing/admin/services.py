"""The pages on which work of professional services is invoiced, and an invoice of it is taken back, with the effect
before it is done."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from billing_site.foundation.display import day_text
from billing_site.foundation.refusals import Refusal
from contracts import services
from contracts.forms.choices import contract_name
from contracts.forms.professional_services import ServiceInvoiceForm
from contracts.models import Contract, ServiceInvoiceLine
from contracts.queries import agreement, last_edit_number
from contracts.service_inputs import ServiceInvoiceInput
from contracts.service_wording import service_invoice_text
from invoicing.admin.archiving import ArchiveForm
from invoicing.admin.looked_at import made_as_seen
from invoicing.admin.screens import PreviewCard
from invoicing.queries.preview import preview_services_invoice


class ServicePages:
    """What the admin of contracts has besides its own pages."""

    @method_decorator(csrf_protect)
    def invoice_services_view(self, request: HttpRequest, contract_id: UUID) -> HttpResponse:
        admin, contract = self._admin(request), self._contract_of(request, contract_id)
        agreed = agreement(contract.customer_id, contract_id)
        if not agreed.services.services:
            raise Http404("There is no professional service of this contract.")
        customer, told = contract.customer, admin.told(request)
        leave = reverse("admin:contracts_contract_change", args=[contract_id])
        based_on = last_edit_number(customer.pk, contract_id)

        def preview(given: ServiceInvoiceInput) -> PreviewCard:
            found = preview_services_invoice(customer.pk, contract_id, given, at=told["at"])
            return PreviewCard.of(found, contract.billed_through, is_changed="save" in request.POST)

        def make(given: ServiceInvoiceInput) -> HttpResponse:
            made = services.schedule_services_invoice(customer, contract_id, given, **told)
            messages.success(request, f"Professional services of {day_text(made.issued_at)} are invoiced.")
            return HttpResponseRedirect(leave)

        shown = made_as_seen(
            request,
            ServiceInvoiceForm(agreed.services, request.POST or None, based_on_edit=based_on),
            preview=preview,
            make=make,
            anew=lambda: ServiceInvoiceForm(agreed.services, based_on_edit=based_on),
        )
        if isinstance(shown, HttpResponse):
            return shown
        return admin._render(
            request,
            contract,
            "invoice_services",
            title=f"Invoice professional services of {contract_name(agreed)}",
            of_what=contract_name(agreed),
            leave=leave,
            **shown,
        )

    @method_decorator(csrf_protect)
    def take_back_services_view(self, request: HttpRequest, contract_id: UUID, invoice_id: UUID) -> HttpResponse:
        admin, contract = self._admin(request), self._contract_of(request, contract_id)
        lines = ServiceInvoiceLine.objects.standing().filter(invoice=invoice_id, invoice__contract=contract)
        found = list(lines.select_related("invoice", "service__product", "service__unit").order_by("position"))
        if not found:
            raise Http404("There is no such invoice of professional services.")
        page, refused = reverse("admin:contracts_contract_change", args=[contract_id]), ""
        form = ArchiveForm(request.POST or None)
        told = admin.told(request)
        if found[0].invoice.issued_at <= told["at"]:
            refused = "It has fallen due: void the invoice instead."
        elif request.method == "POST" and form.is_valid():
            try:
                reason = form.cleaned_data["reason"]
                made = services.take_back_services_invoice(contract.customer_id, invoice_id, reason=reason, **told)
            except Refusal as refusal:
                refused = refusal.message
            else:
                messages.success(request, f"{made} are taken back.")
                return HttpResponseRedirect(page)
        return admin._render(
            request,
            contract,
            "take_back",
            title="Take back an invoice of professional services",
            page=page,
            words=f"{service_invoice_text(found[0].invoice, found)}.",
            form=form,
            refused=refused,
            media=form.media,
        )

    def _admin(self, request: HttpRequest) -> Any:
        if not request.user.has_perm("contracts.change_contract"):
            raise PermissionDenied
        return self

    def _contract_of(self, request: HttpRequest, contract_id: UUID) -> Contract:
        return self._contract(request, contract_id)  # type: ignore[attr-defined]
