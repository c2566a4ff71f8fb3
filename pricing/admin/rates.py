"""Rates and their withdrawals in the admin."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from billing_site.foundation.admin import FactAdmin, number_cell, words_cell
from billing_site.foundation.refusals import Refusal
from pricing import services
from pricing.admin.base import ThroughServices
from pricing.models import Rate, RateWithdrawal
from pricing.queries import version_in_force
from pricing.wording import key_text, price_text


class WithdrawnFilter(admin.SimpleListFilter):
    title = "withdrawn"
    parameter_name = "withdrawn"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "No"), ("yes", "Yes")]

    def queryset(self, request: HttpRequest, rates: QuerySet[Rate]) -> QuerySet[Rate]:
        if self.value() is None:
            return rates
        return rates.filter(withdrawal__isnull=self.value() == "no")


@admin.register(Rate)
class RateAdmin(ThroughServices, FactAdmin):
    """Prices are added on the page of their rate card, and withdrawn; never edited."""

    nothing_yet = "Every price of every rate card. Prices are set on the page of a rate card."
    list_display = [
        "product",
        "values",
        "money_price",
        "starting_at",
        "ending_before",
        "entitled",
        "rate_card",
        "publication",
        "is_withdrawn",
    ]
    list_filter = [WithdrawnFilter, "rate_type", "entitled", "rate_card"]
    list_select_related = ["product", "unit", "rate_card", "publication", "withdrawal"]
    search_fields = ["product__name", "rate_card__name"]
    ordering = ["-publication", "id"]
    actions = ["withdraw"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rate]:
        return super().get_queryset(request).prefetch_related("product__versions__publication")

    @admin.display(description="Price", ordering="price")
    def money_price(self, rate: Rate) -> str:
        text = price_text(rate, version_in_force(rate.product, rate.starting_at))
        return number_cell(text) if rate.rate_type == Rate.Type.FLAT else words_cell(text)

    @admin.display(description="Values")
    def values(self, rate: Rate) -> str:
        return key_text(rate.pricing_group_values, rate.billing_frequency)

    @admin.display(description="Withdrawn")
    def is_withdrawn(self, rate: Rate) -> str:
        return "withdrawn" if hasattr(rate, "withdrawal") else ""

    def has_withdraw_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("pricing.add_ratewithdrawal")

    @admin.action(description="Withdraw selected rates", permissions=["withdraw"])
    def withdraw(self, request: HttpRequest, rates: QuerySet[Rate]) -> None:
        ids, reason = [rate.pk for rate in rates], request.POST.get("reason", "")
        try:
            publication = services.withdraw_rates(ids, reason=reason, **self.told(request))
        except Refusal as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
        else:
            self.message_user(request, f"{len(ids)} withdrawn by publication {publication.number}.")


@admin.register(RateWithdrawal)
class RateWithdrawalAdmin(FactAdmin):
    list_display = ["rate", "publication", "published_at", "published_by", "reason"]
    list_select_related = ["rate__product", "publication__price_change"]
    search_fields = ["rate__product__name", "publication__price_change__reason"]
    ordering = ["-publication", "id"]

    @admin.display(description="At")
    def published_at(self, withdrawal: RateWithdrawal) -> Any:
        return withdrawal.publication.published_at

    @admin.display(description="By")
    def published_by(self, withdrawal: RateWithdrawal) -> str:
        return withdrawal.publication.published_by

    @admin.display(description="Reason")
    def reason(self, withdrawal: RateWithdrawal) -> str:
        return withdrawal.publication.price_change.reason
