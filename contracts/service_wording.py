"""Professional services and their invoices in the words of the trade, for people.

agreed                  Professional service “Onboarding”: 10 at $200.00, at the most $2,500.00 in all.
invoiced                $400.00 of “Onboarding” is invoiced on 1 December 2025.
"""

from collections.abc import Sequence

from billing_site.foundation.display import day_text, exact_text, quantity_text
from contracts.commit_wording import named, order_text
from contracts.models import ProfessionalService, ServiceInvoice, ServiceInvoiceLine


def service_text(service: ProfessionalService) -> str:
    """Needs its product and unit."""
    unit = service.unit.to_unit()
    price = f"{quantity_text(service.quantity)} at {exact_text(service.unit_price, unit)}"
    most = f"at the most {exact_text(service.max_amount, unit)} in all"
    return f"Professional service{named(service_name(service))}: {price}, {most}{order_text(service)}"


def service_name(service: ProfessionalService) -> str:
    """What it is of, or the name of its product."""
    return service.description or service.product.name


def service_invoice_text(invoice: ServiceInvoice, lines: Sequence[ServiceInvoiceLine]) -> str:
    """Its lines need their services, and these their products and units."""
    work = " and ".join(
        f"{exact_text(line.amount, line.service.unit.to_unit())} of “{service_name(line.service)}”" for line in lines
    )
    return f"{work} {'is' if len(lines) == 1 else 'are'} invoiced on {day_text(invoice.issued_at)}"
