from django.contrib import admin

from billing_site.foundation.admin import HouseAdmin
from contracts.models import CustomerLogin


@admin.register(CustomerLogin)
class CustomerLoginAdmin(HouseAdmin):
    """Make the user first, without staff status; then say here which customer it may see."""

    nothing_yet = "Which users see which customer's page."
    list_display = ["user", "customer"]
    list_select_related = ["user", "customer"]
    search_fields = ["user__username", "customer__name", "customer__id"]
    autocomplete_fields = ["customer", "user"]
    ordering = ["customer__name", "user__username"]
    fields = ["user", "customer", "reason"]
