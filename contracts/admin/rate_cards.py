"""Rate cards: a page that shows prices as a function of time, on which they are changed and withdrawn."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.decorators.csrf import csrf_protect
from django_htmx.http import HttpResponseClientRedirect

from billing_site.foundation import clock
from billing_site.foundation.admin import HouseAdmin, WithCustomFields, number_cell
from billing_site.foundation.custom_fields import Entity
from billing_site.foundation.display import instant_text, unit_text
from billing_site.foundation.refusals import Refusal
from billing_site.foundation.transactions import read_snapshot
from contracts import forms
from contracts.admin import formula_page, price_raises, price_sheets
from contracts.admin.card_pages import CardPages, card_of
from contracts.admin.grid_links import grid_links
from contracts.admin.price_shown import (
    FREQUENCY,
    Effect,
    ShownAlias,
    ShownConversion,
    ShownKey,
    ShownPublication,
    effect_of_adding,
    effect_of_withdrawing,
    range_text,
)
from contracts.queries import contracts_by_card, contracts_on, reach
from pricing import forms as pricing_forms
from pricing import services
from pricing.admin import ARCHIVED, ThroughServices
from pricing.admin.aliases import AliasInline
from pricing.models import Product, Rate, RateCard
from pricing.models.rates import FREQUENCIES
from pricing.queries import (
    Key,
    PricedKey,
    Standing,
    alias_segments,
    changes_of_card,
    conversions_of_cards,
    key_counts,
    keys_of_card,
    latest_publication,
    priced,
    prices_of_keys,
    pricing_keys_from,
    products_by_id,
    units_for,
)
from pricing.services.tariffs import RATE_TYPES_OF
from pricing.wording import key_text

KEYS_A_PAGE = 50
CONTRACTS_SHOWN = 8
PUBLICATIONS_SHOWN = 20


@admin.register(RateCard)
class RateCardAdmin(WithCustomFields, ThroughServices, CardPages, HouseAdmin):
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
            path("<uuid:card_id>/prices/<uuid:product_id>/", page(self.price_view), name="pricing_ratecard_price"),
            path("<uuid:card_id>/withdraw/<uuid:rate_id>/", page(self.withdraw_view), name="pricing_ratecard_withdraw"),
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
        at, search = clock.now(), request.GET.get("q", "").strip()
        with read_snapshot():
            keys = keys_of_card(card, search=search)
            page = Paginator(keys, KEYS_A_PAGE).get_page(request.GET.get("p"))
            shown = prices_of_keys(card, list(page.object_list), at=at)
            history = changes_of_card(card, limit=PUBLICATIONS_SHOWN)
            on_card = contracts_on(card, at=at)
            contract_count = on_card.count()
            contracts = list(on_card[:CONTRACTS_SHOWN])
            aliases = alias_segments([card.pk])[card.pk]
            conversions = conversions_of_cards([card.pk])[card.pk]
        context = {
            **self._context(request, card),
            "now_text": instant_text(at),
            "unit": unit_text(card.fiat_unit.to_unit()),
            "rows": [ShownKey.of(card, key, number, at=at) for number, key in enumerate(shown, page.start_index())],
            "page": page,
            "search": search,
            "grids": grid_links(card, keys) if request.user.has_perm("pricing.add_rate") else [],
            "has_more_than_a_page": len(keys) > KEYS_A_PAGE or search,
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

    @method_decorator(csrf_protect)
    def price_view(self, request: HttpRequest, card_id: UUID, product_id: UUID) -> HttpResponse:
        """A new price for one row of the card: first what it would do, then done.

        Which row it is stands in the address's parameters (`change_url`). htmx asks for the form alone, and for what it
        would do, as it is filled in (`part=effect`).
        """
        if not request.user.has_perm("pricing.add_rate"):
            raise PermissionDenied
        at, known = clock.now(), latest_publication()
        card = card_of(card_id)
        row = _row(card, product_id, request.GET.dict(), at)
        form = forms.PriceForm(card, row, units_for(card, row.product), request.POST or None, known=known, at=at)
        is_live = request.POST.get("part") == "effect"
        form.fields["reason"].required = request.POST.get("action") == "publish"  # only then it is asked for
        effect = None
        if request.method == "POST" and form.is_valid():
            effect = self._publish(request, card, row, form, at)
            if isinstance(effect, HttpResponse):
                return effect
        context = {
            **self._context(request, card),
            "title": f"Price of {row.version.name}",
            "form": form,
            "row": row,
            "row_values": key_text(row.key.values, row.key.frequency),
            "now": ShownKey.of(card, row, 0),
            "effect": effect,
            "is_live": is_live,
            "action_url": request.get_full_path(),
        }
        return TemplateResponse(request, _template(request, "price"), context)

    @method_decorator(csrf_protect)
    def withdraw_view(self, request: HttpRequest, card_id: UUID, rate_id: UUID) -> HttpResponse:
        """Taking a published price back, once it is said what will hold in its stead."""
        if not request.user.has_perm("pricing.add_ratewithdrawal"):
            raise PermissionDenied
        at, known = clock.now(), latest_publication()
        card = card_of(card_id)
        rate = Rate.objects.filter(pk=rate_id, rate_card=card).select_related("unit", "product").first()
        if rate is None:
            raise Http404("There is no such price on this card.")
        form = forms.WithdrawalForm(request.POST or None, initial={"known": known})
        if request.method == "POST" and form.is_valid():
            try:
                publication = services.withdraw_rates(
                    [rate.pk],
                    known_publication=form.cleaned_data["known"],
                    reason=form.cleaned_data["reason"],
                    **self.told(request),
                )
            except Refusal as refusal:
                form.show(refusal)
                form.renew(known=known)
            else:
                self.message_user(request, f"Withdrawn by publication {publication.number}.", messages.SUCCESS)
                return _back_to(request, card)
        key = Key(rate.product_id, rate.pricing_group_values, rate.billing_frequency)
        product = products_by_id([rate.product_id])[rate.product_id]
        rates = list(key.rates(card.pk).select_related("unit", "withdrawal").order_by("publication_id", "id"))
        row = priced(key, product, rates, at=at)
        stay = next((stay for stay in row.stays if stay.rate == rate and stay.standing in STILL_HELD), None)
        effect = None
        if stay is not None:
            without = priced(key, product, rates, at=at, without=rate)
            touched = reach(card, since=stay.starting_at, at=at)
            effect = effect_of_withdrawing(without, rate, stay, touched, at=at)
        context = {
            **self._context(request, card),
            "title": f"Withdraw a price of {row.version.name}",
            "form": form,
            "row": row,
            "row_values": key_text(row.key.values, row.key.frequency),
            "rate_range": range_text(rate.starting_at, rate.ending_before),
            "effect": effect,
            "action_url": request.get_full_path(),
        }
        return TemplateResponse(request, _template(request, "withdraw"), context)

    def _publish(
        self, request: HttpRequest, card: RateCard, row: PricedKey, form: forms.PriceForm, at: datetime
    ) -> Effect | HttpResponse | None:
        """Publish what whoever asks has seen the effect of; else say the effect. None where it is refused."""
        new = form.to_rate()
        try:
            planned = services.planned_rate(card, new)
            if request.POST.get("action") == "publish" and form.is_seen():
                known, reason = form.cleaned_data["known"], form.cleaned_data["reason"]
                rate = services.add_rate(card.pk, new, known_publication=known, reason=reason, **self.told(request))
                said = f"Published: {row.version.name} {range_text(rate.starting_at, rate.ending_before)}."
                self.message_user(request, said, messages.SUCCESS)
                return _back_to(request, card)
        except services.PriceWasChanged as refusal:
            form.show(refusal)
            form.renew(known=latest_publication(), seen="")
            return None
        except Refusal as refusal:
            form.show(refusal)
            return None
        rates = list({stay.rate.pk: stay.rate for stay in row.stays}.values())
        after = priced(row.key, row.product, rates, at=at, adding=planned)
        return effect_of_adding(row, after, planned, reach(card, since=new.starting_at, at=at), at=at)

    def _context(self, request: HttpRequest, card: RateCard) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": card.name,
            "original": card,
            "card": card,
            "may_publish": request.user.has_perm("pricing.add_rate") and card.archived_at is None,
            "may_withdraw": request.user.has_perm("pricing.add_ratewithdrawal"),
            "may_alias": request.user.has_perm("pricing.add_ratecardalias") and card.archived_at is None,
            "may_change": request.user.has_perm("pricing.change_ratecard") and card.archived_at is None,
        }


STILL_HELD = (Standing.NOW, Standing.TO_COME)


def _row(card: RateCard, product_id: UUID, parameters: dict[str, str], at: datetime) -> PricedKey:
    """A row of the card, by the parameters of its address; one without a price yet, where the product may have it."""
    product = products_by_id([product_id]).get(product_id)
    if product is None or product.type not in RATE_TYPES_OF:
        raise Http404("There is no such price on this card.")
    frequency = parameters.pop(FREQUENCY, "") if product.type == Product.Type.SUBSCRIPTION else ""
    row = prices_of_keys(card, [Key(product_id, parameters, frequency)], at=at)[0]
    is_sold_so = any(set(parameters) == set(key) for _, key in pricing_keys_from(product, at))
    if not row.stays and not (is_sold_so and frequency in ("", *FREQUENCIES)):
        raise Http404("There is no such price on this card.")
    return row


def _template(request: HttpRequest, name: str) -> str:
    """The whole page, or the part that htmx has asked for."""
    if not getattr(request, "htmx", False):
        return f"admin/pricing/ratecard/{name}.html"
    if request.POST.get("part") == "effect":
        return "admin/pricing/ratecard/_effect.html"
    return f"admin/pricing/ratecard/_{name}.html"


def _back_to(request: HttpRequest, card: RateCard) -> HttpResponse:
    page = reverse("admin:pricing_ratecard_change", args=[card.pk])
    return HttpResponseClientRedirect(page) if getattr(request, "htmx", False) else HttpResponseRedirect(page)


def _card_filter(card: RateCard) -> str:
    return urlencode({"rate_card__id__exact": str(card.pk)})
