"""A panel of the pages of a rate card: which open usage its prices are for."""

from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from billing_site.foundation.display import amount_text, instant_text, quantity_text
from billing_site.foundation.money import Unit
from invoicing.queries.open_on_card import OpenOnCard, open_on_card
from invoicing.queries.summaries import oldest_summary
from pricing.models import PricingUnit, Product


@dataclass(frozen=True, slots=True)
class OpenRow:
    product: str
    customers: str
    quantity: str
    amount: str

    @classmethod
    def of(cls, row: OpenOnCard, product: Product, unit: Unit) -> "OpenRow":
        is_spend = product.type == Product.Type.COMPOSITE  # its quantity is one, and its price a share of it
        return cls(
            product=product.name,
            customers=f"{row.customers:,}",
            quantity="" if row.quantity is None or is_spend else quantity_text(row.quantity),
            amount=amount_text(row.amount, unit),
        )


def open_on_card_view(request: HttpRequest, card_id: UUID) -> HttpResponse:
    """Four queries."""
    if not request.user.has_perms(("pricing.view_ratecard", "invoicing.view_draftsummary")):
        raise PermissionDenied
    found = open_on_card(card_id)
    products = Product.objects.in_bulk({row.product_id for row in found})
    units = PricingUnit.objects.in_bulk({row.unit_id for row in found})
    summarized = oldest_summary()
    context = {
        "rows": [
            OpenRow.of(row, products[row.product_id], units[row.unit_id].to_unit())
            for row in found
            if row.product_id in products
        ],
        "as_of": instant_text(summarized) if summarized else "",
    }
    return TemplateResponse(request, "admin/invoicing/open_on_card.html", context)
