"""The price list in the admin. Everything that writes is a service behind a form or an action."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from billing_site.foundation import clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.admin import FactAdmin, HouseAdmin
from billing_site.foundation.refusals import Refusal
from pricing import forms as own
from pricing import services
from pricing.models import (
    BillableMetric,
    PriceChange,
    PricingUnit,
    Product,
    ProductVersion,
    Publication,
    Rate,
    RateCard,
    RateCardAlias,
    RateWithdrawal,
)
from pricing.queries import alias_segments
from pricing.queries.rows import products_with_versions, version_in_force

ARCHIVED: Any = ("archived_at", admin.EmptyFieldListFilter)


class ReasonActionForm(ActionForm):
    """Asks why, beside the list of actions."""

    reason = forms.CharField(required=False, label="Reason:")


class ThroughServices(admin.ModelAdmin):
    """Adds and changes rows by forms that call services; what has no form is only shown."""

    add_form: type[own.ServiceForm] | None = None
    change_form: type[own.ServiceForm] | None = None
    action_form = ReasonActionForm
    form: Any

    def told(self, request: HttpRequest) -> dict[str, Any]:
        return {"at": clock.now(), "by": Actor.of(request)}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        chosen = self.add_form if obj is None else self.change_form
        if chosen is not None:
            options["form"] = type(chosen.__name__, (chosen,), self.told(request))
        return super().get_form(request, obj, change, **options)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fields(request, obj) if obj is not None or self.add_form is None else names(self.add_form)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What the form does not change."""
        if obj is None:
            return []
        changed = names(self.change_form) if self.change_form else []
        return [field for field in self.fields or [] if field not in changed]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return super().get_inlines(request, obj) if obj is not None else []

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.add_form is not None and admin.ModelAdmin.has_add_permission(self, request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_change_permission(request, obj)
        return may and (obj is None or self.change_form is not None)

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """The form's service has saved it."""

    def archive_each(self, request: HttpRequest, rows: QuerySet[Any], archive: Callable[..., Any]) -> None:
        archived = 0
        for row in rows:
            try:
                archive(row.pk, reason=request.POST.get("reason", ""), **self.told(request))
            except Refusal as refusal:
                self.message_user(request, refusal.message, messages.ERROR)
            else:
                archived += 1
        if archived:
            self.message_user(request, f"{archived} archived.")


class ReadOnlyInline(admin.TabularInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(PricingUnit)
class PricingUnitAdmin(ThroughServices, HouseAdmin):
    add_form = own.UnitForm
    list_display = ["name", "code", "is_currency", "wire_exponent", "minor_exponent", "created_at", "archived_at"]
    list_filter = ["is_currency", ARCHIVED]
    search_fields = ["name", "code"]
    ordering = ["-is_currency", "name"]
    fields = [
        "name",
        "code",
        "is_currency",
        "wire_exponent",
        "minor_exponent",
        "created_at",
        "created_by",
        "archived_at",
    ]
    actions = ["archive"]

    @admin.action(description="Archive selected pricing units", permissions=["change"])
    def archive(self, request: HttpRequest, units: QuerySet[PricingUnit]) -> None:
        self.archive_each(request, units, services.archive_pricing_unit)


@admin.register(BillableMetric)
class BillableMetricAdmin(ThroughServices, HouseAdmin):
    add_form = own.MetricForm
    change_form = own.MetricNameForm
    list_display = [
        "name",
        "aggregation_type",
        "aggregation_key",
        "event_type_filter",
        "group_keys",
        "created_at",
        "archived_at",
    ]
    list_filter = ["aggregation_type", ARCHIVED]
    search_fields = ["name", "aggregation_key"]
    ordering = ["name", "id"]
    fields = [
        "name",
        "reason",
        "aggregation_type",
        "aggregation_key",
        "event_type_filter",
        "property_filters",
        "group_keys",
        "custom_fields",
        "created_at",
        "created_by",
        "archived_at",
    ]
    actions = ["archive"]

    @admin.action(description="Archive selected billable metrics", permissions=["change"])
    def archive(self, request: HttpRequest, metrics: QuerySet[BillableMetric]) -> None:
        self.archive_each(request, metrics, services.archive_metric)


class VersionInline(ReadOnlyInline):
    model = ProductVersion
    fields = [
        "starting_at",
        "name",
        "billable_metric",
        "pricing_group_key",
        "presentation_group_key",
        "conversion_operation",
        "conversion_factor",
        "rounding_method",
        "rounding_decimal_places",
        "tags",
        "publication",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProductVersion]:
        return super().get_queryset(request).select_related("billable_metric", "publication").order_by("publication")


@admin.register(Product)
class ProductAdmin(ThroughServices, HouseAdmin):
    add_form = own.ProductForm
    list_display = ["name", "type", "metric", "priced_by", "sold_in", "created_at", "archived_at"]
    list_filter = ["type", ARCHIVED]
    search_fields = ["name", "id"]
    ordering = ["name", "id"]
    fields = ["name", "type", "custom_fields", "created_at", "created_by", "archived_at"]
    inlines = [VersionInline]
    actions = ["archive"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        return products_with_versions("billable_metric")

    @admin.display(description="Billable metric")
    def metric(self, product: Product) -> str:
        return str(version_in_force(product, clock.now()).billable_metric or "")

    @admin.display(description="Priced by")
    def priced_by(self, product: Product) -> str:
        return ", ".join(version_in_force(product, clock.now()).pricing_group_key)

    @admin.display(description="Sold in")
    def sold_in(self, product: Product) -> str:
        version = version_in_force(product, clock.now())
        if version.conversion_factor is None:
            return ""
        return (
            f"{version.conversion_operation.lower()} by {digits(version.conversion_factor)} {version.conversion_name}"
        )

    @admin.action(description="Archive selected products", permissions=["change"])
    def archive(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        self.archive_each(request, products, services.archive_product)


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
    """Prices are added and withdrawn, never edited."""

    add_form = own.RateForm
    list_display = [
        "product",
        "pricing_group_values",
        "exact_price",
        "unit",
        "starting_at",
        "ending_before",
        "entitled",
        "rate_card",
        "publication",
        "is_withdrawn",
    ]
    list_filter = [WithdrawnFilter, "entitled", "rate_card"]
    list_select_related = ["product", "unit", "rate_card", "publication", "withdrawal"]
    search_fields = ["product__name", "rate_card__name"]
    ordering = ["-publication", "id"]
    actions = ["withdraw"]

    @admin.display(description="Price", ordering="price")
    def exact_price(self, rate: Rate) -> str:
        return digits(rate.price)

    @admin.display(description="Withdrawn", boolean=True)
    def is_withdrawn(self, rate: Rate) -> bool:
        return hasattr(rate, "withdrawal")

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


@admin.register(ProductVersion)
class ProductVersionAdmin(FactAdmin):
    list_display = ["name", "product", "starting_at", "billable_metric", "pricing_group_key", "tags", "publication"]
    list_select_related = ["product", "billable_metric", "publication"]
    list_filter = ["product__type"]
    search_fields = ["name", "product__name"]
    ordering = ["-publication", "id"]


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
    list_display = ["created_at", "kind", "state", "created_by", "reason"]
    list_filter = ["kind", "state"]
    search_fields = ["created_by", "reason"]
    ordering = ["-created_at", "-id"]
    fields = ["kind", "state", "reason", "created_at", "created_by", "actor_id"]
    inlines = [PublicationInline]


def names(form: type[own.ServiceForm]) -> list[str]:
    """The form's fields, in order."""
    return list(form.base_fields)


def digits(number: Any) -> str:
    """Every digit, and no zeros behind the last."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
