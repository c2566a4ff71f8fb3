"""What else is set on a rate card: prices of more products, what custom units are worth, the order on invoices."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.refusals import Refusal
from contracts import forms
from contracts.admin.price_shown import change_url
from pricing import services
from pricing.models import RateCard
from pricing.queries import product_order, products_by_id, rate_card


class CardPages(admin.ModelAdmin):
    """The pages of a card beside its prices."""

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view
        return [
            path("<uuid:card_id>/more/", page(self.more_view), name="pricing_ratecard_more"),
            path("<uuid:card_id>/convert/", page(self.convert_view), name="pricing_ratecard_convert"),
            path("<uuid:card_id>/order/", page(self.order_view), name="pricing_ratecard_order"),
            *super().get_urls(),
        ]

    def more_view(self, request: HttpRequest, card_id: UUID) -> HttpResponse:
        """Which product is to be priced, and which of its prices; the page of that price asks the rest."""
        if not request.user.has_perm("pricing.add_rate"):
            raise PermissionDenied
        card, at = card_of(card_id), clock.now()
        chosen, asked = forms.ProductToPriceForm(request.GET or None), None
        if chosen.is_valid():
            asked = forms.KeyForm(chosen.cleaned_data["product"], request.GET, at=at)
            if asked.is_valid():
                return HttpResponseRedirect(change_url(card, asked.key()))
        return self.page(request, card, "more", title="Price another product", form=chosen, asked=asked)

    def convert_view(self, request: HttpRequest, card_id: UUID) -> HttpResponse:
        """What a custom unit is worth in the card's currency."""
        card = self.changed_card(request, card_id)
        form = forms.ConversionForm(card, request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                services.update_rate_card(
                    card.pk,
                    add_credit_type_conversions=[form.to_conversion()],
                    reason=form.cleaned_data["reason"],
                    at=clock.now(),
                    by=Actor.of(request),
                )
            except Refusal as refusal:
                form.show(refusal)
            else:
                self.message_user(request, f"The card converts {form.cleaned_data['unit']}.", messages.SUCCESS)
                return back_to(card)
        return self.page(request, card, "convert", title="Convert a custom unit", form=form)

    def order_view(self, request: HttpRequest, card_id: UUID) -> HttpResponse:
        """In which order the products of a card are on invoices."""
        card = self.changed_card(request, card_id)
        order = product_order(card)
        products = products_by_id(order)
        form = forms.OrderForm([products[product_id] for product_id in order], request.POST or None)
        if form.is_outdated():
            self.message_user(request, "Somebody has changed the order meanwhile: here it is now.", messages.WARNING)
            return HttpResponseRedirect(request.path)
        if request.method == "POST" and form.is_valid():
            told = {"reason": form.cleaned_data["reason"], "at": clock.now(), "by": Actor.of(request)}
            try:
                services.move_products(card.pk, form.moves(), **told)
            except Refusal as refusal:
                form.show(refusal)
            else:
                self.message_user(request, "The products are in this order on invoices.", messages.SUCCESS)
                return back_to(card)
        return self.page(request, card, "order", title="Order of products", form=form)

    def page(self, request: HttpRequest, card: RateCard, template: str, **context: Any) -> TemplateResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "card": card, **context}
        return TemplateResponse(request, f"admin/pricing/ratecard/{template}.html", context)

    def changed_card(self, request: HttpRequest, card_id: UUID) -> RateCard:
        """The card, for whoever may change it."""
        if not request.user.has_perm("pricing.change_ratecard"):
            raise PermissionDenied
        return card_of(card_id)


def card_of(card_id: UUID) -> RateCard:
    try:
        return rate_card(card_id)
    except Refusal as refusal:
        raise Http404(refusal.message) from refusal


def back_to(card: RateCard) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:pricing_ratecard_change", args=[card.pk]))
