"""What has been posted on a segment: the ledger lies above, and tells it here to those who edit what was agreed."""

from django.db import models

from billing_site.foundation.columns import amount_field, is_a_number
from contracts.models.customers import Customer


class SegmentUse(models.Model):
    """Derived: the sums of a segment's ledger entries, kept by the database as they are posted.

    `posted` is the sum of all of them, so that amount + posted is left; `drawn` is what final documents have taken, and
    `rolled_over` what went to a renewal.
    """

    segment_id = models.UUIDField(primary_key=True, editable=False)  # as the ledger calls it: that of its first row
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    posted = amount_field()
    drawn = amount_field()
    rolled_over = amount_field()

    class Meta:
        constraints = [is_a_number("posted"), is_a_number("drawn"), is_a_number("rolled_over")]

    def __str__(self) -> str:
        return f"{self.drawn.normalize():f} drawn, {self.posted.normalize():f} posted"

    @property
    def is_used(self) -> bool:
        return self.drawn != 0 or self.posted != 0
