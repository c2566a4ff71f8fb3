"""Billable metrics: what is measured."""

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import one_of
from billing_site.foundation.history import history
from billing_site.foundation.ids import uuid7


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
