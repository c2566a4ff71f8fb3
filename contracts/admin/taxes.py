from django.contrib import admin

from billing_site.foundation.admin import HouseAdmin
from contracts.models import ProductTaxCode, TaxRate


@admin.register(TaxRate)
class TaxRateAdmin(HouseAdmin):
    """What is saved here is on drafts at once, and on nothing final."""

    nothing_yet = "What is charged by tax code, from a date on. Taxes are charged once the legal entity says so."
    list_display = ["name", "percent", "tax_code", "country", "starting_at", "ending_before"]
    list_filter = ["country", "tax_code"]
    search_fields = ["name", "tax_code", "country"]
    ordering = ["country", "tax_code", "-starting_at"]
    fields = ["name", "percent", "tax_code", "country", "starting_at", "ending_before", "reason"]


@admin.register(ProductTaxCode)
class ProductTaxCodeAdmin(HouseAdmin):
    nothing_yet = "Which code a product is taxed by; one without is taxed at the standard rate."
    list_display = ["product", "tax_code"]
    list_select_related = ["product"]
    list_filter = ["tax_code"]
    search_fields = ["product__name", "tax_code"]
    autocomplete_fields = ["product"]
    ordering = ["product__name"]
    fields = ["product", "tax_code", "reason"]
