"""What products and metrics are called, and products that are called otherwise by now."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Subquery

from pricing.models import BillableMetric, Product, ProductVersion


def named_otherwise(*, at: datetime) -> list[tuple[UUID, UUID]]:
    """(product, version in force) where the version's name is not the product's: a name that was published before it
    began. One query."""
    begun = ProductVersion.objects.filter(product=OuterRef("pk"), starting_at__lte=at)
    latest = begun.order_by("-starting_at", "-publication")
    products = Product.objects.filter(Exists(begun)).annotate(
        version=Subquery(latest.values("pk")[:1]), called=Subquery(latest.values("name")[:1])
    )
    return list(products.exclude(called=F("name")).order_by("pk").values_list("pk", "version"))


def names_of_products(ids: Collection[UUID]) -> dict[UUID, str]:
    return dict(Product.objects.filter(pk__in=ids).values_list("pk", "name"))


def names_of_metrics(ids: Collection[UUID]) -> dict[UUID, str]:
    return dict(BillableMetric.objects.filter(pk__in=ids).values_list("pk", "name"))
