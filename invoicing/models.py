"""Documents that left draft. Drafts are computed and have no row; their ids are derived and survive finalization."""

from django.db import models
from django.db.models import F, Q

from billing_site.foundation.columns import amount_field, is_a_number, on_the_hour, one_of, price_field, quantity_field
from billing_site.foundation.ids import uuid7
from billing_site.foundation.money import Unit
from contracts.models import Contract, Customer
from contracts.terms import UNITS
from pricing.models import PricingUnit


class NumberSeries(models.Model):
    """Derived: the last document number given in a customer's series. Its row lock keeps numbers without gaps."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    series = models.CharField(max_length=16)
    last_number = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "number series"
        constraints = [models.UniqueConstraint(name="one_counter_a_customer_and_series", fields=["customer", "series"])]


class Invoice(models.Model):
    """A fact: a document as it was finalized, with everything it was computed from named beside it."""

    class Type(models.TextChoices):
        USAGE = "USAGE"
        SCHEDULED = "SCHEDULED"

    class Kind(models.TextChoices):
        USAGE = "USAGE", "usage of a billing period"
        CHARGES = "CHARGES", "scheduled charges of a date"
        TRUE_UP = "TRUE_UP", "true-up of a postpaid commit"

    id = models.UUIDField(primary_key=True, editable=False)  # the draft's
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="invoices")
    contract = models.ForeignKey(Contract, models.PROTECT, related_name="invoices")
    number = models.CharField(max_length=40)
    type = models.CharField(max_length=16, choices=Type)
    kind = models.CharField(max_length=16, choices=Kind)
    slot = models.CharField(max_length=80)  # what of the contract it bills: a period's start, a date, a commit
    generation = models.IntegerField(default=1)
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
            *on_the_hour("starting_at", "ending_before"),
            is_a_number("subtotal"),
            is_a_number("total"),
            is_a_number("unrounded_total"),
            one_of("type", ["USAGE", "SCHEDULED"]),
            one_of("kind", ["USAGE", "CHARGES", "TRUE_UP"]),
            models.CheckConstraint(
                name="a_usage_invoice_has_a_period",
                condition=Q(
                    kind="USAGE",
                    type="USAGE",
                    starting_at__isnull=False,  # a comparison with NULL would pass
                    ending_before__isnull=False,
                    ending_before__gt=F("starting_at"),
                )
                | Q(type="SCHEDULED", kind__in=["CHARGES", "TRUE_UP"], starting_at=None, ending_before=None),
            ),
        ]
        indexes = [models.Index(name="invoices_by_issue_date", fields=["customer", "issued_at"])]

    def __str__(self) -> str:
        return self.number


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

    def __str__(self) -> str:
        return self.name


class DraftsOfCustomer(Customer):
    """No table of its own: the page that shows what a customer's documents would be now."""

    class Meta:
        proxy = True
        verbose_name = "customer's drafts"
        verbose_name_plural = "drafts"


class CustomerSummary(models.Model):
    """Derived: what a customer's summaries were last made from, all of them together, in one snapshot."""

    customer = models.OneToOneField(Customer, models.PROTECT, primary_key=True, related_name="summary")
    as_of = models.DateTimeField(null=True)  # business time; NULL: never yet
    version = models.CharField(max_length=32, blank=True, default="")  # see `queries.changes`
    refreshed_at = models.DateTimeField(null=True)  # these two in wall time
    looked_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")  # why it could not be computed

    class Meta:
        verbose_name_plural = "summaries of customers"
        indexes = [
            models.Index(name="summaries_by_instant", fields=["as_of"]),
            models.Index(name="summaries_by_last_look", fields=["looked_at"]),
        ]

    def __str__(self) -> str:
        return f"Summary of {self.customer}"


class DraftSummary(models.Model):
    """Derived: the head of a draft, so that lists need not compute it. As of its customer's summary."""

    id = models.UUIDField(primary_key=True, editable=False)  # the draft's
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    contract = models.ForeignKey(Contract, models.PROTECT, related_name="+")
    contract_name = models.CharField(max_length=160, blank=True, default="")
    kind = models.CharField(max_length=16, choices=Invoice.Kind)
    starting_at = models.DateTimeField(null=True)
    ending_before = models.DateTimeField(null=True)
    issued_at = models.DateTimeField()
    finalizes_at = models.DateTimeField()
    waits = models.BooleanField()  # for other documents to be final first
    total = amount_field()
    unit = models.ForeignKey(PricingUnit, models.PROTECT, related_name="+")
    findings = models.IntegerField()
    blocking = models.IntegerField()  # those of them that hold it

    class Meta:
        verbose_name = "draft"
        constraints = [one_of("kind", ["USAGE", "CHARGES", "TRUE_UP"]), is_a_number("total")]
        indexes = [models.Index(name="drafts_by_urgency", fields=["finalizes_at", "id"])]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.customer}"


class CommitmentSummary(models.Model):
    """Derived: how far a customer has come with a commit. As of its customer's summary."""

    id = models.UUIDField(primary_key=True, editable=False)  # the commit's
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    contract = models.ForeignKey(Contract, models.PROTECT, null=True, related_name="+")
    name = models.CharField(max_length=160, blank=True, default="")
    type = models.CharField(max_length=16)
    starting_at = models.DateTimeField()
    ending_before = models.DateTimeField()
    amount = amount_field()
    used = amount_field()
    unit = models.ForeignKey(PricingUnit, models.PROTECT, null=True, related_name="+")  # NULL: units of what is sold

    class Meta:
        verbose_name = "commitment"
        constraints = [is_a_number("amount"), is_a_number("used")]
        indexes = [models.Index(name="commitments_by_end", fields=["ending_before", "id"])]

    def __str__(self) -> str:
        return f"{self.name or 'Commitment'} of {self.customer}"

    @property
    def held_in(self) -> Unit:
        return UNITS if self.unit is None else self.unit.to_unit()
