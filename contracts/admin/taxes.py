from django.contrib import admin

from billing_site.foundation.admin import HouseAdmin
from contracts.models import ProductTaxCode


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
