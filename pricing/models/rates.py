"""Rates, and their withdrawals."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import MD5, Cast

from billing_site.foundation.columns import ends_after_it_starts, is_a_number, on_the_hour, one_of, price_field
from billing_site.foundation.ids import uuid7
from pricing.models.products import Product
from pricing.models.publications import Publication
from pricing.models.rate_cards import RateCard
from pricing.models.units import PricingUnit


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
