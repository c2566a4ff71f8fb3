"""The names of rate cards in the admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing_site.foundation.admin import FactAdmin, ReadOnlyInline
from pricing import forms as own
from pricing.admin.base import ThroughServices
from pricing.models import RateCardAlias


class AliasInline(ReadOnlyInline):
    model = RateCardAlias
    fields = ["name", "starting_at", "ending_before", "publication"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RateCardAlias]:
        return super().get_queryset(request).select_related("publication").order_by("publication", "id")


@admin.register(RateCardAlias)
class RateCardAliasAdmin(ThroughServices, FactAdmin):
    """Names are given, never edited: a later one takes over."""

    add_form = own.AliasForm
    list_display = ["name", "rate_card", "starting_at", "ending_before", "publication"]
    list_select_related = ["rate_card", "publication"]
    search_fields = ["name", "rate_card__name"]
    ordering = ["-publication", "id"]
