"""Products and their versions in the admin."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing_site.foundation import clock
from billing_site.foundation.admin import FactAdmin, HouseAdmin, ReadOnlyInline, WithCustomFields
from billing_site.foundation.custom_fields import Entity
from billing_site.foundation.display import day_text, quantity_text
from pricing import product_forms as own
from pricing import services
from pricing.admin.base import ARCHIVED, ThroughServices, names
from pricing.models import Product, ProductVersion
from pricing.queries.rows import products_with_versions, version_in_force

SIGNS = {"DIVIDE": "÷", "MULTIPLY": "×"}


class VersionInline(ReadOnlyInline):
    """The definitions, in the order in which they were made; `changed` is what each one named."""

    model = ProductVersion
    OF_TYPE: Mapping[str, Sequence[str]] = {
        Product.Type.USAGE: ("billable_metric", "priced_by", "split_by", "sold_in", "rounded"),
        Product.Type.COMPOSITE: ("composite_of",),
    }
    readonly_fields = ["since", "priced_by", "split_by", "sold_in", "rounded", "tagged", "composite_of", "changed"]
    names: Mapping[str, str] = {}  # of the products that versions of the one shown are a share of, by id

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What products of this type have."""
        of_type = self.OF_TYPE.get(obj.type, ()) if obj is not None else ()
        return ["since", "name", *of_type, "tagged", "changed", "publication"]

    def get_formset(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        versions = obj.versions.values_list("composite_product_ids", flat=True) if obj is not None else []
        named = Product.objects.filter(pk__in={part for parts in versions for part in parts})
        self.names = {str(pk): name for pk, name in named.values_list("pk", "name")}
        return super().get_formset(request, obj, **options)

    @admin.display(description="From")
    def since(self, version: ProductVersion) -> str:
        return day_text(version.starting_at) if version.starting_at else "ever"

    @admin.display(description="Priced by")
    def priced_by(self, version: ProductVersion) -> str:
        return ", ".join(version.pricing_group_key)

    @admin.display(description="Split by")
    def split_by(self, version: ProductVersion) -> str:
        return ", ".join(version.presentation_group_key)

    @admin.display(description="Sold in")
    def sold_in(self, version: ProductVersion) -> str:
        return sold_in(version)

    @admin.display(description="Rounded")
    def rounded(self, version: ProductVersion) -> str:
        if version.rounding_decimal_places is None:
            return ""
        return f"{version.get_rounding_method_display()}, {version.rounding_decimal_places} decimals"

    @admin.display(description="Tags")
    def tagged(self, version: ProductVersion) -> str:
        return ", ".join(version.tags)

    @admin.display(description="Share of")
    def composite_of(self, version: ProductVersion) -> str:
        """What it is a share of, by name; "Tokens, tag ai, free usage excluded"."""
        products = sorted(self.names[product_id] for product_id in version.composite_product_ids)
        said = [*products, *(f"tag {tag}" for tag in version.composite_tags)]
        if version.exclude_free_usage:
            said.append("free usage excluded")
        if version.include_composite_spend:
            said.append("other composites included")
        return ", ".join(said)

    @admin.display(description="Changed")
    def changed(self, version: ProductVersion) -> str:
        if version.starting_at is None:
            return ""
        return ", ".join(version.changed_fields) or "nothing of its own: an earlier change reaches it"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProductVersion]:
        versions = super().get_queryset(request).select_related("billable_metric", "publication")
        return versions.order_by("publication", "starting_at")


@admin.register(Product)
class ProductAdmin(WithCustomFields, ThroughServices, HouseAdmin):
    entity = Entity.CONTRACT_PRODUCT
    nothing_yet = "What is sold: a metric with a name on the invoice."
    add_form = own.ProductForm
    change_form = own.ProductChangeForm
    list_display = ["called", "type", "metric", "priced_by", "sold_in", "created_at", "archived_at"]
    list_filter = ["type", ARCHIVED]
    search_fields = ["name", "id"]
    ordering = ["name", "id"]
    fields = ["name", "type", "custom_values", "created_at", "created_by", "archived_at"]
    inlines = [VersionInline]
    actions = ["archive"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        return products_with_versions("billable_metric").order_by(*self.ordering)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """To change: when, why, and what products of this type have."""
        shown = super().get_fields(request, obj)
        if obj is None or not self.has_change_permission(request, obj):
            return shown
        apart = {*own.fields_of_others(obj.type), *shown, "starting_at", "reason"}
        return [
            "starting_at",
            "reason",
            *shown[:2],
            *(n for n in names(self.change_form) if n not in apart),
            *shown[2:],
        ]

    @admin.display(description="Name", ordering="name")
    def called(self, product: Product) -> str:
        return version_in_force(product, clock.now()).name

    @admin.display(description="Billable metric")
    def metric(self, product: Product) -> str:
        return str(version_in_force(product, clock.now()).billable_metric or "")

    @admin.display(description="Priced by")
    def priced_by(self, product: Product) -> str:
        return ", ".join(version_in_force(product, clock.now()).pricing_group_key)

    @admin.display(description="Sold in")
    def sold_in(self, product: Product) -> str:
        return sold_in(version_in_force(product, clock.now()))

    @admin.action(description="Archive selected products", permissions=["change"])
    def archive(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        self.archive_each(request, products, services.archive_product)


@admin.register(ProductVersion)
class ProductVersionAdmin(FactAdmin):
    list_display = ["name", "product", "starting_at", "billable_metric", "pricing_group_key", "tags", "publication"]
    list_select_related = ["product", "billable_metric", "publication"]
    list_filter = ["product__type"]
    search_fields = ["name", "product__name"]
    ordering = ["-publication", "id"]


def sold_in(version: ProductVersion) -> str:
    """What a sold unit is, where it is not what is measured."""
    if version.conversion_factor is None:
        return ""
    name = version.conversion_name or "units"
    return f"{name} (measured, {SIGNS[version.conversion_operation]} {quantity_text(version.conversion_factor)})"
