"""Named schedules: values of any kind over time that people keep at a customer, or at one of its contracts."""

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import ends_after_it_starts, is_json, on_the_hour
from billing_site.foundation.ids import uuid7
from contracts.models.contracts import Contract
from contracts.models.customers import ContractEdit, Customer


class CustomerScheduleSegment(models.Model):
    """A fact: what a schedule of a customer, or of a contract, says over a range. Of two that cover an instant, the
    one of the later edit holds.

    Schedules of one contract and name are told apart by their properties.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="named_schedule_segments")
    contract = models.ForeignKey(Contract, models.PROTECT, null=True, related_name="named_schedule_segments")
    schedule_name = models.CharField(max_length=160)
    properties = models.JSONField(default=dict)  # {"region": "eu"}
    starting_at = models.DateTimeField()
    ending_before = models.DateTimeField(null=True)
    value = models.TextField(help_text="JSON, with every digit as it was sent.")
    edit = models.ForeignKey(ContractEdit, models.PROTECT, related_name="named_schedule_segments")

    class Meta:
        constraints = [
            *on_the_hour("starting_at", "ending_before"),
            ends_after_it_starts(),
            is_json("value"),
            # Of two, neither would be the later one.
            models.UniqueConstraint(name="an_edit_writes_a_named_schedule_once", fields=["customer", "edit"]),
            models.CheckConstraint(
                name="only_schedules_of_contracts_have_properties",
                condition=Q(contract__isnull=False) | Q(properties={}),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schedule_name} from {self.starting_at:%Y-%m-%d %H:%M} UTC"
