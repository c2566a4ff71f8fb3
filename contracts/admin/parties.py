"""Who sells and who is billed, as invoices print it. What is saved here is on drafts at once, and on nothing final."""

from django.contrib import admin
from django.http import HttpRequest

from billing_site.foundation.admin import HouseAdmin
from contracts import services
from contracts.forms.parties import LegalEntityForm, NewProfileForm, ProfileForm
from contracts.models import BillingProfile, LegalEntity
from pricing.admin import ThroughServices


@admin.register(LegalEntity)
class LegalEntityAdmin(ThroughServices, HouseAdmin):
    add_form = change_form = LegalEntityForm
    nothing_yet = (
        "Who sells: name, address, tax id and where to pay. Until it is said, documents are titled usage statements."
    )
    list_display = ["name", "country", "tax_id", "net_payment_terms_days", "taxes"]
    search_fields = ["name"]
    ordering = ["name"]
    fields = [*services.ENTITY_FIELDS, "reason"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not LegalEntity.objects.exists()


@admin.register(BillingProfile)
class BillingProfileAdmin(ThroughServices, HouseAdmin):
    add_form = NewProfileForm
    change_form = ProfileForm
    nothing_yet = (
        "Who is billed: a customer's address, tax id, purchase order and contacts, as they stand on its documents."
    )
    list_display = ["customer", "legal_name", "country", "tax_id", "purchase_order"]
    list_select_related = ["customer"]
    search_fields = ["customer__name", "customer__id", "legal_name", "tax_id"]
    autocomplete_fields = ["customer"]
    ordering = ["customer__name"]
    fields = ["customer", *services.PROFILE_FIELDS, "reason"]
