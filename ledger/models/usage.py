"""What events were folded into: series, days and hours, and what metrics need beside them."""

from typing import Any

from django.db import models

from billing_site.foundation.columns import (
    XidField,
    is_a_number,
    on_the_hour,
)


class HoursField(models.Field):
    """A value for each hour of a day, in an array with the subscripts 0 to 23; an hour without usage has none.

    Read it in SQL (`hour_sums[13]`), or by way of `HourlyUsage`: an array that begins at 13 arrives in Python as if
    it began at the beginning.
    """

    def __init__(self, element: str, **options: Any) -> None:
        self.element = element
        super().__init__(**options)

    def db_type(self, connection: Any) -> str:
        return f"{self.element}[]"

    def deconstruct(self) -> Any:
        name, path, arguments, options = super().deconstruct()
        return name, path, [self.element, *arguments], options


class Series(models.Model):
    """A fact: which metric and which group values a compact id stands for."""

    id = models.UUIDField(primary_key=True, editable=False)  # made from metric and values, never drawn
    metric_id = models.UUIDField()
    values = models.JSONField()  # {group key: value, or null where the event had none}

    class Meta:
        verbose_name_plural = "series"
        indexes = [models.Index(name="series_of_a_metric", fields=["metric_id"])]

    def __str__(self) -> str:
        return ", ".join(f"{key}={value}" for key, value in self.values.items()) or "everything"


class DailyUsage(models.Model):
    """Derived with its events, in their transaction: what a subject used of a series over one UTC day, hour by hour.

    The hours of a day lie in one row because ingest would else spend most of its time on finding them: a SUM and a
    COUNT metric cost 33 µs an event as rows by the hour beside rows by the day, and 15 µs as they are.

    SUM and COUNT use `sum` and `count`. The other columns are for metrics that are not additive in time, and for
    levels: what changed, times the seconds that were left in the hour, which is exact.
    """

    pk = models.CompositePrimaryKey("subject", "series_id", "day")
    subject = models.TextField(db_collation="C")
    series_id = models.UUIDField()
    day = models.DateField()
    count = models.BigIntegerField(default=0)
    has_negative = models.BooleanField(default=False)  # once true it stays: such days are walked by the hour
    sum = models.DecimalField(max_digits=38, decimal_places=12, default=0)
    hour_sums = HoursField("numeric(38,12)", null=True)
    hour_counts = HoursField("bigint", null=True)
    hour_maxima = HoursField("numeric(38,12)", null=True)
    hour_latest = HoursField("numeric(38,12)", null=True)
    hour_latest_at = HoursField("timestamptz", null=True)
    hour_latest_transaction_ids = HoursField("text", null=True)
    hour_levels = HoursField("numeric(50,24)", null=True)

    class Meta:
        constraints = [is_a_number("sum")]


class HourlyUsage(models.Model):
    """A view of `DailyUsage`: an hour in which a subject used something of a series.

    Name the `day` in a query as well as the `hour`: it is what the key is made of.
    """

    pk = models.CompositePrimaryKey("subject", "series_id", "hour")
    subject = models.TextField()
    series_id = models.UUIDField()
    day = models.DateField()
    hour = models.DateTimeField()
    sum = models.DecimalField(max_digits=38, decimal_places=12)
    count = models.BigIntegerField()
    maximum = models.DecimalField(max_digits=38, decimal_places=12, null=True)
    latest = models.DecimalField(max_digits=38, decimal_places=12, null=True)
    latest_at = models.DateTimeField(null=True)
    latest_transaction_id = models.TextField(null=True)
    level_seconds = models.DecimalField(max_digits=50, decimal_places=24, null=True)

    class Meta:
        managed = False
        db_table = "ledger_hourlyusage"


class CarriedLevel(models.Model):
    """Derived with its events: what a month's events changed a level by, so that opening levels cost a row a month.

    Each month holds its own changes alone, so a late event changes one row.
    """

    pk = models.CompositePrimaryKey("subject", "series_id", "month")
    subject = models.TextField(db_collation="C")
    series_id = models.UUIDField()
    month = models.DateField()  # its first day
    change = models.DecimalField(max_digits=38, decimal_places=12)
    level_seconds = models.DecimalField(max_digits=50, decimal_places=18)  # change × seconds left in the month

    class Meta:
        constraints = [is_a_number("change"), is_a_number("level_seconds")]


class UniqueValue(models.Model):
    """Derived with its events: how often a subject sent a value of a UNIQUE metric in an hour. Zero: taken back."""

    pk = models.CompositePrimaryKey("subject", "series_id", "hour", "value")
    subject = models.TextField(db_collation="C")
    series_id = models.UUIDField()
    hour = models.DateTimeField()
    value = models.TextField(db_collation="C")
    occurrences = models.BigIntegerField()

    def __str__(self) -> str:
        return self.value


class UnreadValue(models.Model):
    """Derived with its events: a value that a metric cannot read, so the metric's period cannot be billed yet."""

    pk = models.CompositePrimaryKey("subject", "metric_id", "hour", "transaction_id")
    subject = models.TextField(db_collation="C")
    metric_id = models.UUIDField()
    hour = models.DateTimeField()
    transaction_id = models.TextField(db_collation="C")
    value = models.TextField()  # as it was sent, cut to what a person can read
    rule = models.TextField()

    def __str__(self) -> str:
        return f"{self.value}: {self.rule}"


class LateMark(models.Model):
    """Derived with its events: something of this hour came in, or was corrected, more than an hour after its time, or
    on a later day.

    `xid` is the last transaction that did so. Who writes the row waits for who wrote it before, so a snapshot that
    sees this transaction sees all earlier ones too: what a final document has missed is known from the last alone.
    """

    pk = models.CompositePrimaryKey("subject", "hour")
    subject = models.TextField(db_collation="C")
    hour = models.DateTimeField()
    xid = XidField()

    class Meta:
        constraints = [*on_the_hour("hour")]

    def __str__(self) -> str:
        return f"{self.subject} at {self.hour:%Y-%m-%d %H:%M} UTC"
