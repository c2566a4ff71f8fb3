from django.contrib import admin

from billing_site.foundation.admin import HouseAdmin
from contracts.forms.taxes import NewTaxCodeForm, TaxCodeForm
from contracts.models import ProductTaxCode
from pricing.admin import ThroughServices


@admin.register(ProductTaxCode)
class ProductTaxCodeAdmin(ThroughServices, HouseAdmin):
    add_form = NewTaxCodeForm
    change_form = TaxCodeForm
    nothing_yet = "Which code a product is taxed by; one without is taxed at the standard rate."
    list_display = ["product", "tax_code"]
    list_select_related = ["product"]
    list_filter = ["tax_code"]
    search_fields = ["product__name", "tax_code"]
    autocomplete_fields = ["product"]
    ordering = ["product__name"]
    fields = ["product", "tax_code", "reason"]
