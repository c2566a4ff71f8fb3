"""Work by people that a contract agrees on, and the invoices that bill it as it is done
(`docs/professional_services.md`)."""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models import Q

from billing_site.foundation.columns import amount_field, ends_after_it_starts, is_a_number, quantity_field
from contracts import fee_terms
from contracts.models.contracts import Contract
from contracts.models.term import Term, digits
from pricing.models import PricingUnit, Product


class ProfessionalService(Term):
    """So many units of work at a price, of which no more than `max_amount` is ever invoiced."""

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="professional_services")
    product = models.ForeignKey(Product, models.PROTECT, related_name="+")
    unit = models.ForeignKey(PricingUnit, models.PROTECT, related_name="+")
    quantity = quantity_field()
    unit_price = amount_field()
    max_amount = amount_field()
    description = models.TextField(blank=True, default="")
    custom_fields = models.JSONField(default=dict)
    netsuite_sales_order_id = models.CharField(max_length=160, blank=True, default="")

    class Meta:
        constraints = [
            *(is_a_number(name) for name in ("quantity", "unit_price", "max_amount")),
            models.CheckConstraint(
                name="work_is_agreed_at_no_less_than_zero",
                condition=Q(quantity__gte=0, unit_price__gte=0, max_amount__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"Professional service {self.description}".rstrip()


class ServiceInvoice(Term):
    """An invoice of work, agreed for a date. It stays, or is taken back before that date has come."""

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="service_invoices")
    issued_at = models.DateTimeField()
    netsuite_header_start = models.DateTimeField(null=True)
    netsuite_header_end = models.DateTimeField(null=True)

    class Meta:
        constraints = [ends_after_it_starts("netsuite_header_start", "netsuite_header_end")]

    def __str__(self) -> str:
        return f"Professional services of {self.issued_at:%Y-%m-%d}"

    def to_invoice(self, lines: "Sequence[ServiceInvoiceLine]") -> fee_terms.ServiceInvoice:
        """As the engines take it; its lines need their services, and these their units."""
        told = tuple(line.to_line() for line in lines)
        return fee_terms.ServiceInvoice(
            self.pk, self.issued_at, told, self.netsuite_header_start, self.netsuite_header_end
        )


class ServiceInvoiceLine(Term):
    """Work of one service on an invoice. What stands of a service never exceeds its `max_amount`: a trigger counts."""

    invoice = models.ForeignKey(ServiceInvoice, models.PROTECT, related_name="lines")
    service = models.ForeignKey(ProfessionalService, models.PROTECT, related_name="lines")
    amount = amount_field()
    unit_price = amount_field()
    quantity = quantity_field()
    metadata = models.TextField(blank=True, default="")
    netsuite_billing_start = models.DateTimeField(null=True)
    netsuite_billing_end = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            *(is_a_number(name) for name in ("amount", "unit_price", "quantity")),
            ends_after_it_starts("netsuite_billing_start", "netsuite_billing_end"),
            models.CheckConstraint(name="work_is_invoiced_above_zero", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{digits(self.amount)} of {self.service_id}"

    def to_line(self) -> fee_terms.ServiceLine:
        service: Any = self.service
        return fee_terms.ServiceLine(
            id=self.pk,
            service_id=service.pk,
            product_id=service.product_id,
            unit=service.unit.to_unit(),
            amount=self.amount,
            unit_price=self.unit_price,
            quantity=self.quantity,
            metadata=self.metadata,
            netsuite_billing_start=self.netsuite_billing_start,
            netsuite_billing_end=self.netsuite_billing_end,
        )
