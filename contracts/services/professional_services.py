"""Professional services: checked and made into rows (`docs/professional_services.md`)."""

from billing_site.foundation.custom_fields import Entity, check_custom_fields
from billing_site.foundation.problems import Problems
from contracts.models import ProfessionalService
from contracts.service_inputs import ServiceInput
from contracts.services.checks import Deal, not_negative, short_text
from pricing.models import Product

LONGEST_TEXT = 2_000


def service_row(given: ServiceInput, position: int, deal: Deal, problems: Problems) -> ProfessionalService:
    """A professional service, not saved. What is wrong goes to `problems`."""
    product = deal.products.get(given.product_id)
    if product is None:
        problems.add("product_id", given.product_id, "must be the id of a product")
    elif product.type != Product.Type.PRO_SERVICE:
        problems.add("product_id", given.product_id, f"must be a PRO_SERVICE product; {product.name} is {product.type}")
    for name in ("quantity", "unit_price", "max_amount"):
        not_negative(problems, name, getattr(given, name))
    short_text(problems, "description", given.description, length=LONGEST_TEXT)
    short_text(problems, "netsuite_sales_order_id", given.netsuite_sales_order_id)
    check_custom_fields(problems, Entity.PROFESSIONAL_SERVICE, given.custom_fields)
    return ProfessionalService(
        position=position,
        product=product,
        unit=deal.fiat,
        quantity=given.quantity,
        unit_price=given.unit_price,
        max_amount=given.max_amount,
        description=given.description,
        custom_fields=dict(given.custom_fields),
        netsuite_sales_order_id=given.netsuite_sales_order_id,
    )
