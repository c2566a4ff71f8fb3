"""Everything that finance's tables are made of, read in one snapshot."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.custom_fields import declared_keys
from billing_site.foundation.display import exact_text, plain_text
from billing_site.foundation.models import CustomFieldKey
from billing_site.foundation.money import Unit, major_amount, round_to
from billing_site.foundation.periods import Period, add_months
from billing_site.foundation.transactions import read_snapshot
from contracts.models import Customer
from contracts.terms import UNITS
from invoicing.queries.open_money import OpenMoney, open_money
from invoicing.queries.sold import Sold, sold_on_drafts, sold_on_final
from pricing.models import PricingUnit, Product, ProductVersion
from pricing.sheets.cells import guarded
from pricing.wording import percent_text, sold_unit

SPANS = (3, 6, 12, 24)  # months, this one among them
DIGITS = 4  # of a realised price that is shown: documents are rounded
NO_PRODUCT = "Sold in custom units, and amounts of no product"


@dataclass(frozen=True, slots=True)
class Asked:
    """So many months up to the present one; and by which key of customers segments are told apart, or none."""

    span: int = 12
    segment: str = ""

    def months(self, at: datetime) -> Period:
        this = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return Period(add_months(this, 1 - self.span), add_months(this, 1))


@dataclass(frozen=True, slots=True)
class Books:
    """What was read. `final` and `drafts` hold each sale twice: by customer, and by month and segment."""

    at: datetime
    asked: Asked
    keys: tuple[str, ...]  # that segments can be told apart by
    final: Sequence[Sold]
    drafts: Sequence[Sold]
    money: Sequence[OpenMoney]
    customers: Mapping[UUID, str]
    segments: Mapping[UUID, str]
    products: Mapping[UUID, str]
    composites: frozenset[UUID]  # products whose quantity is a spend, and whose price a share of it
    sold_units: Mapping[UUID, str]  # "per million tokens", by product
    units: Mapping[UUID, Unit]

    def unit(self, unit_id: UUID | None) -> Unit:
        return UNITS if unit_id is None else self.units[unit_id]

    def unit_code(self, unit_id: UUID | None) -> str:
        unit = self.unit(unit_id)
        return unit.code or unit.name

    def product(self, product_id: UUID | None) -> str:
        return NO_PRODUCT if product_id is None else self.products.get(product_id, str(product_id))

    def price_text(self, price: Decimal | None, unit_id: UUID, product_id: UUID) -> str:
        """To four digits; a share of a spend in percent."""
        if price is None:
            return ""
        shown = round_to(price, Decimal(1).scaleb(price.adjusted() - DIGITS + 1)) if price else price
        return percent_text(shown) if product_id in self.composites else exact_text(shown, self.units[unit_id])

    def price_cell(self, price: Decimal | None, unit_id: UUID, product_id: UUID) -> str:
        """For a sheet: in the major unit, to twelve places of the wire unit; a share of a spend as a fraction."""
        if price is None:
            return ""
        return plain_text(price if product_id in self.composites else major_amount(price, self.units[unit_id]))

    def amount_cell(self, amount: Decimal, unit_id: UUID | None) -> str:
        """For a sheet: in the major unit, with every digit."""
        return plain_text(major_amount(amount, self.unit(unit_id)))

    def unit_cell(self, unit_id: UUID | None) -> str:
        return guarded(self.unit_code(unit_id))


def read_books(asked: Asked, *, at: datetime) -> Books:
    """Thirteen queries, whatever there is. A segment key that is not declared tells no segments apart."""
    with read_snapshot():
        keys = tuple(declared_keys(CustomFieldKey.Entity.CUSTOMER))
        segment = asked.segment if asked.segment in keys else (keys[0] if keys else "")
        asked = Asked(asked.span, segment)
        final = sold_on_final(asked.months(at), segment=segment)
        drafts = sold_on_drafts(segment=segment)
        buyers = {each.customer_id for each in (*final, *drafts) if each.customer_id is not None}
        customers = Customer.objects.filter(pk__in=buyers).values_list("pk", "name", "custom_fields")
        named = list(customers)
        products = list(Product.objects.filter(pk__in=_products((*final, *drafts))))
        versions = ProductVersion.objects.filter(product__in=products)
        latest = versions.order_by("product", "-publication").distinct("product")
        return Books(
            at=at,
            asked=asked,
            keys=keys,
            final=final,
            drafts=drafts,
            money=open_money(),
            customers={pk: name for pk, name, _ in named},
            segments={pk: str(fields.get(segment, "")) for pk, _, fields in named},
            products={product.pk: product.name for product in products},
            composites=frozenset(each.pk for each in products if each.type == Product.Type.COMPOSITE),
            sold_units={version.product_id: sold_unit(version) for version in latest},
            units={unit.pk: unit.to_unit() for unit in PricingUnit.objects.all()},
        )


def _products(sold: Iterable[Sold]) -> set[UUID]:
    return {each.product_id for each in sold if each.product_id is not None}
