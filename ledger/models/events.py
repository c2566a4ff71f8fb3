"""Usage events: their keys for ever, their bodies for as long as they are kept, and corrections of them."""

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import (
    XidField,
    one_of,
)


class EventKey(models.Model):
    """A fact kept for ever: this subject has sent this transaction id, with this content."""

    pk = models.CompositePrimaryKey("subject", "transaction_id")
    subject = models.TextField(db_collation="C")
    transaction_id = models.TextField(db_collation="C")
    content_hash = models.BinaryField(max_length=16)  # of type, time and properties in canonical form
    received_at = models.DateTimeField()  # where the body is; its month is the partition

    def __str__(self) -> str:
        return self.transaction_id


class EventBody(models.Model):
    """A fact: an event as it was sent. Partitioned by month of receipt, so that old ones can be dropped."""

    pk = models.CompositePrimaryKey("subject", "transaction_id", "received_at")
    subject = models.TextField(db_collation="C")
    transaction_id = models.TextField(db_collation="C")
    received_at = models.DateTimeField()
    event_type = models.TextField()
    timestamp = models.DateTimeField()
    properties = models.JSONField()
    call_id = models.UUIDField()

    class Meta:
        verbose_name_plural = "event bodies"

    def __str__(self) -> str:
        return self.transaction_id


class EventCorrection(models.Model):
    """A fact: an event is taken back (VOID), or says something else under the same identity (AMEND).

    What counts is the one with the greatest number. An event that is taken back stays so.
    """

    class Kind(models.TextChoices):
        VOID = "VOID"
        AMEND = "AMEND"

    pk = models.CompositePrimaryKey("subject", "transaction_id", "number")
    subject = models.TextField(db_collation="C")
    transaction_id = models.TextField(db_collation="C")
    number = models.IntegerField()
    kind = models.CharField(max_length=8, choices=Kind)
    event_type = models.TextField(null=True)
    timestamp = models.DateTimeField(null=True)
    properties = models.JSONField(null=True)
    reason = models.TextField()
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    actor_id = models.CharField(max_length=64, blank=True, default="")
    xid = XidField()

    class Meta:
        constraints = [
            one_of("kind", ["VOID", "AMEND"]),
            models.CheckConstraint(name="corrections_of_an_event_are_numbered_from_one", condition=Q(number__gte=1)),
            models.CheckConstraint(name="a_correction_says_why", condition=~Q(reason="")),
            models.CheckConstraint(
                name="an_amended_event_has_a_content",
                condition=Q(kind="VOID", event_type=None, timestamp=None, properties=None)
                | Q(kind="AMEND", event_type__isnull=False, timestamp__isnull=False, properties__isnull=False),
            ),
        ]
        indexes = [models.Index(name="corrections_by_time", fields=["created_at"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.number} of {self.transaction_id}"


class DroppedMonth(models.Model):
    """A fact: the bodies received in a month were dropped, as old as the retention setting says. Keys, hours and
    corrections stay."""

    month = models.DateField(primary_key=True)  # its first day
    events = models.BigIntegerField()
    dropped_at = models.DateTimeField()
    dropped_by = models.CharField(max_length=160)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}: {self.events} events"
