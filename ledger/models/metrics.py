"""Which metrics measured what, and how far a later one has come with what was there before it."""

from django.db import models


class MetricSet(models.Model):
    """A fact: the billable metrics that existed when a call was measured.

    A metric counts exactly the events of the calls whose set it is in, so what it missed by coming late is known.
    """

    id = models.UUIDField(primary_key=True, editable=False)  # made from the metrics' ids
    metric_ids = models.JSONField()

    def __str__(self) -> str:
        return f"{len(self.metric_ids)} metrics"


class MetricBackfill(models.Model):
    """Derived: how far a metric has been measured back over the events that came before it.

    It goes through the bodies by month of receipt, subject and transaction id; what lies up to its place is counted.
    """

    metric_id = models.UUIDField(primary_key=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    month = models.DateField(null=True)  # where it is: everything up to this month, subject and transaction id is done
    subject = models.TextField(db_collation="C", default="")
    transaction_id = models.TextField(db_collation="C", default="")
    events_before = models.BigIntegerField()  # accepted before the metric was there
    events_seen = models.BigIntegerField(default=0)
    events_counted = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.events_seen} of {self.events_before} events"
