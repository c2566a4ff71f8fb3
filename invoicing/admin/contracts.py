"""The page of a contract: what it costs now, the deal in one form with its effect before it is made, and why."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from billing_site.foundation import clock
from billing_site.foundation.admin import number_cell
from billing_site.foundation.display import amount_text
from billing_site.foundation.periods import floor_hour
from billing_site.foundation.transactions import read_snapshot
from contracts import services
from contracts.admin.contracts import ContractRecordAdmin
from contracts.forms import EditForm
from contracts.inputs import EditInput
from contracts.models import Contract
from contracts.queries import agreement, last_edit_number
from contracts.wording import history_in_words
from invoicing.admin.archiving import ArchivePages
from invoicing.admin.balances import BalancePages
from invoicing.admin.charges import ChargeEditPage
from invoicing.admin.commits import CommitEditPage
from invoicing.admin.grants import GrantPages
from invoicing.admin.historical import PastInvoicePage
from invoicing.admin.holds import held_rows
from invoicing.admin.known_then import AgreedThen
from invoicing.admin.looked_at import made_as_seen
from invoicing.admin.new_contracts import NewContractPages
from invoicing.admin.payments import PaymentPage
from invoicing.admin.recurring import RecurringEditPage
from invoicing.admin.screens import ContractScreen, PreviewCard
from invoicing.admin.services import ServicePages
from invoicing.admin.subscriptions import SubscriptionPages
from invoicing.admin.undoing import UndoPage
from invoicing.admin.why import WhyPages
from invoicing.queries.account import account
from invoicing.queries.lateness import missed_usage
from invoicing.queries.preview import preview_edit
from invoicing.queries.summaries import usage_by_contract


@admin.register(Contract)
class ContractAdmin(
    BalancePages,
    GrantPages,
    ArchivePages,
    CommitEditPage,
    RecurringEditPage,
    SubscriptionPages,
    ChargeEditPage,
    ServicePages,
    PaymentPage,
    PastInvoicePage,
    UndoPage,
    WhyPages,
    NewContractPages,
    ContractRecordAdmin,
):
    """A contract opens on what it costs now; it is edited on a page of its own, by edits."""

    list_display = [*ContractRecordAdmin.list_display, "money_so_far"]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        amounts = usage_by_contract([contract.pk for contract in changelist.result_list])
        for contract in changelist.result_list:
            contract.so_far = amount_text(*amounts[contract.pk]) if contract.pk in amounts else ""
        return changelist

    @admin.display(description="Not billed yet")
    def money_so_far(self, contract: Any) -> str:
        return number_cell(contract.so_far)

    def get_urls(self) -> list[Any]:
        def page(route: str, view: Any, name: str) -> Any:
            return path(
                f"<uuid:contract_id>/{route}", self.admin_site.admin_view(view), name=f"contracts_contract_{name}"
            )

        return [
            page("change/", self.screen_view, "change"),
            page("edit/", self.edit_view, "edit"),
            page("undo/<int:number>/", self.undo_view, "undo"),
            page("record/", self.record_view, "record"),
            page("grant/", self.grant_of_contract_view, "grant"),
            page("recurring/<uuid:recurring_id>/", self.edit_recurring_view, "recurring_edit"),
            page("subscribe/", self.subscribe_view, "subscribe"),
            page("subscriptions/<uuid:subscription_id>/", self.edit_subscription_view, "subscription_edit"),
            page("services/", self.invoice_services_view, "invoice_services"),
            page("services/<uuid:invoice_id>/", self.take_back_services_view, "take_back_services"),
            page("import/", self.import_invoice_view, "import_invoice"),
            page("archive/", self.archive_contract_view, "archive"),
            page("copy/", self.copy_view, "copy"),
            path(
                "from/<uuid:package_id>/",
                self.admin_site.admin_view(self.from_package_view),
                name="contracts_contract_from_package",
            ),
            path(
                "commits/<uuid:commit_id>/archive/",
                self.admin_site.admin_view(self.archive_commit_view),
                name="contracts_commit_archive",
            ),
            path(
                "commits/<uuid:commit_id>/edit/",
                self.admin_site.admin_view(self.edit_commit_view),
                name="contracts_commit_edit",
            ),
            path(
                "commits/<uuid:commit_id>/payment/",
                self.admin_site.admin_view(self.record_payment_view),
                name="contracts_commit_payment",
            ),
            path(
                "charges/<uuid:charge_id>/edit/",
                self.admin_site.admin_view(self.edit_charge_view),
                name="contracts_charge_edit",
            ),
            path(
                "balances/<uuid:customer_id>/",
                self.admin_site.admin_view(self.balances_view),
                name="contracts_customer_balances",
            ),
            path(
                "balances/<uuid:customer_id>/grant/",
                self.admin_site.admin_view(self.grant_view),
                name="contracts_customer_grant",
            ),
            path(
                "balances/<uuid:customer_id>/<uuid:commit_id>/",
                self.admin_site.admin_view(self.balance_view),
                name="contracts_customer_balance",
            ),
            *self.why_urls(),
            *super().get_urls(),
        ]

    def screen_view(self, request: HttpRequest, contract_id: UUID) -> HttpResponse:
        """What the contract costs now, its commitments, its terms in words and its documents."""
        contract = self._contract(request, contract_id)
        at = clock.now()
        with read_snapshot():
            held = account(contract.customer_id, at=at, document_limit=None)
            agreed = agreement(contract.customer_id, contract_id)
            history = history_in_words(contract)
            missed = missed_usage(contract.customer_id, contract_id=contract_id)
            asked = AgreedThen(request.GET, at=at)
            then = asked.lines(contract)
        screen = ContractScreen.of(contract, held, agreed, history, missed, at)
        return self._render(
            request,
            contract,
            "screen",
            title=screen.title,
            screen=screen,
            asked=asked,
            then=then,
            holds=held_rows(contract_id, at=at),
            may_decide=request.user.has_perm("invoicing.add_holddecision"),
        )

    def record_view(self, request: HttpRequest, contract_id: UUID) -> HttpResponse:
        """Every field and every term, standing and removed."""
        return super().change_view(request, str(contract_id))

    @method_decorator(csrf_protect)
    def edit_view(self, request: HttpRequest, contract_id: UUID) -> HttpResponse:
        """Everything that one edit may do, its effect in money before it is made, and the edit itself.

        What is made is what was looked at: a form that has changed since its preview is previewed again.
        """
        if not request.user.has_perm("contracts.change_contract"):
            raise PermissionDenied
        contract = self._contract(request, contract_id)
        agreed = agreement(contract.customer_id, contract_id)
        based_on = last_edit_number(contract.customer_id, contract_id)
        told = self.told(request)
        amends_from = floor_hour(told["at"]) if request.GET.get("as") == "amendment" else None
        form = EditForm(agreed, request.POST or None, based_on_edit=based_on, amends_from=amends_from)

        def preview(given: EditInput) -> PreviewCard:
            found = preview_edit(contract.customer_id, contract_id, given, at=told["at"])
            return PreviewCard.of(found, contract.billed_through, is_changed="save" in request.POST)

        def make(given: EditInput) -> HttpResponse:
            edit = services.edit_contract(contract.customer_id, contract_id, given, **told)
            self.message_user(request, f"{edit} is made.", messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:contracts_contract_change", args=[contract_id]))

        anew = partial(form.rebased, agreed, based_on_edit=based_on)
        shown = made_as_seen(request, form, preview=preview, make=make, anew=anew)
        if isinstance(shown, HttpResponse):
            return shown
        return self._render(
            request,
            contract,
            "edit",
            title=f"{'Edit' if amends_from is None else 'Amend'} {contract}",
            **shown,
        )

    def _contract(self, request: HttpRequest, contract_id: UUID) -> Contract:
        contract = (
            Contract.objects.select_related("customer", "rate_card__fiat_unit", "package")
            .filter(pk=contract_id)
            .first()
        )
        if contract is None:
            raise Http404("There is no such contract.")
        if not self.has_view_permission(request, contract):
            raise PermissionDenied
        return contract

    def _render(self, request: HttpRequest, contract: Contract, template: str, **context: Any) -> TemplateResponse:
        return TemplateResponse(
            request,
            f"admin/contracts/contract/{template}.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "contract": contract,
                "may_add": self.has_add_permission(request),
                "may_edit": request.user.has_perm("contracts.change_contract"),
                "may_record_payment": request.user.has_perm("contracts.add_paymentoutcome"),
                **context,
            },
        )
