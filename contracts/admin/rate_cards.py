"""Rate cards: a page that shows prices as a function of time, on which they are changed and withdrawn."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode

from billing_site.foundation import clock
from billing_site.foundation.admin import HouseAdmin, WithCustomFields, number_cell
from billing_site.foundation.custom_fields import Entity
from billing_site.foundation.display import instant_text, unit_text
from billing_site.foundation.transactions import read_snapshot
from contracts.admin import formula_page, price_raises, price_sheets
from contracts.admin.card_pages import CardPages
from contracts.admin.grid_links import grid_links
from contracts.admin.price_pages import PricePages
from contracts.admin.price_shown import (
    ShownAlias,
    ShownConversion,
    ShownKey,
    ShownPublication,
)
from contracts.forms.card_filter import CardFilter
from contracts.queries import contracts_by_card, contracts_on
from pricing import forms as pricing_forms
from pricing import services
from pricing.admin import ARCHIVED
from pricing.admin.aliases import AliasInline
from pricing.models import RateCard
from pricing.queries import (
    alias_segments,
    changes_of_card,
    conversions_of_cards,
    key_counts,
    prices_of_keys,
)

KEYS_A_PAGE = 50
FEW_KEYS = 5  # are seen at a glance
CONTRACTS_SHOWN = 8
PUBLICATIONS_SHOWN = 20


@admin.register(RateCard)
class RateCardAdmin(WithCustomFields, PricePages, CardPages, HouseAdmin):
    """A card opens on its prices; its record (name, aliases) has a page beside."""

    entity = Entity.RATE_CARD
    nothing_yet = "The list prices that contracts refer to, with every change by date."
    add_form = pricing_forms.RateCardForm
    change_form = pricing_forms.RateCardNameForm
    list_display = ["name", "currency", "contracts_now", "prices_now", "aliases_now", "created_at", "archived_at"]
    list_filter = [ARCHIVED]
    list_select_related = ["fiat_unit"]
    search_fields = ["name", "aliases__name", "id"]
    ordering = ["name", "id"]
    fields = [
        "name",
        "description",
        "reason",
        "fiat_unit",
        "custom_values",
        "created_at",
        "created_by",
        "archived_at",
    ]
    inlines = [AliasInline]
    actions = ["archive"]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        held = alias_segments([card.pk for card in changelist.result_list])
        counted = contracts_by_card(list(held), at=clock.now())
        priced_keys = key_counts(list(held))
        for card in changelist.result_list:
            card.held_aliases = held[card.pk]
            card.contract_count, card.key_count = counted.get(card.pk, 0), priced_keys.get(card.pk, 0)
        return changelist

    @admin.display(description="Currency", ordering="fiat_unit__name")
    def currency(self, card: RateCard) -> str:
        return unit_text(card.fiat_unit.to_unit())

    @admin.display(description="Contracts")
    def contracts_now(self, card: Any) -> str:
        return number_cell(f"{card.contract_count:,}")

    @admin.display(description="Prices")
    def prices_now(self, card: Any) -> str:
        return number_cell(f"{card.key_count:,}")

    @admin.display(description="Aliases")
    def aliases_now(self, card: Any) -> str:
        return ", ".join(dict.fromkeys(segment.name for segment in card.held_aliases))

    @admin.action(description="Archive selected rate cards", permissions=["change"])
    def archive(self, request: HttpRequest, cards: QuerySet[RateCard]) -> None:
        self.archive_each(request, cards, services.archive_rate_card)

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view
        return [
            path("<path:object_id>/record/", page(self.record_view), name="pricing_ratecard_record"),
            *price_sheets.urls(self.admin_site),
            *price_raises.urls(self.admin_site),
            *formula_page.urls(self.admin_site),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The prices of a card."""
        if request.method == "POST":
            return super().change_view(request, object_id, form_url, extra_context)
        card = self.get_object(request, unquote(object_id))
        if card is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, card):
            raise PermissionDenied
        at = clock.now()
        with read_snapshot():
            chosen = CardFilter(card, request.GET, at=at)
            keys = chosen.chosen() if chosen.is_any else chosen.keys
            page = Paginator(keys, KEYS_A_PAGE).get_page(request.GET.get("p"))
            shown = prices_of_keys(card, list(page.object_list), at=at)
            history = changes_of_card(card, limit=PUBLICATIONS_SHOWN)
            on_card = contracts_on(card, at=at)
            contract_count = on_card.count()
            contracts = list(on_card[:CONTRACTS_SHOWN])
            aliases = alias_segments([card.pk])[card.pk]
            conversions = conversions_of_cards([card.pk])[card.pk]
        context = {
            **self.card_context(request, card),
            "now_text": instant_text(at),
            "unit": unit_text(card.fiat_unit.to_unit()),
            "rows": [ShownKey.of(card, key, number, at=at) for number, key in enumerate(shown, page.start_index())],
            "page": page,
            "filter": chosen,
            "is_filtered": chosen.is_any,
            "search": request.GET.get("q", "").strip(),
            "filter_query": chosen.query(),
            "grids": grid_links(card, keys) if request.user.has_perm("pricing.add_rate") else [],
            "has_filter": len(chosen.keys) > FEW_KEYS,
            "history": [ShownPublication.of(change) for change in history],
            "history_is_cut": len(history) == PUBLICATIONS_SHOWN,
            "all_prices_url": f"{reverse('admin:pricing_rate_changelist')}?{_card_filter(card)}",
            "conversions": [ShownConversion.of(card, each) for each in conversions],
            "add_alias_url": f"{reverse('admin:pricing_ratecardalias_add')}?{urlencode({'rate_card': str(card.pk)})}",
            "contract_count": contract_count,
            "contracts": contracts if request.user.has_perm("contracts.view_contract") else [],
            "all_contracts_url": f"{reverse('admin:contracts_contract_changelist')}?{_card_filter(card)}",
            "alias_names": ", ".join(dict.fromkeys(segment.name for segment in aliases)),
            "aliases": [ShownAlias.of(segment) for segment in aliases],
        }
        return TemplateResponse(request, "admin/pricing/ratecard/prices.html", context)

    def record_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What a card is called, its aliases, and who made it."""
        return self.changeform_view(request, object_id)


def _card_filter(card: RateCard) -> str:
    return urlencode({"rate_card__id__exact": str(card.pk)})
