"""Documents that were taken back."""

from django.db import models
from django.db.models import Q

from billing_site.foundation.ids import uuid7
from contracts.models import Customer
from invoicing.models.documents import Invoice


class InvoiceVoidQuerySet(models.QuerySet["InvoiceVoid"]):
    def waiting(self) -> "InvoiceVoidQuerySet":
        """Of documents that are to be regenerated. Late usage is not: the next document carries it. Under an archived
        contract nothing is."""
        return self.filter(regenerated=None, invoice__contract__archived_at=None).exclude(
            invoice__kind=Invoice.Kind.ADJUSTMENT
        )


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
