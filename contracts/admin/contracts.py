from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest

from billing_site.foundation import clock
from billing_site.foundation.admin import HouseAdmin, LeadsToWhatIsMade, ReadOnlyInline, WithCustomFields, instant_cell
from billing_site.foundation.custom_fields import Entity
from contracts import forms
from contracts.end_notices import told_until
from contracts.models import Commit, ContractEdit, ContractTerms, Override, ScheduledCharge, Term
from contracts.models.term import digits
from contracts.queries import ending
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
    fields = ["name", "ending_before", "end_policy", "net_payment_terms_days", "grace_hours", *EDITS]


class OverrideInline(TermInline):
    model = Override
    related = ("product", "unit")
    fields = [
        "tiers",
        "rate_tiers",
        "entitled",
        "exact_priority",
        "is_commit_specific",
        "target",
        "product",
        "applicable_product_tags",
        "specifiers",
        *EDITS,
    ]
    readonly_fields = ["exact_priority"]

    @admin.display(description="Priority")
    def exact_priority(self, override: Override) -> str:
        return digits(override.priority)


class CommitInline(TermInline):
    model = Commit
    fk_name = "contract"
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
    fields = ["product", "unit", "is_discount", "billed", *EDITS]
    readonly_fields = ["billed"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ScheduledCharge]:
        return super().get_queryset(request).prefetch_related("items")

    @admin.display(description="Billed")
    def billed(self, charge: ScheduledCharge) -> str:
        return standing_of(charge, charge.items.all())


class EditInline(ReadOnlyInline):
    model = ContractEdit
    fields = ["number", "kind", "reason", "created_at", "created_by"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContractEdit]:
        return super().get_queryset(request).select_related("customer").order_by("number")


SYSTEM_IDS = ("salesforce_opportunity_id", "netsuite_sales_order_id")


class EndingFilter(admin.SimpleListFilter):
    """Those that end soon, and that nobody has renewed."""

    title = "end"
    parameter_name = "ending"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(days), f"Within {days} days") for days in settings.END_NOTICE_DAYS]

    def queryset(self, request: HttpRequest, contracts: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return contracts
        if self.value() not in dict(self.lookup_choices):
            raise IncorrectLookupParameters(f"{self.value()} is none of the days of notices.")
        at = clock.now()
        found = ending(until=told_until(at, int(self.value()))).filter(ending_before__gt=at)  # type: ignore[arg-type]
        return contracts.filter(pk__in=found.order_by().values("contract"))


class ContractRecordAdmin(LeadsToWhatIsMade, WithCustomFields, ThroughServices, HouseAdmin):
    """A contract's list and its record, field by field. What it costs is known above: see `invoicing.admin`."""

    entity = Entity.CONTRACT
    nothing_yet = "What was agreed with a customer: a rate card, discounts, commits and credits."
    add_form = forms.NewContractForm
    list_display = [
        "customer",
        "name",
        "starts",
        "ends",
        "rate_card",
        "frequency",
        "billed",
    ]
    list_filter = [EndingFilter, "frequency", "rate_card", "package"]
    list_select_related = ["customer", "rate_card"]
    search_fields = ["customer__name", "id", "terms__name", "uniqueness_key", *SYSTEM_IDS]
    autocomplete_fields = ["customer", "rate_card"]
    ordering = ["-created_at", "-id"]
    fields = [
        "id",
        "customer",
        "starting_at",
        "rate_card",
        "frequency",
        "billing_anchor_at",
        "invoicing_starts_at",
        "multiplier_override_prioritization",
        "scheduled_charges_on_usage_invoices",
        "billed_through",
        "uniqueness_key",
        "custom_values",
        "total_contract_value",
        "salesforce_opportunity_id",
        "netsuite_sales_order_id",
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

    @admin.display(description="From", ordering="starting_at")
    def starts(self, contract: Any) -> str:
        return instant_cell(contract.starting_at)

    @admin.display(description="Up to")
    def ends(self, contract: Any) -> str:
        return instant_cell(contract.held_terms.ending_before)

    @admin.display(description="Billed up to", ordering="billed_through")
    def billed(self, contract: Any) -> str:
        return instant_cell(contract.billed_through)


def standing_of(whole: Term, parts: Iterable[Term]) -> str:
    """The parts of a term that were there as long as it was."""
    return "; ".join(str(part) for part in parts if part.removed_by_edit_id == whole.removed_by_edit_id)
