"""What is sold and for how much: pricing units, metrics, products, rate cards, and the facts that price them.

Configured rows (units, metrics, products, rate cards) have history. Facts (publications, product versions, rates,
withdrawals, aliases) are only inserted; each names the publication that brought it.
"""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import MD5, Cast

from billing_site.foundation.columns import ends_after_it_starts, is_a_number, on_the_hour, one_of, price_field
from billing_site.foundation.history import history
from billing_site.foundation.ids import uuid7
from billing_site.foundation.money import Unit
from pricing.engine import catalog as engine


class PricingUnit(models.Model):
    """What prices are stated in: fiat money (USD in cents, other currencies in whole units) or a custom credit."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=160, unique=True)
    code = models.CharField(max_length=16, blank=True, default="", help_text="ISO 4217 code of a currency.")
    is_currency = models.BooleanField(default=False)
    wire_exponent = models.PositiveSmallIntegerField(
        default=0, help_text="Decimal places that one unit on the wire stands for: USD 2 (cents), EUR 0."
    )
    minor_exponent = models.PositiveSmallIntegerField(
        default=2, help_text="Decimal places that can be paid: USD 2, JPY 0, KWD 3."
    )
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    archived_at = models.DateTimeField(null=True, blank=True)
    history = history()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_pricing_unit_has_at_most_four_decimal_places",
                condition=Q(minor_exponent__lte=4, wire_exponent__lte=4),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def to_unit(self) -> Unit:
        return Unit(self.id, self.name, self.wire_exponent, self.minor_exponent, self.code)


class BillableMetric(models.Model):
    """A measure over usage events. Its definition never changes; only its name does."""

    class Aggregation(models.TextChoices):
        COUNT = "COUNT"
        SUM = "SUM"
        MAX = "MAX"
        LATEST = "LATEST"
        UNIQUE = "UNIQUE"
        WEIGHTED_SUM = "WEIGHTED_SUM"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=160)
    aggregation_type = models.CharField(max_length=16, choices=Aggregation)
    aggregation_key = models.CharField(max_length=256, blank=True, default="")
    # {"in_values": [...], "not_in_values": [...]}, each where it was given; {} lets every type pass
    event_type_filter = models.JSONField(default=dict, blank=True)
    # [{"name": ..., "exists": bool, "in_values": [...], "not_in_values": [...]}], each but the name where given
    property_filters = models.JSONField(default=list, blank=True)
    group_keys = models.JSONField(default=list, blank=True)  # [["region"], ["region", "team"]]
    custom_fields = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    archived_at = models.DateTimeField(null=True, blank=True)
    history = history()

    class Meta:
        constraints = [
            one_of("aggregation_type", ["COUNT", "SUM", "MAX", "LATEST", "UNIQUE", "WEIGHTED_SUM"]),
            models.CheckConstraint(
                name="every_aggregation_but_count_names_its_property",
                condition=Q(aggregation_type="COUNT") | ~Q(aggregation_key=""),
                violation_error_message="Every aggregation but COUNT needs an aggregation key.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def to_metric(self) -> engine.Metric:
        return engine.Metric(self.id, self.name, self.aggregation_type)


class PriceChange(models.Model):
    """A governed set of edits to rate cards. DIRECT ones are published as they are made."""

    class Kind(models.TextChoices):
        DIRECT = "DIRECT"

    class State(models.TextChoices):
        PUBLISHED = "PUBLISHED"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.DIRECT)
    state = models.CharField(max_length=16, choices=State, default=State.PUBLISHED)
    reason = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    actor_id = models.CharField(max_length=64, blank=True, default="")
    history = history()

    class Meta:
        constraints = [one_of("kind", ["DIRECT"]), one_of("state", ["PUBLISHED"])]

    def __str__(self) -> str:
        return f"{self.kind.lower()} price change of {self.created_at:%Y-%m-%d %H:%M} UTC by {self.created_by}"


class Publication(models.Model):
    """The moment at which a set of catalog facts became known. Numbers strictly increase in commit order."""

    number = models.BigIntegerField(primary_key=True)
    price_change = models.ForeignKey(PriceChange, models.PROTECT, related_name="publications")
    published_at = models.DateTimeField()
    published_by = models.CharField(max_length=160)

    def __str__(self) -> str:
        return f"Publication {self.number}"


class PublicationCounter(models.Model):
    """The last publication number given out; its row lock orders all publications."""

    id = models.BooleanField(primary_key=True, default=True)
    last_number = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(name="there_is_one_publication_counter", condition=Q(id=True))]


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
    changed_fields = models.JSONField(default=list)  # what the update named; the rest was carried over
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
        )


class RateCard(models.Model):
    """A list of prices that many contracts share."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=160)
    description = models.TextField(blank=True, default="")
    fiat_unit = models.ForeignKey(PricingUnit, models.PROTECT, related_name="rate_cards")
    custom_fields = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    archived_at = models.DateTimeField(null=True, blank=True)
    history = history()

    def __str__(self) -> str:
        return self.name


