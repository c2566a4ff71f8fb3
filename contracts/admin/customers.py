from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import mark_safe

from billing_site.foundation.admin import (
    HouseAdmin,
    LeadsToWhatIsMade,
    ReadOnlyInline,
    WithCustomFields,
    WithReader,
    told_once,
)
from billing_site.foundation.custom_fields import Entity
from billing_site.foundation.display import instant_text
from contracts import forms, services
from contracts.admin.imports import import_view
from contracts.admin.providers import NOTHING_IS_SENT
from contracts.commit_wording import commit_text
from contracts.models import Contract, ContractTerms, Customer
from contracts.queries import aliases_of, shared_commits
from contracts.wording import balance_history_in_words
from pricing.admin import ARCHIVED, ThroughServices

SEEN_WITH = {
    "alarms": "invoicing.view_alertstate",
    "balances": "contracts.view_contract",
    "balance_history": "contracts.view_contract",
    "providers": "contracts.view_providerconfiguration",
    "claims": "contracts.view_claim",
}


class ContractInline(ReadOnlyInline):
    model = Contract
    show_change_link = True
    fields = ["called", "starting_at", "rate_card", "frequency", "billed_through", "created_at", "created_by"]
    readonly_fields = ["called", "billed_through"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contract]:
        terms = ContractTerms.objects.standing().filter(contract=OuterRef("pk"))
        found = super().get_queryset(request).select_related("rate_card", "customer")
        return found.annotate(own_name=Subquery(terms.values("name")[:1])).order_by("starting_at", "id")

    @admin.display(description="Contract")
    def called(self, contract: Any) -> str:
        page = reverse("admin:contracts_contract_change", args=[contract.pk])
        return format_html('<a href="{}">{}</a>', page, contract.own_name or contract)


@admin.register(Customer)
class CustomerAdmin(LeadsToWhatIsMade, WithReader, WithCustomFields, ThroughServices, HouseAdmin):
    entity = Entity.CUSTOMER
    list_before_template = "admin/contracts/customer/import_link.html"
    nothing_yet = "Who is billed. Usage comes under the ingest aliases that a customer has."
    add_form = forms.NewCustomerForm
    change_form = forms.CustomerForm
    list_display = ["name", "ingest_aliases", "claims", "created_at", "created_by", "archived_at"]
    list_filter = [ARCHIVED]
    search_fields = ["name", "id", "claims__subject", "salesforce_account_id"]
    ordering = ["-created_at", "-id"]
    fields = [
        "name",
        "ingest_aliases",
        "salesforce_account_id",
        "reason",
        "id",
        "claims",
        "balances",
        "balance_history",
        "alarms",
        "providers",
        "custom_values",
        "created_at",
        "created_by",
        "updated_at",
        "archived_at",
    ]
    inlines = [ContractInline]
    actions = ["archive"]

    def get_urls(self) -> list[Any]:
        return [
            path("import/", self.admin_site.admin_view(import_view), name="contracts_customer_import"),
            *super().get_urls(),
        ]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        held = aliases_of([customer.pk for customer in changelist.result_list])
        for customer in changelist.result_list:
            customer.held_aliases = held[customer.pk]
        return changelist

    @admin.display(description="Ingest aliases")
    def ingest_aliases(self, customer: Any) -> str:
        held = getattr(customer, "held_aliases", None)  # at hand in the list
        return ", ".join(aliases_of([customer.pk])[customer.pk] if held is None else held)

    @admin.display(description="Claims")
    def claims(self, customer: Customer) -> str:
        query = urlencode({"customer__id__exact": str(customer.pk)})
        return format_html('<a href="{}?{}">Claims</a>', reverse("admin:contracts_claim_changelist"), query)

    @admin.display(description="Commits and credits")
    @told_once
    def balances(self, customer: Any) -> str:
        shared = shared_commits(customer.pk)
        all_of_them = format_html(
            '<a href="{}">Balances</a>', reverse("admin:contracts_customer_balances", args=[customer.pk])
        )
        change = "contracts.change_contract"
        each = format_html_join(
            mark_safe("<br>"),
            '{} <a href="{}">Change</a>' if customer.reader.has_perm(change) else "{}",
            (
                (commit_text(committed), reverse("admin:contracts_commit_edit", args=[committed.commit.pk]))
                for committed in shared
            ),
        )
        return format_html("{}<br>{}", all_of_them, each) if shared else all_of_them

    @admin.display(description="Billing providers and revenue systems")
    @told_once
    def providers(self, customer: Any) -> str:
        """Those that are not archived, each with a link to what it says."""
        standing = customer.provider_configurations.filter(archived_at__isnull=True).order_by("created_at", "id")
        links = [
            (
                f"{each.get_kind_display()}: {each}",
                reverse("admin:contracts_providerconfiguration_change", args=[each.pk]),
            )
            for each in standing
        ]
        each = format_html_join(mark_safe("<br>"), '<a href="{1}">{0}</a>', links)
        query = urlencode({"customer": str(customer.pk)})
        page = reverse("admin:contracts_providerconfiguration_add")
        may_add = customer.reader.has_perm("contracts.add_providerconfiguration")
        add = format_html('<a href="{}?{}">Add one</a>', page, query) if may_add else ""
        return format_html("{}<br>{}<br><small>{}</small>", each or "None", add, NOTHING_IS_SENT)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without what its reader may not see in its own place either."""
        shown = super().get_fields(request, obj)
        return [field for field in shown if request.user.has_perm(SEEN_WITH.get(field, "contracts.view_customer"))]

    @admin.display(description="In alarm for")
    def alarms(self, customer: Customer) -> str:
        """A panel of its own, as alerts are not known here."""
        return format_html(
            '<div hx-get="{0}" hx-trigger="load"><a href="{0}">Show</a></div>',
            reverse("admin:invoicing_alerts_of_customer", args=[customer.pk]),
        )

    @admin.display(description="History of these")
    @told_once
    def balance_history(self, customer: Customer) -> str:
        return (
            format_html_join(
                mark_safe("<br>"),
                "{}{} <small>Edit {} by {}, {}</small>",
                (
                    (
                        " ".join(each.changes),
                        f" “{each.reason}”" if each.reason else "",
                        each.number,
                        each.created_by,
                        instant_text(each.created_at),
                    )
                    for each in balance_history_in_words(customer.pk)
                ),
            )
            or "Nothing yet"
        )

    @admin.action(description="Archive selected customers", permissions=["change"])
    def archive(self, request: HttpRequest, customers: QuerySet[Customer]) -> None:
        self.archive_each(request, customers, services.archive_customer)
