"""What happened: usage events, the days and hours they were folded into, and ledger entries.

Rows of usage are keyed by subject (the `customer_id` an event was sent with), rows of money by customer. Events, series
and days have natural keys only: no surrogate, no foreign key, no second index on the hot tables.
"""

from typing import Any

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import (
    XidField,
    amount_field,
    ends_after_it_starts,
    is_a_number,
    on_the_hour,
    one_of,
)
from billing_site.foundation.history import history
from billing_site.foundation.ids import uuid7
from contracts.models import Customer


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


class MetricSet(models.Model):
    """A fact: the billable metrics that existed when a call was measured.

    A metric counts exactly the events of the calls whose set it is in, so what it missed by coming late is known.
    """

    id = models.UUIDField(primary_key=True, editable=False)  # made from the metrics' ids
    metric_ids = models.JSONField()

    def __str__(self) -> str:
        return f"{len(self.metric_ids)} metrics"


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


class DroppedMonth(models.Model):
    """A fact: the bodies received in a month were dropped, as old as the retention setting says. Keys, hours and
    corrections stay."""

    month = models.DateField(primary_key=True)  # its first day
    events = models.BigIntegerField()
    dropped_at = models.DateTimeField()
    dropped_by = models.CharField(max_length=160)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}: {self.events} events"


class Series(models.Model):
    """A fact: which metric and which group values a compact id stands for."""

    id = models.UUIDField(primary_key=True, editable=False)  # made from metric and values, never drawn
    metric_id = models.UUIDField()
    values = models.JSONField()  # {group key: value, or null where the event had none}

    class Meta:
        indexes = [models.Index(name="series_of_a_metric", fields=["metric_id"])]

    def __str__(self) -> str:
        return ", ".join(f"{key}={value}" for key, value in self.values.items()) or "everything"


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


class LateMark(models.Model):
    """Derived with its events: something of this hour came in, or was corrected, more than an hour after its time.

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


MANUAL = ["PREPAID_COMMIT_MANUAL", "POSTPAID_COMMIT_MANUAL", "CREDIT_MANUAL"]


class LedgerEntry(models.Model):
    """A fact: a movement on a balance. Amounts are signed and exact."""

    class Type(models.TextChoices):
        PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION = "PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION"
        POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION = "POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION"
        CREDIT_AUTOMATED_INVOICE_DEDUCTION = "CREDIT_AUTOMATED_INVOICE_DEDUCTION"
        POSTPAID_COMMIT_TRUEUP = "POSTPAID_COMMIT_TRUEUP"
        PREPAID_COMMIT_MANUAL = "PREPAID_COMMIT_MANUAL"
        POSTPAID_COMMIT_MANUAL = "POSTPAID_COMMIT_MANUAL"
        CREDIT_MANUAL = "CREDIT_MANUAL"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="ledger_entries")
    commit_id = models.UUIDField()
    segment_id = models.UUIDField(null=True)
    contract_id = models.UUIDField(null=True)
    invoice_id = models.UUIDField(null=True)
    type = models.CharField(max_length=64, choices=Type)
    amount = amount_field()
    billed_amount = amount_field()  # the same as printed on the document, in minor units
    timestamp = models.DateTimeField()
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160)
    idempotency_key = models.CharField(max_length=200)
    reason = models.TextField(blank=True, default="")  # why a person has posted it

    class Meta:
        constraints = [
            models.UniqueConstraint(name="a_ledger_entry_is_posted_once", fields=["customer", "idempotency_key"]),
            is_a_number("amount"),
            is_a_number("billed_amount"),
            one_of(
                "type",
                [
                    "PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION",
                    "POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION",
                    "CREDIT_AUTOMATED_INVOICE_DEDUCTION",
                    "POSTPAID_COMMIT_TRUEUP",
                    "PREPAID_COMMIT_MANUAL",
                    "POSTPAID_COMMIT_MANUAL",
                    "CREDIT_MANUAL",
                ],
            ),
            models.CheckConstraint(
                name="deductions_name_their_invoice",
                condition=Q(invoice_id__isnull=False, segment_id__isnull=False)
                | Q(type="POSTPAID_COMMIT_TRUEUP")
                | Q(type__in=MANUAL),
            ),
            models.CheckConstraint(
                name="an_entry_by_hand_says_why_and_bills_nothing",
                condition=~Q(type__in=MANUAL)
                | Q(segment_id__isnull=False, invoice_id=None, billed_amount=0) & ~Q(reason="") & ~Q(amount=0),
            ),
        ]
        indexes = [models.Index(name="entries_of_a_commit", fields=["customer", "commit_id"])]

    def __str__(self) -> str:
        return f"{self.type} {self.amount.normalize():f}"