class RateCardAlias(models.Model):
    """A name that means this rate card from one hour to another. Of two that cover an instant, the one published
    later holds."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rate_card = models.ForeignKey(RateCard, models.PROTECT, related_name="aliases")
    name = models.CharField(max_length=160)
    starting_at = models.DateTimeField(null=True)
    ending_before = models.DateTimeField(null=True)
    publication = models.ForeignKey(Publication, models.PROTECT, related_name="rate_card_aliases")

    class Meta:
        constraints = [*on_the_hour("starting_at", "ending_before"), ends_after_it_starts()]
        indexes = [models.Index(name="rate_cards_by_alias", fields=["name", "publication"])]

    def __str__(self) -> str:
        return self.name


class Rate(models.Model):
    """The price of a product (and of one combination of pricing group values) on a rate card, over a range.

    Never edited: a later publication supersedes it, a withdrawal takes it back.
    """

    class Type(models.TextChoices):
        FLAT = "FLAT"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rate_card = models.ForeignKey(RateCard, models.PROTECT, related_name="rates")
    product = models.ForeignKey(Product, models.PROTECT, related_name="rates")
    pricing_group_values = models.JSONField(default=dict)
    billing_frequency = models.CharField(max_length=16, blank=True, default="")
    starting_at = models.DateTimeField()
    ending_before = models.DateTimeField(null=True)
    entitled = models.BooleanField()
    rate_type = models.CharField(max_length=24, choices=Type)
    price = price_field()
    unit = models.ForeignKey(PricingUnit, models.PROTECT, related_name="rates")
    publication = models.ForeignKey(Publication, models.PROTECT, related_name="rates")

    class Meta:
        constraints = [
            *on_the_hour("starting_at", "ending_before"),
            ends_after_it_starts(),
            is_a_number("price"),
            one_of("rate_type", ["FLAT"]),
            models.CheckConstraint(
                name="a_price_is_not_negative",
                condition=Q(price__gte=0),
                violation_error_message="A price is not negative.",
            ),
            # Of two, neither would be the later one. The values are hashed because an index entry has a size limit.
            models.UniqueConstraint(
                F("rate_card"),
                F("product"),
                MD5(Cast("pricing_group_values", models.TextField())),
                F("billing_frequency"),
                F("starting_at"),
                F("publication"),
                name="a_publication_prices_a_key_once_from_an_instant",
            ),
        ]
        indexes = [models.Index(name="rates_of_a_card", fields=["rate_card", "product", "starting_at"])]

    def __str__(self) -> str:
        return f"{self.product} at {self.price.normalize():f} from {self.starting_at:%Y-%m-%d %H:%M} UTC"


class RateWithdrawal(models.Model):
    """A published rate taken back: from this publication on it was never there."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rate = models.OneToOneField(Rate, models.PROTECT, related_name="withdrawal")
    publication = models.ForeignKey(Publication, models.PROTECT, related_name="withdrawals")

    def __str__(self) -> str:
        return f"Withdrawal of {self.rate}"
