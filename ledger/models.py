"""What happened: usage events, the hours and days they were folded into, and ledger entries.

Rows of usage are keyed by subject (the `customer_id` an event was sent with), rows of money by customer. Series and
hours have natural keys only: no surrogate, no foreign key, no second index on the hot tables.
"""

from typing import Any

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import amount_field, is_a_number, on_the_hour, one_of
from billing_site.foundation.ids import uuid7
from contracts.models import Customer


class XidField(models.BigIntegerField):
    """PostgreSQL's 64-bit transaction id (xid8)."""

    def db_type(self, connection: Any) -> str:
        return "xid8"


class IngestCall(models.Model):
    """A fact: one accepted call of `POST /v1/ingest`, with the transaction that made its events visible."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    token_id = models.UUIDField(null=True)
    source = models.CharField(max_length=160)
    received_at = models.DateTimeField()
    accepted = models.IntegerField()
    duplicates = models.IntegerField()
    conflicts = models.IntegerField()
    xid = XidField()

    class Meta:
        indexes = [models.Index(name="ingest_calls_by_time", fields=["received_at"])]

    def __str__(self) -> str:
        return f"{self.accepted} events from {self.source} at {self.received_at:%Y-%m-%d %H:%M:%S} UTC"


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
        managed = False  # PARTITION BY is written by hand in the migration
        db_table = "ledger_eventbody"

    def __str__(self) -> str:
        return self.transaction_id


class Series(models.Model):
    """The dictionary of series: which metric and which group values a compact id stands for."""

    id = models.UUIDField(primary_key=True, editable=False)  # made from metric and values, never drawn
    metric_id = models.UUIDField()
    values = models.JSONField()  # {group key: value or null where the event had none}

    class Meta:
        indexes = [models.Index(name="series_of_a_metric", fields=["metric_id"])]


class HourlyUsage(models.Model):
    """Derived with its events, in their transaction: what a subject used of a series within one hour.

    SUM and COUNT use `sum` and `count`; MAX, LATEST and levels use the other columns.
    """

    pk = models.CompositePrimaryKey("subject", "series_id", "hour")
    subject = models.TextField(db_collation="C")
    series_id = models.UUIDField()
    hour = models.DateTimeField()
    sum = models.DecimalField(max_digits=38, decimal_places=12, default=0)
    count = models.BigIntegerField(default=0)
    maximum = models.DecimalField(max_digits=38, decimal_places=12, null=True)
    latest = models.DecimalField(max_digits=38, decimal_places=12, null=True)
    latest_at = models.DateTimeField(null=True)
    latest_transaction_id = models.TextField(null=True)
    level_hours = models.DecimalField(max_digits=50, decimal_places=24, null=True)  # change x time left in the hour

    class Meta:
        constraints = [*on_the_hour("hour"), is_a_number("sum")]


class DailyUsage(models.Model):
    """Derived with the hours: the same over one UTC day, so that a month is read from thirty rows."""

    pk = models.CompositePrimaryKey("subject", "series_id", "day")
    subject = models.TextField(db_collation="C")
    series_id = models.UUIDField()
    day = models.DateField()
    sum = models.DecimalField(max_digits=38, decimal_places=12, default=0)
    count = models.BigIntegerField(default=0)
    has_negative = models.BooleanField(default=False)  # once true it stays: such days are walked by the hour

    class Meta:
        constraints = [is_a_number("sum")]


class LedgerEntry(models.Model):
    """A fact: a movement on a balance. Amounts are signed and exact."""

    class Type(models.TextChoices):
        POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION = "POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION"
        POSTPAID_COMMIT_TRUEUP = "POSTPAID_COMMIT_TRUEUP"

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

    class Meta:
        constraints = [
            models.UniqueConstraint(name="a_ledger_entry_is_posted_once", fields=["customer", "idempotency_key"]),
            is_a_number("amount"),
            is_a_number("billed_amount"),
            one_of("type", ["POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION", "POSTPAID_COMMIT_TRUEUP"]),
            models.CheckConstraint(
                name="deductions_name_their_invoice",
                condition=Q(invoice_id__isnull=False, segment_id__isnull=False) | Q(type="POSTPAID_COMMIT_TRUEUP"),
            ),
        ]
        indexes = [models.Index(name="entries_of_a_commit", fields=["customer", "commit_id"])]

    def __str__(self) -> str:
        return f"{self.type} {self.amount.normalize():f}"
