"""Who sells and who is billed, as invoices print it. What is saved here is on drafts at once, and on nothing final."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from billing_site.foundation.admin import HouseAdmin
from contracts.models import BillingProfile, LegalEntity


@admin.register(LegalEntity)
class LegalEntityAdmin(HouseAdmin):
    nothing_yet = (
        "Who sells: name, address, tax id and where to pay. Until it is said, documents are titled usage statements."
    )
    list_display = ["name", "country", "tax_id", "net_payment_terms_days", "taxes"]
    search_fields = ["name"]
    ordering = ["name"]
    fields = [
        "name",
        "address",
        "country",
        "tax_id",
        "email",
        "remittance",
        "net_payment_terms_days",
        "taxes",
        "numbering",
        "number_prefix",
        "reason",
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not LegalEntity.objects.exists()


@admin.register(BillingProfile)
class BillingProfileAdmin(HouseAdmin):
    nothing_yet = (
        "Who is billed: a customer's address, tax id, purchase order and contacts, as they stand on its documents."
    )
    list_display = ["customer", "legal_name", "country", "tax_id", "purchase_order"]
    list_select_related = ["customer"]
    search_fields = ["customer__name", "customer__id", "legal_name", "tax_id"]
    autocomplete_fields = ["customer"]
    ordering = ["customer__name"]
    fields = [
        "customer",
        "legal_name",
        "address",
        "country",
        "tax_id",
        "purchase_order",
        "contacts",
        "tax_exemption",
        "reason",
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["customer"] if obj else []
