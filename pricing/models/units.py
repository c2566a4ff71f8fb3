"""Pricing units: what prices are stated in."""

from django.db import models
from django.db.models import Q

from billing_site.foundation.history import history
from billing_site.foundation.ids import uuid7
from billing_site.foundation.money import Unit


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
