"""Fixed tax rates, and which products have a tax code of their own. What they come to is computed in invoicing."""

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import ends_after_it_starts, is_a_number, on_the_hour
from billing_site.foundation.history import history
from billing_site.foundation.ids import uuid7
from contracts.models.parties import country_field, is_a_country
from pricing.models import Product


class TaxRate(models.Model):
    """A percentage for a tax code, for buyers of a country or of any. Of several the one that began last holds."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80, help_text="As printed: VAT.")
    tax_code = models.CharField(
        max_length=64, blank=True, default="", help_text="Empty: for products without a code of their own."
    )
    country = country_field("Of the buyer, in two letters: DE. Empty: for buyers of any country without a rate.")
    percent = models.DecimalField(max_digits=9, decimal_places=6, help_text="Of a hundred: 19, 8.875, 0.")
    starting_at = models.DateTimeField(help_text="UTC, on the hour.")
    ending_before = models.DateTimeField(null=True, blank=True)
    history = history()

    class Meta:
        constraints = [
            *on_the_hour("starting_at", "ending_before"),
            ends_after_it_starts(),
            is_a_country(),
            is_a_number("percent"),
            models.CheckConstraint(
                name="a_tax_takes_no_more_than_all",
                condition=Q(percent__gte=0, percent__lte=100),
                violation_error_message="A percentage is from 0 to 100.",
            ),
            models.UniqueConstraint(
                name="one_tax_rate_begins_at_a_time",
                fields=["tax_code", "country", "starting_at"],
                violation_error_message="Another rate for this code and country begins at the same time.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.percent.normalize():f} %"


class ProductTaxCode(models.Model):
    """What a product is for the tax office; without one, or where it is empty, it has the standard rate."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    product = models.OneToOneField(Product, models.PROTECT, related_name="tax_code")
    tax_code = models.CharField(
        max_length=64, blank=True, default="", help_text="As in Tax rates; empty: taxed at the standard rate."
    )
    history = history()

    def __str__(self) -> str:
        return f"{self.tax_code or 'Standard rate'} of {self.product}"
