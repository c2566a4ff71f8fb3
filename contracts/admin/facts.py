"""Edits, claims and terms: to be looked at."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.html import format_html

from billing_site.foundation.admin import FactAdmin
from billing_site.foundation.display import exact_text
from contracts.forms.named_schedules import ScheduleSegmentForm
from contracts.models import (
    AccessSegment,
    Claim,
    Commit,
    Contract,
    ContractEdit,
    ContractTerms,
    CustomerScheduleSegment,
    InvoiceScheduleItem,
    Override,
    ProfessionalService,
    RecurringCommit,
    ScheduledCharge,
    ScheduledChargeItem,
    ServiceInvoice,
    ServiceInvoiceLine,
    Subscription,
    SubscriptionQuantity,
    SubscriptionTerms,
)
from contracts.models.term import digits
from pricing.admin import ThroughServices

EDITS = ["added_by_edit", "removed_by_edit"]
STANDING: Any = ("removed_by_edit", admin.EmptyFieldListFilter)


@admin.register(ContractEdit)
class ContractEditAdmin(FactAdmin):
    nothing_yet = "Every change of a contract, with who made it and why."
    list_display = ["created_at", "customer", "number", "kind", "contract", "what_it_did", "reason", "created_by"]
    list_filter = ["kind", "created_at"]
    list_select_related = ["customer", "contract__customer"]
    search_fields = ["customer__name", "reason", "uniqueness_key", "created_by", "contract__id"]
    ordering = ["-created_at", "-id"]

    @admin.display(description="What it did")
    def what_it_did(self, edit: ContractEdit) -> str:
        """Where it stands in words: among the others of its contract, or on the page of its customer."""
        if edit.contract_id is None:
            page = reverse("admin:contracts_customer_change", args=[edit.customer_id])
            return format_html('<a href="{}">On the customer</a>', page)
        page = reverse("admin:contracts_contract_change", args=[edit.contract_id])
        return format_html('<a href="{}#history">In the history</a>', page)


@admin.register(Claim)
class ClaimAdmin(FactAdmin):
    list_display = ["subject", "sequence", "customer", "starting_at", "edit", "created_at", "created_by"]
    list_select_related = ["customer", "edit__customer"]
    search_fields = ["subject", "customer__name", "customer__id"]
    ordering = ["subject", "sequence"]


@admin.register(CustomerScheduleSegment)
class CustomerScheduleSegmentAdmin(ThroughServices, FactAdmin):
    nothing_yet = "Values over time that people keep at a customer or a contract; nothing is priced by them."
    add_form = ScheduleSegmentForm
    autocomplete_fields = ["customer", "contract"]
    list_display = ["customer", "contract", "schedule_name", "properties", "starting_at", "ending_before", "edit"]
    list_select_related = ["customer", "contract__customer", "edit__customer"]
    search_fields = ["schedule_name", "customer__name", "customer__id", "contract__id"]
    ordering = ["-edit__created_at", "-id"]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """From the list of one contract it is of that contract."""
        told: dict[str, Any] = super().get_changeform_initial_data(request)
        try:
            listed = UUID(QueryDict(request.GET.get("_changelist_filters")).get("contract__id__exact"))
        except (TypeError, ValueError):
            return told  # of none, or of nothing that could be one
        contract = Contract.objects.filter(pk=listed).first()
        return told if contract is None else {**told, "customer": contract.customer_id, "contract": contract.pk}


class TermAdmin(FactAdmin):
    """Terms are added and removed by edits, never changed. Numbers are shown without zeros behind the last digit."""

    list_filter = [STANDING]
    ordering = ["-created_at", "-id"]
    related: tuple[str, ...] = ()

    def get_queryset(self, request: Any) -> Any:
        edits = ("added_by_edit__customer", "removed_by_edit__customer")
        return super().get_queryset(request).select_related("customer", *edits, *self.related)

    @admin.display(description="Multiplier")
    def exact_multiplier(self, term: Any) -> str:
        return digits(term.multiplier)

    @admin.display(description="Price")
    def exact_price(self, term: Any) -> str:
        return digits(term.price)

    @admin.display(description="Priority")
    def exact_priority(self, term: Any) -> str:
        return digits(term.priority)

    @admin.display(description="Amount")
    def exact_amount(self, term: Any) -> str:
        return digits(term.amount)

    @admin.display(description="Unit price")
    def exact_unit_price(self, term: Any) -> str:
        return digits(term.unit_price)

    @admin.display(description="Quantity")
    def exact_quantity(self, term: Any) -> str:
        return digits(term.quantity)


@admin.register(ContractTerms)
class ContractTermsAdmin(TermAdmin):
    list_display = ["contract", "name", "ending_before", "end_policy", "net_payment_terms_days", "grace_hours", *EDITS]
    search_fields = ["name", "customer__name", "contract__id"]
    related = ("contract__customer",)


@admin.register(Override)
class OverrideAdmin(TermAdmin):
    list_display = [
        "contract",
        "type",
        "exact_multiplier",
        "tiers",
        "rate_type",
        "exact_price",
        "rate_tiers",
        "exact_priority",
        "entitled",
        "is_commit_specific",
        "target",
        "product",
        "applicable_product_tags",
        "specifiers",
        "starting_at",
        "ending_before",
        *EDITS,
    ]
    list_filter = ["type", "is_commit_specific", STANDING]
    search_fields = ["customer__name", "contract__id", "product__name"]
    related = ("contract__customer", "product", "unit")


@admin.register(Commit)
class CommitAdmin(TermAdmin):
    list_display = ["contract", "name", "type", "access_type", "product", "unit", "exact_priority", *EDITS]
    list_filter = ["type", "access_type", STANDING]
    search_fields = ["name", "customer__name", "contract__id"]
    related = ("contract__customer", "product", "unit")


@admin.register(RecurringCommit)
class RecurringCommitAdmin(TermAdmin):
    list_display = ["contract", "name", "type", "granted", "frequency", "starting_at", "ending_before", *EDITS]
    list_filter = ["type", "frequency", STANDING]
    search_fields = ["name", "customer__name", "contract__id"]
    related = ("contract__customer", "product", "unit")

    @admin.display(description="Each grants")
    def granted(self, row: RecurringCommit) -> str:
        """In what it is held in: money, a custom unit, or units of what is sold."""
        text = exact_text(row.access_amount, row.held_in)
        return text if row.subscription_id is None else f"{text} for each that is subscribed to"


@admin.register(Subscription)
class SubscriptionAdmin(TermAdmin):
    list_display = ["contract", "product", "frequency", "collection_schedule", "starting_at", *EDITS]
    list_filter = ["frequency", "collection_schedule", STANDING]
    search_fields = ["product__name", "customer__name", "contract__id"]
    related = ("contract__customer", "product")


@admin.register(SubscriptionTerms)
class SubscriptionTermsAdmin(TermAdmin):
    list_display = ["customer", "subscription", "name", "mode", "ending_before", *EDITS]
    search_fields = ["name", "customer__name", "subscription__id"]
    related = ("subscription__product",)


@admin.register(SubscriptionQuantity)
class SubscriptionQuantityAdmin(TermAdmin):
    list_display = ["customer", "subscription", "starting_at", "exact_quantity", *EDITS]
    search_fields = ["customer__name", "subscription__id"]
    related = ("subscription__product",)


@admin.register(AccessSegment)
class AccessSegmentAdmin(TermAdmin):
    list_display = ["customer", "commit", "exact_amount", "starting_at", "ending_before", *EDITS]
    search_fields = ["commit__name", "customer__name", "commit__id"]
    related = ("commit__unit",)

    @admin.display(description="Amount")
    def exact_amount(self, term: Any) -> str:
        """In what the commit is held in: money, a custom unit, or units of what is sold."""
        return exact_text(term.amount, term.commit.held_in)


@admin.register(InvoiceScheduleItem)
class InvoiceScheduleItemAdmin(TermAdmin):
    list_display = ["customer", "commit", "issued_at", "exact_amount", "exact_unit_price", "exact_quantity", *EDITS]
    search_fields = ["commit__name", "customer__name", "commit__id"]
    related = ("commit",)


@admin.register(ScheduledCharge)
class ScheduledChargeAdmin(TermAdmin):
    list_display = ["contract", "name", "is_discount", "product", "unit", *EDITS]
    list_filter = ["is_discount", STANDING]
    search_fields = ["name", "customer__name", "contract__id"]
    related = ("contract__customer", "product", "unit")


@admin.register(ScheduledChargeItem)
class ScheduledChargeItemAdmin(TermAdmin):
    list_display = ["customer", "charge", "issued_at", "exact_amount", "exact_unit_price", "exact_quantity", *EDITS]
    search_fields = ["charge__name", "customer__name", "charge__id"]
    related = ("charge",)


@admin.register(ProfessionalService)
class ProfessionalServiceAdmin(TermAdmin):
    list_display = ["contract", "description", "product", "exact_quantity", "exact_price", "exact_most", *EDITS]
    search_fields = ["description", "product__name", "customer__name", "contract__id"]
    related = ("contract__customer", "product", "unit")

    @admin.display(description="Unit price")
    def exact_price(self, term: Any) -> str:
        return exact_text(term.unit_price, term.unit.to_unit())

    @admin.display(description="At the most")
    def exact_most(self, term: Any) -> str:
        return exact_text(term.max_amount, term.unit.to_unit())


@admin.register(ServiceInvoice)
class ServiceInvoiceAdmin(TermAdmin):
    list_display = ["contract", "issued_at", *EDITS]
    search_fields = ["customer__name", "contract__id"]
    related = ("contract__customer",)


@admin.register(ServiceInvoiceLine)
class ServiceInvoiceLineAdmin(TermAdmin):
    list_display = ["customer", "invoice", "service", "worth", "exact_quantity", *EDITS]
    search_fields = ["customer__name", "invoice__id", "service__description"]
    related = ("invoice", "service__unit")

    @admin.display(description="Amount")
    def worth(self, term: Any) -> str:
        return exact_text(term.amount, term.service.unit.to_unit())
