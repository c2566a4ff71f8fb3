"""What documents have sold, added up where finance reads it."""

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import amount_field, is_a_number, quantity_field
from contracts.models import Customer
from pricing.models import PricingUnit


class SoldInMonth(models.Model):
    """Derived: what final documents of a month have sold to a customer, of a product in a unit (see `queries.sold`).

    The database adds each line as it is written, and takes the lines of a document off again as it is voided. So many
    lines are in it, and so many of them have a quantity.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    month = models.DateTimeField()  # its first instant
    unit = models.ForeignKey(PricingUnit, models.PROTECT, related_name="+")
    product_id = models.UUIDField(null=True)  # as lines name it; NULL: sold in custom units, and amounts of no product
    amount = amount_field()  # in wire units, before tax
    by_credits = amount_field()  # what of it credits have paid
    quantity = quantity_field()
    line_count = models.IntegerField()
    quantity_count = models.IntegerField()

    class Meta:
        verbose_name_plural = "sold in months"
        constraints = [
            models.UniqueConstraint(
                name="sold_once_a_month", fields=["customer", "month", "unit", "product_id"], nulls_distinct=False
            ),
            is_a_number("amount"),
            is_a_number("by_credits"),
            is_a_number("quantity"),
            models.CheckConstraint(
                name="what_is_sold_is_made_of_lines", condition=Q(line_count__gte=0, quantity_count__gte=0)
            ),
        ]
        indexes = [models.Index(name="sold_by_month", fields=["month"])]

    def __str__(self) -> str:
        return f"{self.line_count} lines of {self.month:%Y-%m}"
