"""Documents that were taken back."""

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from billing_site.foundation.ids import uuid7
from contracts.models import Customer, PaymentOutcome
from invoicing.models.documents import Invoice, InvoiceLine


class InvoiceVoidQuerySet(models.QuerySet["InvoiceVoid"]):
    def waiting(self) -> "InvoiceVoidQuerySet":
        """Of documents that are to be regenerated. Late usage is not: the next document carries it. Nor is what asked
        for a payment that has failed. Under an archived contract nothing is."""
        failed = PaymentOutcome.objects.filter(customer=OuterRef("customer"), outcome=PaymentOutcome.Outcome.FAILED)
        asked_for = InvoiceLine.objects.annotate(paid_for=KeyTextTransform("commit_id", "details")).filter(
            invoice=OuterRef("invoice"),
            type="commit_purchase",
            paid_for__in=failed.values(named=Cast("gate__commit_id", models.TextField())),
        )
        waiting = self.filter(regenerated=None, invoice__contract__archived_at=None)
        return waiting.exclude(invoice__kind=Invoice.Kind.ADJUSTMENT).exclude(Exists(asked_for))


class InvoiceVoid(models.Model):
    """A fact: a document was voided. It keeps its number; its slot waits for the document that is made in its place."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    invoice = models.OneToOneField("invoicing.Invoice", models.PROTECT, related_name="void")
    reason = models.TextField()
    voided_at = models.DateTimeField()
    voided_by = models.CharField(max_length=160)
    money_version = models.BigIntegerField()  # the customer's

    objects = InvoiceVoidQuerySet.as_manager()

    class Meta:
        verbose_name = "voided document"
        constraints = [models.CheckConstraint(name="a_void_says_why", condition=~Q(reason=""))]

    def __str__(self) -> str:
        return f"{self.invoice} voided"
