"""Rates, and their withdrawals."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import MD5, Cast

from billing_site.foundation.columns import (
    ends_after_it_starts,
    is_a_number,
    keeps_numbers_as_text,
    on_the_hour,
    one_of,
    price_field,
    quantity_field,
)
from billing_site.foundation.ids import uuid7
from pricing.engine.tariffs import RATE_TYPES, Tariff
from pricing.models.formulas import Formula
from pricing.models.products import Product
from pricing.models.publications import Publication
from pricing.models.rate_cards import RateCard
from pricing.models.units import PricingUnit
from pricing.tiers import read_tariff, read_tiers

FREQUENCIES = ("WEEKLY", "MONTHLY", "QUARTERLY", "ANNUAL")

# The columns of a tariff, apart from its tiers, that each type has. An override without a tariff has the type "".
COLUMNS_OF = {
    "": (),
    "FLAT": ("price",),
    "PERCENTAGE": ("price",),
    "PACKAGE": ("price", "package_size"),
    "SUBSCRIPTION": ("price", "quantity", "is_prorated"),
    "TIERED": (),
    "VOLUME": (),
    "TIERED_PERCENTAGE": (),
}


def has_tariff(*rate_types: str, **also: Any) -> Q:
    """A row with a tariff of one of these types, which has the columns of its type and no others."""
    condition = Q()
    for rate_type in rate_types:
        columns = {
            f"{name}__isnull": name not in COLUMNS_OF[rate_type]
            for name in ("price", "package_size", "quantity", "is_prorated")
        }
        condition |= Q(rate_type=rate_type, **columns, **also)
    return condition


class _IsWholeTariff(Func):
    """Whether a JSON object is a tariff of usage: its type, and the numbers that the type needs, as text; no others."""

    DIGITS = """? (@.type() != "string" || !(@ like_regex "^[0-9]+([.][0-9]+)?$"))"""
    NEEDS = (
        '(@.rate_type == "FLAT" && exists(@.price) && !exists(@.package_size) && !exists(@.tiers))',
        '(@.rate_type == "PACKAGE" && exists(@.price) && exists(@.package_size) && !exists(@.tiers))',
        '((@.rate_type == "TIERED" || @.rate_type == "VOLUME") && exists(@.tiers[*].price) && !exists(@.price)'
        " && !exists(@.package_size))",
    )
    template = (
        "(%(expressions)s - 'rate_type' - 'price' - 'package_size' - 'tiers' = '{}'::jsonb "
        f"AND jsonb_path_exists(%(expressions)s, '$ ? ({' || '.join(NEEDS)})') "
        f"AND NOT jsonb_path_exists(%(expressions)s, '$.price {DIGITS}') "
        f"AND NOT jsonb_path_exists(%(expressions)s, '$.package_size {DIGITS}') "
        f"AND NOT jsonb_path_exists(%(expressions)s, '$.tiers[*].* {DIGITS}'))"
    )
    output_field = models.BooleanField()
    conditional = True


class Rate(models.Model):
    """The price of a product (and of one combination of pricing group values) on a rate card, over a range.

    Never edited: a later publication supersedes it, a withdrawal takes it back. Triggers hold that a rate suits its
    product, and that a product has one pricing unit on a card: the card's currency, or a custom unit that it converts.
    """

    class Type(models.TextChoices):
        FLAT = "FLAT"
        TIERED = "TIERED"
        VOLUME = "VOLUME"
        PACKAGE = "PACKAGE"
        PERCENTAGE = "PERCENTAGE"
        TIERED_PERCENTAGE = "TIERED_PERCENTAGE"
        SUBSCRIPTION = "SUBSCRIPTION"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rate_card = models.ForeignKey(RateCard, models.PROTECT, related_name="rates")
    product = models.ForeignKey(Product, models.PROTECT, related_name="rates")
    pricing_group_values = models.JSONField(default=dict)
    billing_frequency = models.CharField(max_length=16, blank=True, default="")
    starting_at = models.DateTimeField()
    ending_before = models.DateTimeField(null=True)
    entitled = models.BooleanField()
    rate_type = models.CharField(max_length=24, choices=Type)
    price = price_field(null=True, blank=True)
    tiers = models.JSONField(default=list, blank=True)  # [{"price": "2", "size": "1000", "flat_fee": "5"}, …]
    package_size = quantity_field(null=True, blank=True)
    quantity = quantity_field(null=True, blank=True)
    is_prorated = models.BooleanField(null=True, blank=True)
    # {"rate_type", and of "price", "tiers", "package_size" what the type needs}: while a balance pays that asks for it
    commit_rate = models.JSONField(null=True, blank=True)
    unit = models.ForeignKey(PricingUnit, models.PROTECT, related_name="rates")
    publication = models.ForeignKey(Publication, models.PROTECT, related_name="rates")
    # What its price was made by; a trigger holds that it suits. Nobody looks rates up by it.
    formula = models.ForeignKey(
        Formula, models.PROTECT, null=True, blank=True, related_name="rates", db_index=False, editable=False
    )

    class Meta:
        constraints = [
            *on_the_hour("starting_at", "ending_before"),
            ends_after_it_starts(),
            is_a_number("price"),
            is_a_number("package_size"),
            is_a_number("quantity"),
            one_of("rate_type", RATE_TYPES),
            one_of("billing_frequency", ["", *FREQUENCIES]),
            keeps_numbers_as_text("tiers", "price", "size", "flat_fee"),
            models.CheckConstraint(
                name="a_price_is_not_negative",
                condition=Q(price__isnull=True) | Q(price__gte=0),
                violation_error_message="A price is not negative.",
            ),
            models.CheckConstraint(
                name="a_package_holds_something", condition=Q(package_size__isnull=True) | Q(package_size__gt=0)
            ),
            models.CheckConstraint(
                name="a_rate_says_what_its_type_needs",
                condition=has_tariff("FLAT", "PERCENTAGE", "PACKAGE", "SUBSCRIPTION", tiers=[])
                | has_tariff("TIERED", "VOLUME", "TIERED_PERCENTAGE") & ~Q(tiers=[]),
            ),
            models.CheckConstraint(
                name="a_share_is_not_more_than_all", condition=~Q(rate_type="PERCENTAGE") | Q(price__lte=1)
            ),
            models.CheckConstraint(name="a_quantity_is_not_negative", condition=Q(quantity__gte=0)),
            models.CheckConstraint(name="a_subscription_is_prorated", condition=Q(is_prorated=True)),
            models.CheckConstraint(
                name="a_commit_rate_has_a_type",
                condition=Q(commit_rate__isnull=True) | Q(commit_rate__has_key="rate_type"),
            ),
            models.CheckConstraint(
                name="a_commit_rate_says_what_its_type_needs",
                condition=Q(commit_rate__isnull=True) | Q(_IsWholeTariff(F("commit_rate"))),
            ),
            models.CheckConstraint(
                name="only_usage_has_a_commit_rate",
                condition=Q(commit_rate__isnull=True) | Q(rate_type__in=["FLAT", "TIERED", "VOLUME", "PACKAGE"]),
            ),
            models.CheckConstraint(
                name="only_subscriptions_are_billed_by_frequency",
                condition=Q(billing_frequency="") | Q(rate_type__in=["FLAT", "SUBSCRIPTION"]),
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
        price = self.rate_type if self.price is None else f"{Decimal(self.price).normalize():f}"
        return f"{self.product} at {price} from {self.starting_at:%Y-%m-%d %H:%M} UTC"

    def to_tariff(self) -> Tariff:
        return Tariff(
            type=self.rate_type,
            price=self.price,
            tiers=read_tiers(self.tiers),
            package_size=self.package_size,
            quantity=self.quantity,
            is_prorated=self.is_prorated,
        )

    def to_commit_tariff(self) -> Tariff | None:
        return None if self.commit_rate is None else read_tariff(self.commit_rate)


class RateWithdrawal(models.Model):
    """A published rate taken back: from this publication on it was never there."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rate = models.OneToOneField(Rate, models.PROTECT, related_name="withdrawal")
    publication = models.ForeignKey(Publication, models.PROTECT, related_name="withdrawals")

    def __str__(self) -> str:
        return f"Withdrawal of {self.rate}"
