"""The pages that ask before a contract, or a commit or credit, is archived: they say what will happen."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from billing_site.foundation import clock
from billing_site.foundation.admin import Dressed
from billing_site.foundation.display import amount_text, count_text, exact_text, instant_text
from billing_site.foundation.money import exact_sum
from billing_site.foundation.refusals import NotFound, Refusal
from contracts import services
from contracts.commit_wording import commit_text
from contracts.forms.choices import contract_name
from contracts.models import Commit, Contract
from contracts.queries import AgreedCommit, agreement, last_edit_number
from invoicing.admin.commits import page_of_commit
from invoicing.admin.screens import PreviewCard
from invoicing.admin.voids import Told, told_of
from invoicing.models import Invoice
from invoicing.queries.balances import balances
from invoicing.queries.preview import Preview, preview_archived_commit, preview_archived_contract
from invoicing.services import OthersBuildOnIt, archive_contract


class ArchiveForm(Dressed, forms.Form):
    based_on_edit = forms.IntegerField(required=False, widget=forms.HiddenInput)
    reason = forms.CharField(max_length=2_000, help_text="Why; kept with the edit and shown in the history.")


class ArchiveContractForm(ArchiveForm):
    void_invoices = forms.BooleanField(
        required=False,
        label="Void its final invoices, too",
        help_text="All of them or none. What they drew is given back, and none is made anew.",
    )


class ArchivePages:
    """What the admin of contracts has besides its own pages."""

    @method_decorator(csrf_protect)
    def archive_commit_view(self, request: HttpRequest, commit_id: UUID) -> HttpResponse:
        self._may_archive(request)
        row = Commit.objects.select_related("customer").filter(pk=commit_id).first()
        if row is None:
            raise Http404("There is no such commit or credit.")
        customer, types, at = row.customer, Commit.Type.values, clock.now()
        try:
            committed = services.standing_commit(customer.pk, commit_id, types, at=at)
        except NotFound as refusal:
            raise Http404(refusal.message) from refusal

        def archive(**told: Any) -> None:
            services.archive_commit(customer, commit_id, types=types, **told)

        return self._archive_page(
            request,
            what=str(committed.commit),
            page=page_of_commit(row),
            told=[f"{commit_text(committed)}.", *_what_becomes_of(committed, at)],
            based_on=last_edit_number(customer.pk, row.contract_id),
            preview=lambda: preview_archived_commit(customer.pk, commit_id, types=types, at=at),
            archive=archive,
        )

    @method_decorator(csrf_protect)
    def archive_contract_view(self, request: HttpRequest, contract_id: UUID) -> HttpResponse:
        self._may_archive(request)
        contract = self._contract(request, contract_id)  # type: ignore[attr-defined]
        at = clock.now()
        page = reverse("admin:contracts_contract_change", args=[contract_id])
        if contract.archived_at is not None:
            messages.info(request, f"{contract} was archived on {instant_text(contract.archived_at)}.")
            return HttpResponseRedirect(page)

        standing = []
        if request.user.has_perm("invoicing.add_invoicevoid"):
            standing = list(told_of(_standing_documents(contract)))

        def archive(*, void_invoices: bool = False, **told: Any) -> None:
            archive_contract(contract.customer, contract_id, void_invoices=void_invoices, **told)

        return self._archive_page(
            request,
            what=contract_name(agreement(contract.customer_id, contract_id)),
            page=page,
            told=list(_what_becomes_of_contract(contract, at)),
            to_void=standing,
            based_on=last_edit_number(contract.customer_id, contract_id),
            preview=lambda: preview_archived_contract(contract.customer_id, contract_id, at=at),
            archive=archive,
        )

    def _may_archive(self, request: HttpRequest) -> None:
        if not request.user.has_perm("contracts.change_contract"):
            raise PermissionDenied

    def _archive_page(
        self,
        request: HttpRequest,
        *,
        what: str,
        page: str,
        told: list[str],
        based_on: int,
        preview: Callable[[], Preview],
        archive: Callable[..., None],
        to_void: Sequence[Told] = (),
    ) -> HttpResponse:
        """What cannot be archived is said at once; nothing is asked then. `to_void` may be voided with it."""
        kind = ArchiveContractForm if to_void else ArchiveForm
        form = kind(request.POST or None, initial={"based_on_edit": based_on})
        refused, change, card = "", "", None
        try:
            if request.method == "POST" and form.is_valid():
                try:
                    archive(**form.cleaned_data, **self.told(request))  # type: ignore[attr-defined]
                except OthersBuildOnIt as refusal:
                    form.add_error("void_invoices", f"Nothing was archived or voided. {refusal.message}")
                else:
                    and_void = " Its final invoices are void." if form.cleaned_data.get("void_invoices") else ""
                    messages.success(request, f"{what} is archived.{and_void}")
                    return HttpResponseRedirect(page)
            card = PreviewCard.of(preview(), None, is_changed=False)
        except services.EditedMeanwhile as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(request.path)
        except services.WasRenewed:
            refused = f"{what} was renewed, and its renewal has taken over what was left: it stays."
        except services.StillBills as refusal:
            refused = f"{what} still bills the customer’s {refusal.commit}: let another contract do so first."
            change = reverse("admin:contracts_commit_edit", args=[refusal.commit.pk])
        except Refusal as refusal:
            refused = " ".join(f"{what} {error.rule}." for error in refusal.errors) or refusal.message
        return TemplateResponse(
            request,
            "admin/contracts/contract/archive.html",
            {
                **self.admin_site.each_context(request),  # type: ignore[attr-defined]
                "opts": self.opts,  # type: ignore[attr-defined]
                "title": f"Archive {what}",
                "what": what,
                "page": page,
                "told": told,
                "to_void": to_void,
                "form": form,
                "refused": refused,
                "change": change,
                "preview": card,
                "media": form.media,
            },
        )


def _what_becomes_of(committed: AgreedCommit, at: Any) -> Iterator[str]:
    commit = committed.commit
    billed_in = (commit.invoice_unit or commit.unit).to_unit()
    to_come = [item.amount for item in committed.invoice_items if item.issued_at > at]
    billed = [item.amount for item in committed.invoice_items if item.issued_at <= at]
    if commit.type == Commit.Type.POSTPAID:
        yield "Nothing counts toward it any more, and nothing that is missing is billed."
        return
    yield "It can no longer be drawn on."
    if to_come and commit.is_invoiced:
        payments = count_text(len(to_come), "payment", "payments")
        yield f"{payments} still to come, {exact_text(exact_sum(to_come), billed_in)} in all: not billed any more."
    if billed and commit.is_invoiced:
        payments = count_text(len(billed), "payment", "payments")
        yield (
            f"{payments} already due, {exact_text(exact_sum(billed), billed_in)} in all: what is final stays billed,"
            " and what is not is not billed."
        )


def _what_becomes_of_contract(contract: Contract, at: Any) -> Iterator[str]:
    yield "Nothing more is billed under it: its drafts, and charges and payments to come, are gone."
    own = [
        held
        for held in balances(contract.customer_id, at=at)
        if held.contract is not None and held.contract.pk == contract.pk
    ]
    for held in own:
        commit, left = held.committed.commit, exact_sum([held.statement.left, held.statement.to_come])
        what = "is asked for no more" if commit.type == Commit.Type.POSTPAID else "expires"
        yield f"{commit} is archived with it: {amount_text(left, commit.held_in)} left {what}."
    if contract.billed_through is not None:
        yield (
            f"Final invoices stay as they are, unless they are voided with it: those of usage before"
            f" {instant_text(contract.billed_through)}."
        )


def _standing_documents(contract: Contract) -> list[Invoice]:
    """What `archive_contract` would void."""
    final = Invoice.objects.filter(customer=contract.customer_id, contract=contract, void=None)
    return list(final.select_related("customer", "unit").order_by("issued_at", "number"))
