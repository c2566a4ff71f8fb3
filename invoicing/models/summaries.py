"""Drafts as lists show them: heads kept beside, so that a page need not compute them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import ExpressionWrapper, F, Q, Value
from django.db.models.functions import Extract

from billing_site.foundation.columns import amount_field, is_a_number, one_of
from billing_site.foundation.money import Unit
from contracts.models import Contract, Customer
from contracts.terms import UNITS
from invoicing.models.documents import Invoice
from pricing.models import PricingUnit

OFF_PACE = Decimal("0.1")  # so much of a commitment from its even pace is ahead, or behind


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
    # What proposed notes were last computed from: nothing but these changes them.
    notes_money_version = models.BigIntegerField(null=True)
    notes_publication = models.BigIntegerField(null=True)

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
    total = amount_field()  # before tax
    total_with_tax = amount_field()  # as of the same instant; the tax is what it would print if it were final now
    unit = models.ForeignKey(PricingUnit, models.PROTECT, related_name="+")
    findings = models.IntegerField()
    blocking = models.IntegerField()  # those of them that hold it
    holds = models.JSONField(default=list)  # [{kind, key, who, message, since, is_reviewable}]: all that holds it
    sold = models.JSONField(default=list)  # [{unit_id, product_id, amount, by_credits, quantity}]: see `queries.sold`

    class Meta:
        verbose_name = "draft"
        constraints = [
            one_of("kind", ["USAGE", "CHARGES", "TRUE_UP", "ADJUSTMENT", "NOTE", "HISTORICAL"]),
            is_a_number("total"),
            is_a_number("total_with_tax"),
        ]
        indexes = [
            models.Index(name="drafts_by_urgency", fields=["finalizes_at", "id"]),
            models.Index(name="held_drafts_by_urgency", fields=["finalizes_at", "id"], condition=~Q(holds=[])),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.customer}"


class NoteSummary(models.Model):
    """Derived: a note that a final document calls for and nobody has dismissed. As of its customer's summary."""

    id = models.UUIDField(primary_key=True, editable=False)  # the document's
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    about = models.ForeignKey(Invoice, models.PROTECT, related_name="+")
    total = amount_field()  # before tax
    unit = models.ForeignKey(PricingUnit, models.PROTECT, related_name="+")
    because = models.JSONField()  # ["Edit 3 by Ada", …]: what reaches back, in order
    findings = models.IntegerField()  # that stand in its way

    class Meta:
        verbose_name = "proposed note"
        constraints = [is_a_number("total")]

    def __str__(self) -> str:
        return f"proposed on {self.about}"


class CommitmentSummaryQuerySet(models.QuerySet["CommitmentSummary"]):
    def under_way(self, *, at: datetime) -> Any:
        """Those whose time has begun and is not over, each with its `lead`: the share of it that is used, less the
        share of its time that has passed. Below zero it is behind."""
        passed = Extract(ExpressionWrapper(Value(at) - F("starting_at"), models.DurationField()), "epoch")
        whole = Extract(ExpressionWrapper(F("ending_before") - F("starting_at"), models.DurationField()), "epoch")
        return self.filter(starting_at__lte=at, ending_before__gt=at, amount__gt=0).annotate(
            lead=ExpressionWrapper(F("used") / F("amount") - passed / whole, models.DecimalField())
        )

    def behind(self, *, at: datetime) -> Any:
        """The furthest first."""
        return self.under_way(at=at).filter(lead__lt=-OFF_PACE).order_by("lead", "id")

    def ahead(self, *, at: datetime) -> Any:
        """The furthest first."""
        return self.under_way(at=at).filter(lead__gt=OFF_PACE).order_by("-lead", "id")


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

    objects = CommitmentSummaryQuerySet.as_manager()

    class Meta:
        verbose_name = "commitment"
        constraints = [is_a_number("amount"), is_a_number("used")]
        indexes = [models.Index(name="commitments_by_end", fields=["ending_before", "id"])]

    def __str__(self) -> str:
        return f"{self.name or 'Commitment'} of {self.customer}"

    @property
    def held_in(self) -> Unit:
        return UNITS if self.unit is None else self.unit.to_unit()
