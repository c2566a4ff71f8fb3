"""Rate cards and their aliases in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from billing_site.foundation.admin import FactAdmin, HouseAdmin, ReadOnlyInline
from pricing import forms as own
from pricing import services
from pricing.admin.base import ARCHIVED, ThroughServices
from pricing.models import RateCard, RateCardAlias
from pricing.queries import alias_segments


class AliasInline(ReadOnlyInline):
    model = RateCardAlias
    fields = ["name", "starting_at", "ending_before", "publication"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RateCardAlias]:
        return super().get_queryset(request).select_related("publication").order_by("publication", "id")


@admin.register(RateCard)
class RateCardAdmin(ThroughServices, HouseAdmin):
    add_form = own.RateCardForm
    change_form = own.RateCardNameForm
    list_display = ["name", "fiat_unit", "aliases_now", "prices", "created_at", "created_by", "archived_at"]
    list_filter = [ARCHIVED]
    list_select_related = ["fiat_unit"]
    search_fields = ["name", "aliases__name", "id"]
    ordering = ["name", "id"]
    fields = [
        "name",
        "description",
        "reason",
        "fiat_unit",
        "prices",
        "custom_fields",
        "created_at",
        "created_by",
        "archived_at",
    ]
    inlines = [AliasInline]
    actions = ["archive"]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        held = alias_segments([card.pk for card in changelist.result_list])
        for card in changelist.result_list:
            card.held_aliases = held[card.pk]
        return changelist

    @admin.display(description="Aliases")
    def aliases_now(self, card: Any) -> str:
        return ", ".join(dict.fromkeys(segment.name for segment in card.held_aliases))

    @admin.display(description="Prices")
    def prices(self, card: RateCard) -> str:
        query = urlencode({"rate_card__id__exact": str(card.pk)})
        return format_html('<a href="{}?{}">Prices</a>', reverse("admin:pricing_rate_changelist"), query)

    @admin.action(description="Archive selected rate cards", permissions=["change"])
    def archive(self, request: HttpRequest, cards: QuerySet[RateCard]) -> None:
        self.archive_each(request, cards, services.archive_rate_card)


@admin.register(RateCardAlias)
class RateCardAliasAdmin(ThroughServices, FactAdmin):
    """Names are given, never edited: a later one takes over."""

    add_form = own.AliasForm
    list_display = ["name", "rate_card", "starting_at", "ending_before", "publication"]
    list_select_related = ["rate_card", "publication"]
    search_fields = ["name", "rate_card__name"]
    ordering = ["-publication", "id"]
