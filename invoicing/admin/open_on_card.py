"""A panel of the pages of a rate card: which open usage its prices are for, and what a share of it would come to."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from billing_site.foundation.display import amount_text, instant_text, quantity_text
from billing_site.foundation.money import Unit, round_to
from invoicing.queries.open_on_card import OpenOnCard, open_on_card
from invoicing.queries.summaries import oldest_summary
from pricing.models import PricingUnit, Product

LONGEST = 12  # characters of a percentage


@dataclass(frozen=True, slots=True)
class OpenRow:
    product: str
    customers: str
    quantity: str
    amount: str
    difference: str

    @classmethod
    def of(cls, row: OpenOnCard, product: Product, unit: Unit, percent: Decimal | None) -> "OpenRow":
        is_spend = product.type == Product.Type.COMPOSITE  # its quantity is one, and its price a share of it
        moved = None if percent is None or is_spend else round_to(row.amount * percent / 100, unit.minor_step)
        return cls(
            product=product.name,
            customers=f"{row.customers:,}",
            quantity="" if row.quantity is None or is_spend else quantity_text(row.quantity),
            amount=amount_text(row.amount, unit),
            difference="" if moved is None else f"{'+' if moved > 0 else ''}{amount_text(moved, unit)}",
        )


def open_on_card_view(request: HttpRequest, card_id: UUID) -> HttpResponse:
    """GET, with `percent` where prices are to move by so much. Four queries."""
    if not request.user.has_perms(("pricing.view_ratecard", "invoicing.view_draftsummary")):
        raise PermissionDenied
    found, percent = open_on_card(card_id), _percent(request.GET.get("percent", ""))
    products = Product.objects.in_bulk({row.product_id for row in found})
    units = PricingUnit.objects.in_bulk({row.unit_id for row in found})
    summarized = oldest_summary()
    context = {
        "rows": [
            OpenRow.of(row, products[row.product_id], units[row.unit_id].to_unit(), percent)
            for row in found
            if row.product_id in products
        ],
        "percent": None if percent is None else quantity_text(percent),
        "as_of": instant_text(summarized) if summarized else "",
    }
    return TemplateResponse(request, "admin/invoicing/open_on_card.html", context)


def _percent(text: str) -> Decimal | None:
    """What is no number moves nothing."""
    try:
        number = Decimal(text[:LONGEST].strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and number and abs(number.adjusted()) < LONGEST else None
