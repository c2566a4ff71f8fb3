"""Rate cards, and the names they go by."""

from django.db import models

from billing_site.foundation.columns import ends_after_it_starts, on_the_hour
from billing_site.foundation.history import history
from billing_site.foundation.ids import uuid7
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
        constraints = [*on_the_hour("starting_at", "ending_before"), ends_after_it_starts()]
        indexes = [models.Index(name="rate_cards_by_alias", fields=["name", "publication"])]

    def __str__(self) -> str:
        return self.name
