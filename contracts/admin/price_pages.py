"""The pages of one row of a rate card: a new price, with what becomes of later ones, and taking a price back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from django_htmx.http import HttpResponseClientRedirect

from billing_site.foundation import clock
from billing_site.foundation.display import count_text
from billing_site.foundation.refusals import Refusal
from contracts import forms
from contracts.admin.card_pages import card_of
from contracts.admin.later_shown import ShownLater, later_shown
from contracts.admin.price_sheets import later_answers
from contracts.admin.price_shown import (
    FREQUENCY,
    Effect,
    ShownKey,
    effect_of_adding,
    effect_of_withdrawing,
    range_text,
    start_of,
)
from contracts.admin.sealed_change import sealed
from contracts.forms.later_prices import UNANSWERED
from contracts.queries import reach
from pricing import services
from pricing.admin import ThroughServices
from pricing.engine.later import Later
from pricing.models import Product, Rate, RateCard
from pricing.models.rates import FREQUENCIES
from pricing.queries import (
    Key,
    PricedKey,
    Standing,
    latest_publication,
    priced,
    prices_of_keys,
    pricing_keys_from,
    products_by_id,
    units_for,
)
from pricing.services.tariffs import RATE_TYPES_OF
from pricing.wording import key_text

STILL_HELD = (Standing.NOW, Standing.TO_COME)


@dataclass(frozen=True, slots=True)
class _LookedAt:
    """What a new price would do, what there is to be said of later ones, and the mark of both."""

    effect: Effect
    later: ShownLater | None
    change: str
    seen: str


class PricePages(ThroughServices):
    """A card's admin has them beside its own."""

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view
        return [
            path("<uuid:card_id>/prices/<uuid:product_id>/", page(self.price_view), name="pricing_ratecard_price"),
            path("<uuid:card_id>/withdraw/<uuid:rate_id>/", page(self.withdraw_view), name="pricing_ratecard_withdraw"),
            *super().get_urls(),
        ]

    def card_context(self, request: HttpRequest, card: RateCard) -> dict[str, Any]:
        """What every page of the card shows."""
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
        looked: _LookedAt | None = None
        if request.method == "POST" and form.is_valid():
            answer = self._publish(request, card, row, form, at)
            if isinstance(answer, HttpResponse):
                return answer
            looked = answer
        context = {
            **self.card_context(request, card),
            "title": f"Price of {row.version.name}",
            "form": form,
            "row": row,
            "row_values": key_text(row.key.values, row.key.frequency),
            "now": ShownKey.of(card, row, 0),
            "effect": looked.effect if looked else None,
            "later": looked.later if looked else None,
            "change": looked.change if looked else "",
            "seen": looked.seen if looked else "",
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
            without = priced(key, product, rates, at=at, without=[rate])
            touched = reach(card, since=stay.starting_at, at=at)
            effect = effect_of_withdrawing(without, rate, stay, touched, at=at)
        context = {
            **self.card_context(request, card),
            "title": f"Withdraw a price of {row.version.name}",
            "form": form,
            "row": row,
            "row_values": key_text(row.key.values, row.key.frequency),
            "rate_range": range_text(rate.starting_at, rate.ending_before),
            "effect": effect,
            "change": sealed(card, [], [rate.pk]),
            "action_url": request.get_full_path(),
        }
        return TemplateResponse(request, _template(request, "withdraw"), context)

    def _publish(
        self, request: HttpRequest, card: RateCard, row: PricedKey, form: forms.PriceForm, at: datetime
    ) -> "_LookedAt | HttpResponse | None":
        """Publish what whoever asks has seen the effect of; else say the effect. None where it is refused."""
        new, answers = form.to_rate(), later_answers(request)
        try:
            planned = services.planned_rate(card, new)
            later = Later.of(
                row.standing(),
                since=planned.starting_at,
                until=planned.ending_before,
                withdraws=lambda rate: answers.withdraws(rate.pk),
            )
            withdrawn = later.withdrawn
            after = priced(row.key, row.product, row.rates(), at=at, adding=planned, without=withdrawn)
            asked = [
                services.LaterPrice(rate.pk, rate.starting_at, services.Held.of(rate), is_withdrawn)
                for rate, is_withdrawn in later.asked(after.holds)
            ]
            seen = form.mark([rate.pk for rate in withdrawn])
            wants_publishing = request.POST.get("action") == "publish" and form.cleaned_data["seen"] == seen
            if wants_publishing and answers.leave_open(asked):
                form.add_error(None, UNANSWERED)
            elif wants_publishing:
                rate = services.add_rate(
                    card.pk,
                    new,
                    withdrawing=[rate.pk for rate in withdrawn],
                    known_publication=form.cleaned_data["known"],
                    reason=form.cleaned_data["reason"],
                    **self.told(request),
                )
                said = f"Published: {row.version.name} {range_text(rate.starting_at, rate.ending_before)}."
                if withdrawn:
                    said += f" {start_of(count_text(len(withdrawn), 'later price', 'later prices'))} withdrawn with it."
                self.message_user(request, said, messages.SUCCESS)
                return _back_to(request, card)
        except services.PriceWasChanged as refusal:
            form.show(refusal)
            form.renew(known=latest_publication(), seen="")
            return None
        except Refusal as refusal:
            form.show(refusal)
            return None
        effect = effect_of_adding(row, after, planned, reach(card, since=new.starting_at, at=at), at=at)
        may_withdraw = request.user.has_perm("pricing.add_ratewithdrawal")
        values = key_text(row.key.values, row.key.frequency)
        named = ((each, row.version.name, values) for each in asked) if may_withdraw else ()
        change = sealed(card, [planned], [rate.pk for rate in withdrawn])
        return _LookedAt(effect, later_shown(named, answers), change, seen)


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
