"""The page on which the dates and amounts of a scheduled charge are changed, with the effect before it is made."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from billing_site.foundation import clock
from billing_site.foundation.admin import custom_fields_page
from contracts import services
from contracts.forms.charge_edits import ChargeEditForm
from contracts.inputs import EditInput
from contracts.models import ScheduledCharge
from contracts.queries import agreement, last_edit_number
from contracts.services.charges import entity_of
from invoicing.admin.looked_at import made_as_seen
from invoicing.admin.screens import PreviewCard
from invoicing.queries.preview import preview_edit


class ChargeEditPage:
    """What the admin of contracts has besides its own pages."""

    @method_decorator(csrf_protect)
    def edit_charge_view(self, request: HttpRequest, charge_id: UUID) -> HttpResponse:
        if not request.user.has_perm("contracts.change_contract"):
            raise PermissionDenied
        row = ScheduledCharge.objects.select_related("contract", "customer").filter(pk=charge_id).first()
        agreed = agreement(row.customer_id, row.contract_id) if row is not None else None
        charged = next((each for each in agreed.charges if each.charge.pk == charge_id), None) if agreed else None
        if row is None or charged is None:
            raise Http404("There is no such scheduled charge.")
        contract, at = row.contract, clock.now()
        fresh: dict[str, Any] = {"at": at, "based_on_edit": last_edit_number(row.customer_id, contract.pk)}
        page = reverse("admin:contracts_contract_change", args=[contract.pk])

        def preview(given: EditInput) -> PreviewCard:
            found = preview_edit(row.customer_id, contract.pk, given, at=at)
            return PreviewCard.of(found, contract.billed_through, is_changed="save" in request.POST)

        def make(given: EditInput) -> HttpResponse:
            services.edit_contract(row.customer_id, contract.pk, given, **self.told(request))  # type: ignore[attr-defined]
            messages.success(request, f"{row} is changed.")
            return HttpResponseRedirect(page)

        form = ChargeEditForm(charged, request.POST or None, **fresh)
        anew = partial(ChargeEditForm, charged, **fresh)
        shown = made_as_seen(request, form, preview=preview, make=make, anew=anew)
        if isinstance(shown, HttpResponse):
            return shown
        return self._balance_page(  # type: ignore[attr-defined]
            request,
            row.customer,
            "term_edit",
            title=f"Change {row}",
            heading=row,
            custom_fields=custom_fields_page(entity_of(row), row.pk),
            of_what=contract,
            leave=page,
            **shown,
        )
