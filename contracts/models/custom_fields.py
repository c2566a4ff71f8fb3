"""What custom fields of terms were."""

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import one_of
from billing_site.foundation.ids import uuid7
from contracts.models.customers import Customer


class CustomFieldsChange(models.Model):
    """A fact: the custom fields of a term, before and after one call.

    A term is never overwritten; what others call it is no term, and may change. The database lets it do so only as the
    last of these says, so that what it was is always known. Rows that people edit have their history instead.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    entity = models.CharField(max_length=32)  # as in CustomFieldKey
    term_id = models.UUIDField()
    number = models.PositiveIntegerField()  # of the changes of this term, from 1
    before = models.JSONField()
    after = models.JSONField()
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=160)
    reason = models.TextField(blank=True, default="")

    class Meta:
        verbose_name_plural = "changes of custom fields"
        constraints = [
            one_of("entity", [
                "commit", "contract_credit", "discount", "professional_service", "scheduled_charge", "subscription",
            ]),
            models.UniqueConstraint(name="changes_of_custom_fields_are_counted", fields=["term_id", "number"]),
            models.CheckConstraint(name="changes_of_custom_fields_count_from_one", condition=Q(number__gte=1)),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"Change {self.number} of {self.term_id}"
