"""Calls of ingest, and the sources that they come from."""

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import (
    XidField,
    ends_after_it_starts,
    on_the_hour,
)
from billing_site.foundation.history import history
from billing_site.foundation.ids import uuid7


class IngestCall(models.Model):
    """A fact: one accepted call of `POST /v1/ingest`, with the transaction that made its events visible."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    token_id = models.UUIDField(null=True)
    source = models.CharField(max_length=160)
    received_at = models.DateTimeField()
    accepted = models.IntegerField()
    duplicates = models.IntegerField()
    conflicts = models.IntegerField()
    metric_set_id = models.UUIDField()  # the metrics that its events were measured by
    event_types = models.JSONField(null=True)  # {event type: number of events}; NULL in calls of before it was kept
    xid = XidField()

    class Meta:
        indexes = [models.Index(name="ingest_calls_by_time", fields=["received_at"])]

    def __str__(self) -> str:
        return f"{self.accepted} events from {self.source} at {self.received_at:%Y-%m-%d %H:%M:%S} UTC"


class RefusedCall(models.Model):
    """A fact: a call was refused because its source is not the authority for an event type."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    source = models.CharField(max_length=160)
    token_id = models.UUIDField(null=True)
    event_type = models.CharField(max_length=256)
    authority = models.CharField(max_length=160)
    events = models.IntegerField()  # of that type in the call
    refused_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(name="refused_calls_by_time", fields=["refused_at"])]

    def __str__(self) -> str:
        return f"{self.events} events of {self.event_type} from {self.source}"


class SourceAuthority(models.Model):
    """Over this time, events of a type count from one source alone. Any other source is refused, and listed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event_type = models.CharField(max_length=256)
    source = models.CharField(max_length=160)
    starting_at = models.DateTimeField(help_text="By the time of receipt, on the hour.")
    ending_before = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(editable=False)
    created_by = models.CharField(max_length=160, editable=False)
    history = history()

    class Meta:
        verbose_name_plural = "source authorities"
        constraints = [*on_the_hour("starting_at", "ending_before"), ends_after_it_starts()]

    def __str__(self) -> str:
        return f"{self.event_type} from {self.source}"


class SourceActivity(models.Model):
    """Derived from calls: when a source last sent events of a type, and how far apart its calls usually are."""

    pk = models.CompositePrimaryKey("source", "event_type")
    source = models.CharField(max_length=160)
    event_type = models.CharField(max_length=256)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    calls = models.BigIntegerField()
    events = models.BigIntegerField()
    usual_gap_seconds = models.FloatField(null=True)  # a running mean that forgets; null after one call

    class Meta:
        verbose_name_plural = "source activity"

    def __str__(self) -> str:
        return f"{self.event_type} from {self.source}"


class ActivityRead(models.Model):
    """Derived: up to which receipt calls have been read into `SourceActivity`."""

    id = models.BooleanField(primary_key=True, default=True)
    through = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(name="activity_is_read_to_one_place", condition=Q(id=True))]
