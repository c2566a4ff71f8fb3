"""Rate cards: the names they go by, what custom units are worth on them, the order of their products."""

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import ends_after_it_starts, is_a_number, on_the_hour, price_field
from billing_site.foundation.history import history
from billing_site.foundation.ids import uuid7
from pricing.models.products import Product
from pricing.models.publications import Publication
from pricing.models.units import PricingUnit


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
        verbose_name_plural = "rate card aliases"
        constraints = [*on_the_hour("starting_at", "ending_before"), ends_after_it_starts()]
        indexes = [models.Index(name="rate_cards_by_alias", fields=["name", "publication"])]

    def __str__(self) -> str:
        return self.name


class RateCardConversion(models.Model):
    """What a custom unit is worth in the card's currency. Added, never changed: for one unit on one card, once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rate_card = models.ForeignKey(RateCard, models.PROTECT, related_name="conversions")
    unit = models.ForeignKey(PricingUnit, models.PROTECT, related_name="conversions")
    fiat_per_unit = price_field()  # wire units of the card's currency
    publication = models.ForeignKey(Publication, models.PROTECT, related_name="rate_card_conversions")

    class Meta:
        constraints = [
            is_a_number("fiat_per_unit"),
            models.CheckConstraint(name="a_custom_unit_is_worth_something", condition=Q(fiat_per_unit__gt=0)),
            models.UniqueConstraint(name="a_card_converts_a_unit_once", fields=["rate_card", "unit"]),
        ]

    def __str__(self) -> str:
        return f"{self.unit} at {self.fiat_per_unit.normalize():f}"


class RateCardPlace(models.Model):
    """Where a product stands among the others of its card, and so on invoices. A publication that orders a card
    brings the place of each product on it, and replaces the order before as a whole."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rate_card = models.ForeignKey(RateCard, models.PROTECT, related_name="places")
    product = models.ForeignKey(Product, models.PROTECT, related_name="places")
    position = models.PositiveIntegerField(help_text="From 0 on.")
    publication = models.ForeignKey(Publication, models.PROTECT, related_name="rate_card_places")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="a_product_has_one_place_on_a_card", fields=["rate_card", "publication", "product"]
            ),
            models.UniqueConstraint(
                name="a_place_on_a_card_holds_one_product", fields=["rate_card", "publication", "position"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product} at {self.position}"
