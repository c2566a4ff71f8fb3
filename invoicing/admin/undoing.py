"""The page that asks before an edit of a contract is undone: it shows what would change in money."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from billing_site.foundation.refusals import Refusal
from contracts import services
from contracts.models import ContractEdit
from contracts.queries import last_edit_number
from contracts.wording import history_in_words
from invoicing.admin.archiving import ArchiveForm
from invoicing.admin.screens import PreviewCard
from invoicing.queries.preview import preview_edit


class UndoPage:
    """What the admin of contracts has besides its own pages."""

    @method_decorator(csrf_protect)
    def undo_view(self, request: HttpRequest, contract_id: UUID, number: int) -> HttpResponse:
        if not request.user.has_perm("contracts.change_contract"):
            raise PermissionDenied
        admin: Any = self
        contract = admin._contract(request, contract_id)
        page = reverse("admin:contracts_contract_change", args=[contract_id])
        edit = ContractEdit.objects.filter(customer_id=contract.customer_id, contract=contract, number=number).first()
        if edit is None:
            raise Http404("There is no such edit of this contract.")
        form = ArchiveForm(
            request.POST or None, initial={"based_on_edit": last_edit_number(contract.customer_id, contract_id)}
        )
        told, preview, refused = admin.told(request), None, ""
        try:
            if request.method == "POST" and form.is_valid():
                made = services.undo_edit(contract.customer_id, contract_id, edit.pk, **form.cleaned_data, **told)
                messages.success(request, f"Edit {number} is undone by edit {made.number}.")
                return HttpResponseRedirect(page)
            given = services.undoing(contract.customer_id, contract_id, edit.pk)
            found = preview_edit(contract.customer_id, contract_id, given, at=told["at"])
            preview = PreviewCard.of(found, contract.billed_through, is_changed=False)
        except services.EditedMeanwhile as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(request.path)
        except Refusal as refusal:
            refused = " ".join(f"Edit {number} {error.rule}." for error in refusal.errors) or refusal.message
        words = next((each for each in history_in_words(contract) if each.number == number), None)
        return admin._render(
            request,
            contract,
            "undo",
            title=f"Undo edit {number} of {contract}",
            page=page,
            words=words,
            form=form,
            preview=preview,
            refused=refused,
            media=form.media,
        )
