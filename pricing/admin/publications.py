"""Price changes and their publications in the admin."""

from django.contrib import admin

from billing_site.foundation.admin import FactAdmin, HouseAdmin, ReadOnlyInline
from pricing.admin.base import ThroughServices
from pricing.models import PriceChange, Publication


@admin.register(Publication)
class PublicationAdmin(FactAdmin):
    list_display = ["number", "published_at", "published_by", "reason"]
    list_select_related = ["price_change"]
    search_fields = ["published_by", "price_change__reason"]
    ordering = ["-number"]

    @admin.display(description="Reason")
    def reason(self, publication: Publication) -> str:
        return publication.price_change.reason


class PublicationInline(ReadOnlyInline):
    model = Publication
    fields = ["number", "published_at", "published_by"]


@admin.register(PriceChange)
class PriceChangeAdmin(ThroughServices, HouseAdmin):
    nothing_yet = "Who changed which prices when, and why."
    list_display = ["created_at", "kind", "state", "created_by", "reason"]
    list_filter = ["kind", "state"]
    search_fields = ["created_by", "reason"]
    ordering = ["-created_at", "-id"]
    fields = ["kind", "state", "reason", "created_at", "created_by", "actor_id"]
    inlines = [PublicationInline]
