"""Products, and the versions of their definitions."""

from uuid import UUID

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import is_a_number, on_the_hour, one_of, price_field
from billing_site.foundation.history import history
from billing_site.foundation.ids import uuid7
from pricing.engine import catalog as engine
from pricing.models.metrics import BillableMetric
from pricing.models.publications import Publication


class Product(models.Model):
    """What is sold, by name. What it measures and how is in its versions; what it costs is on rate cards."""

    class Type(models.TextChoices):
        USAGE = "USAGE"
        SUBSCRIPTION = "SUBSCRIPTION"
        COMPOSITE = "COMPOSITE"
        FIXED = "FIXED"
        PRO_SERVICE = "PRO_SERVICE"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=160, help_text="The current name; versions keep what it was called when.")
    type = models.CharField(max_length=16, choices=Type)
    custom_fields = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    archived_at = models.DateTimeField(null=True, blank=True)
    history = history()

    class Meta:
        constraints = [one_of("type", ["USAGE", "SUBSCRIPTION", "COMPOSITE", "FIXED", "PRO_SERVICE"])]

    def __str__(self) -> str:
        return self.name


class ProductVersion(models.Model):
    """The whole definition of a product from `starting_at` on; the initial one holds since ever (NULL)."""

    class Operation(models.TextChoices):
        MULTIPLY = "MULTIPLY"
        DIVIDE = "DIVIDE"

    class Rounding(models.TextChoices):
        ROUND_UP = "ROUND_UP"
        ROUND_DOWN = "ROUND_DOWN"
        ROUND_HALF_UP = "ROUND_HALF_UP"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    product = models.ForeignKey(Product, models.PROTECT, related_name="versions")
    publication = models.ForeignKey(Publication, models.PROTECT, related_name="product_versions")
    starting_at = models.DateTimeField(null=True)
    changed_fields = models.JSONField(default=list)  # what the update named; none where it only reaches a later one
    name = models.CharField(max_length=160)
    billable_metric = models.ForeignKey(BillableMetric, models.PROTECT, null=True, related_name="product_versions")
    pricing_group_key = models.JSONField(default=list)
    presentation_group_key = models.JSONField(default=list)
    conversion_factor = price_field(null=True)
    conversion_operation = models.CharField(max_length=8, choices=Operation, blank=True, default="")
    conversion_name = models.CharField(max_length=160, blank=True, default="")
    rounding_decimal_places = models.SmallIntegerField(null=True)
    rounding_method = models.CharField(max_length=16, choices=Rounding, blank=True, default="")
    tags = models.JSONField(default=list)
    composite_product_ids = models.JSONField(default=list)
    composite_tags = models.JSONField(default=list)
    exclude_free_usage = models.BooleanField(default=False)
    include_composite_spend = models.BooleanField(default=False)
    is_refundable = models.BooleanField(default=True)
    netsuite_internal_item_id = models.CharField(max_length=200, blank=True, default="")
    netsuite_overage_item_id = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            *on_the_hour("starting_at"),
            is_a_number("conversion_factor"),
            models.CheckConstraint(
                name="a_conversion_factor_is_positive",
                condition=Q(conversion_factor__isnull=True) | Q(conversion_factor__gt=0),
            ),
            models.CheckConstraint(
                name="a_conversion_has_a_factor_and_an_operation",
                condition=Q(conversion_factor__isnull=True, conversion_operation="")
                | Q(conversion_factor__isnull=False, conversion_operation__in=["MULTIPLY", "DIVIDE"]),
            ),
            models.CheckConstraint(
                name="a_rounding_has_places_and_a_method",
                condition=Q(rounding_decimal_places__isnull=True, rounding_method="")
                | Q(
                    rounding_decimal_places__isnull=False,
                    rounding_method__in=["ROUND_UP", "ROUND_DOWN", "ROUND_HALF_UP"],
                ),
            ),
            models.UniqueConstraint(
                name="a_product_has_one_initial_version", fields=["product"], condition=Q(starting_at__isnull=True)
            ),
        ]
        indexes = [models.Index(name="versions_of_a_product", fields=["product", "publication"])]

    def __str__(self) -> str:
        return f"{self.name} since {self.starting_at:%Y-%m-%d %H:%M} UTC" if self.starting_at else self.name

    def to_version(self) -> engine.ProductVersion:
        """The engine's value; reads `product`."""
        conversion = rounding = None
        if self.conversion_factor is not None:
            conversion = engine.Conversion(self.conversion_factor, self.conversion_operation, self.conversion_name)
        if self.rounding_decimal_places is not None:
            rounding = engine.Rounding(self.rounding_decimal_places, self.rounding_method)
        return engine.ProductVersion(
            product_id=self.product_id,
            type=self.product.type,
            name=self.name,
            starting_at=self.starting_at,
            publication=self.publication_id,
            metric_id=self.billable_metric_id,
            pricing_group_key=tuple(self.pricing_group_key),
            presentation_group_key=tuple(self.presentation_group_key),
            conversion=conversion,
            rounding=rounding,
            tags=tuple(self.tags),
            composite_product_ids=tuple(UUID(product_id) for product_id in self.composite_product_ids),
            composite_tags=tuple(self.composite_tags),
            exclude_free_usage=self.exclude_free_usage,
            include_composite_spend=self.include_composite_spend,
        )
