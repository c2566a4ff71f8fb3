"""Final documents as they were printed."""

from django.db import models

from billing_site.foundation.ids import uuid7
from contracts.models import Customer
from invoicing.models.documents import Invoice


class InvoicePdf(models.Model):
    """A fact: a final document as PDF. It is made when somebody first asks for it, and the same bytes from then on."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="+")
    content = models.BinaryField()
    content_hash = models.BinaryField(max_length=32)  # SHA-256
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = "PDF of an invoice"
        verbose_name_plural = "PDFs of invoices"
        constraints = [models.UniqueConstraint(name="an_invoice_has_one_pdf", fields=["customer", "invoice"])]

    def __str__(self) -> str:
        return f"PDF of {self.invoice_id}"
