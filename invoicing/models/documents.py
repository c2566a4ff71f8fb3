"""Documents that left draft. Drafts are computed and have no row; their ids are derived and survive finalization."""

from uuid import UUID

from django.db import models
from django.db.models import F, Q

from billing_site.foundation.columns import amount_field, is_a_number, on_the_hour, one_of, price_field, quantity_field
from billing_site.foundation.ids import uuid7
from billing_site.foundation.periods import Period
from contracts.models import Contract, Customer
from pricing.models import PricingUnit


class Invoice(models.Model):
    """A fact: a document as it was finalized, with everything it was computed from named beside it."""

    class Type(models.TextChoices):
        USAGE = "USAGE"
        SCHEDULED = "SCHEDULED"

    class Kind(models.TextChoices):
        USAGE = "USAGE", "usage of a billing period"
        CHARGES = "CHARGES", "scheduled charges of a date"
        TRUE_UP = "TRUE_UP", "true-up of a postpaid commit"
        ADJUSTMENT = "ADJUSTMENT", "late usage of a contract that is over"
        NOTE = "NOTE", "credit or debit note"
        HISTORICAL = "HISTORICAL", "usage invoiced elsewhere"

    id = models.UUIDField(primary_key=True, editable=False)  # the draft's
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="invoices")
    contract = models.ForeignKey(Contract, models.PROTECT, related_name="invoices")
    number = models.CharField(max_length=40)
    type = models.CharField(max_length=16, choices=Type)
    kind = models.CharField(max_length=16, choices=Kind)
    slot = models.CharField(max_length=80)  # what of the contract it bills: a period's start, a date, a commit
    generation = models.IntegerField(default=1)
    regenerated_from = models.ForeignKey("invoicing.InvoiceVoid", models.PROTECT, null=True, related_name="regenerated")
    starting_at = models.DateTimeField(null=True)
    ending_before = models.DateTimeField(null=True)
    issued_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    finalized_at = models.DateTimeField()
    finalized_by = models.CharField(max_length=160)
    unit = models.ForeignKey(PricingUnit, models.PROTECT, related_name="+")
    customer_name = models.CharField(max_length=160)
    subtotal = amount_field()
    total = amount_field()
    unrounded_total = amount_field()
    publication = models.BigIntegerField()  # the last one known
    edit_number = models.BigIntegerField()  # the last one known
    snapshot = models.TextField()  # pg_current_snapshot(): which events it saw
    money_version = models.BigIntegerField(null=True)  # the customer's: it saw what was posted at lesser ones
    terms = models.JSONField()  # as compiled
    details = models.JSONField()  # the other fields of the document on the wire
    line_count = models.IntegerField()  # lines are numbered from 1 to this, so none can be added later
    document_hash = models.BinaryField(max_length=32)  # SHA-256 of everything above and of the lines

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_number_per_customer", fields=["customer", "number"]),
            models.UniqueConstraint(
                name="one_document_per_contract_and_slot",
                fields=["customer", "contract", "kind", "slot", "generation"],
            ),
            models.UniqueConstraint(
                name="a_void_document_is_regenerated_once",
                fields=["regenerated_from"],
                condition=Q(regenerated_from__isnull=False),
            ),
            models.CheckConstraint(
                name="a_later_generation_stands_for_a_void_document",
                condition=Q(generation=1, regenerated_from=None) | Q(generation__gt=1, regenerated_from__isnull=False),
            ),
            *on_the_hour("starting_at", "ending_before"),
            is_a_number("subtotal"),
            is_a_number("total"),
            is_a_number("unrounded_total"),
            one_of("type", ["USAGE", "SCHEDULED"]),
            one_of("kind", ["USAGE", "CHARGES", "TRUE_UP", "ADJUSTMENT", "NOTE", "HISTORICAL"]),
            models.CheckConstraint(
                name="a_usage_invoice_has_a_period",
                condition=Q(
                    kind__in=["USAGE", "ADJUSTMENT", "HISTORICAL"],
                    type="USAGE",
                    starting_at__isnull=False,  # a comparison with NULL would pass
                    ending_before__isnull=False,
                    ending_before__gt=F("starting_at"),
                )
                | Q(type="SCHEDULED", kind__in=["CHARGES", "TRUE_UP", "NOTE"], starting_at=None, ending_before=None),
            ),
        ]
        indexes = [
            models.Index(name="invoices_by_issue_date", fields=["customer", "issued_at"]),
            # What the list of all is ordered and filtered by.
            models.Index(name="invoices_latest_first", fields=["-issued_at", "number", "-id"]),
            models.Index(name="invoices_by_due_date", fields=["due_at", "id"]),
            models.Index(name="invoices_by_total", fields=["total", "id"]),
            models.Index(name="invoices_by_period", fields=["starting_at", "id"]),
            models.Index(name="invoices_by_number", fields=["number"], opclasses=["text_pattern_ops"]),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def occupied(self) -> tuple[UUID, str, str]:
        """What it bills, and no other document does: contract, kind and slot."""
        return self.contract_id, self.kind, self.slot

    @property
    def is_regenerated_once_void(self) -> bool:
        """Whether what it bills then waits for another. Late usage does not: the next document carries it. What was
        invoiced elsewhere is imported again."""
        return self.kind not in (self.Kind.ADJUSTMENT, self.Kind.HISTORICAL)

    @property
    def period(self) -> Period | None:
        return None if self.starting_at is None else Period(self.starting_at, self.ending_before)


class InvoiceLine(models.Model):
    """A fact: one line of a finalized document, as printed (`total`) and as computed (`unrounded_total`)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="lines")
    position = models.IntegerField()
    type = models.CharField(max_length=32)
    name = models.CharField(max_length=320)
    total = amount_field()
    unrounded_total = amount_field()
    counts_toward_total = models.BooleanField()  # applied postpaid lines are shown and not added
    quantity = quantity_field(null=True)
    unit_price = price_field(null=True)
    starting_at = models.DateTimeField(null=True)
    ending_before = models.DateTimeField(null=True)
    details = models.JSONField()  # the other fields of the line on the wire
    trace = models.JSONField()  # how the amount came about

    class Meta:
        constraints = [
            models.UniqueConstraint(name="lines_have_an_order", fields=["customer", "invoice", "position"]),
            is_a_number("total"),
            is_a_number("unrounded_total"),
            is_a_number("quantity"),
            is_a_number("unit_price"),
        ]
        indexes = [
            models.Index(name="lines_of_late_usage", fields=["invoice"], condition=Q(details__has_key="adjustment")),
            models.Index(name="lines_of_paid_commits", fields=["invoice"], condition=Q(type="commit_purchase")),
        ]

    def __str__(self) -> str:
        return self.name
