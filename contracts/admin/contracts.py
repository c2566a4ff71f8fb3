from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from billing_site.foundation.admin import HouseAdmin, ReadOnlyInline
from billing_site.foundation.refusals import Refusal
from contracts import forms, services
from contracts.models import Commit, Contract, ContractEdit, ContractTerms, Override, ScheduledCharge, Term
from contracts.models.term import digits
from contracts.queries import Agreement, agreement
from pricing.admin import ThroughServices

EDITS = ["added_by_edit", "removed_by_edit"]


class TermInline(ReadOnlyInline):
    hide_title = False  # a term says what it is in its title
    show_change_link = True
    related: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        edits = ("added_by_edit__customer", "removed_by_edit__customer")
        rows = super().get_queryset(request).select_related(*edits, *self.related)
        return rows.order_by("added_by_edit__number", "position", "id")


class TermsInline(TermInline):
    model = ContractTerms
    fields = ["name", "ending_before", "net_payment_terms_days", "grace_hours", *EDITS]


class OverrideInline(TermInline):
    model = Override
    related = ("product", "unit")
    fields = ["entitled", "exact_priority", "product", "applicable_product_tags", "specifiers", *EDITS]
    readonly_fields = ["exact_priority"]

    @admin.display(description="Priority")
    def exact_priority(self, override: Override) -> str:
        return digits(override.priority)


class CommitInline(TermInline):
    model = Commit
    related = ("product", "unit")
    fields = ["product", "unit", "exact_priority", "access", "billed", *EDITS]
    readonly_fields = ["exact_priority", "access", "billed"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Commit]:
        return super().get_queryset(request).prefetch_related("segments", "invoice_items")

    @admin.display(description="Priority")
    def exact_priority(self, commit: Commit) -> str:
        return digits(commit.priority)

    @admin.display(description="Access")
    def access(self, commit: Commit) -> str:
        return standing_of(commit, commit.segments.all())

    @admin.display(description="Billed")
    def billed(self, commit: Commit) -> str:
        return standing_of(commit, commit.invoice_items.all())


class ChargeInline(TermInline):
    model = ScheduledCharge
    related = ("product", "unit")
    fields = ["product", "unit", "billed", *EDITS]
    readonly_fields = ["billed"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ScheduledCharge]:
        return super().get_queryset(request).prefetch_related("items")

    @admin.display(description="Billed")
    def billed(self, charge: ScheduledCharge) -> str:
        return standing_of(charge, charge.items.all())


class EditInline(ReadOnlyInline):
    model = ContractEdit
    fields = ["number", "kind", "changes", "reason", "created_at", "created_by"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContractEdit]:
        return super().get_queryset(request).select_related("customer").order_by("number")


@admin.register(Contract)
class ContractAdmin(ThroughServices, HouseAdmin):
    """A contract is created here and edited on a page of its own, by edits."""

    add_form = forms.NewContractForm
    list_display = [
        "customer",
        "name",
        "starting_at",
        "ending_before",
        "rate_card",
        "frequency",
        "billed_through",
        "created_at",
    ]
    list_filter = ["frequency", "rate_card"]
    list_select_related = ["customer", "rate_card"]
    search_fields = ["customer__name", "id", "terms__name", "uniqueness_key"]
    autocomplete_fields = ["customer", "rate_card"]
    ordering = ["-created_at", "-id"]
    fields = [
        "id",
        "customer",
        "starting_at",
        "rate_card",
        "frequency",
        "billing_anchor_at",
        "multiplier_override_prioritization",
        "billed_through",
        "uniqueness_key",
        "custom_fields",
        "created_at",
        "created_by",
        "archived_at",
    ]
    inlines = [TermsInline, OverrideInline, CommitInline, ChargeInline, EditInline]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        standing = ContractTerms.objects.standing().filter(contract__in=[row.pk for row in changelist.result_list])
        held = {terms.contract_id: terms for terms in standing}
        for contract in changelist.result_list:
            contract.held_terms = held[contract.pk]
        return changelist

    @admin.display(description="Name")
    def name(self, contract: Any) -> str:
        return contract.held_terms.name

    @admin.display(description="Ending before")
    def ending_before(self, contract: Any) -> Any:
        return contract.held_terms.ending_before

    def get_urls(self) -> list[Any]:
        edit = path(
            "<uuid:contract_id>/edit/", self.admin_site.admin_view(self.edit_view), name="contracts_contract_edit"
        )
        return [edit, *super().get_urls()]

    @method_decorator(csrf_protect)
    def edit_view(self, request: HttpRequest, contract_id: UUID) -> HttpResponse:
        """The terms of a contract, and everything that one edit may do to them."""
        if not request.user.has_perm("contracts.change_contract"):
            raise PermissionDenied
        agreed = _agreement(contract_id)
        form = forms.EditForm(agreed, request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                edit = services.edit_contract(
                    agreed.contract.customer_id, contract_id, form.to_input(), **self.told(request)
                )
            except Refusal as refusal:
                form.show(refusal)
            else:
                self.message_user(request, f"{edit} is made.", messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:contracts_contract_change", args=[contract_id]))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Edit {agreed.contract}",
            "contract": agreed.contract,
            "form": form,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/contracts/contract/edit.html", context)


def standing_of(whole: Term, parts: Iterable[Term]) -> str:
    """The parts of a term that were there as long as it was."""
    return "; ".join(str(part) for part in parts if part.removed_by_edit_id == whole.removed_by_edit_id)


def _agreement(contract_id: UUID) -> Agreement:
    contract = Contract.objects.filter(pk=contract_id).first()
    if contract is None:
        raise Http404("There is no such contract.")
    return agreement(contract.customer_id, contract_id)
