"""What was used, a row for each product: its prices, quantity and amount in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing_site.foundation.display import amount_text, exact_text, quantity_text
from billing_site.foundation.money import Unit, exact_sum
from invoicing.portal.words import last_day, period_title
from invoicing.queries.account import OpenPeriod
from invoicing.queries.spending import PriceSpan, ProductSpend
from pricing.wording import percent_text


@dataclass(frozen=True, slots=True)
class Row:
    """One product. `quantity_parts` and `amount_parts` say what was sold at each price, where there are several."""

    name: str
    prices: str
    quantity: str
    quantity_parts: str
    amount: str
    amount_parts: str
    is_zero: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    document_id: UUID
    title: str
    contract: str
    rows: tuple[Row, ...]
    rest: str  # what else is in the total: above all, what balances pay
    total: str


def table_of(open_: OpenPeriod, at: datetime, several: bool) -> Table:
    return Table(
        document_id=open_.document_id,
        title=period_title(open_.period, at),
        contract=open_.contract.name if several else "",
        rows=tuple(map(row_of, open_.products)),
        rest=rest_text(open_.total, open_.products, open_.unit),
        total=amount_text(open_.total, open_.unit),
    )


def rest_text(total: Decimal, products: Sequence[ProductSpend], unit: Unit) -> str:
    """What the rows of products leave of a total; empty where that is nothing, and where there are no such rows. What
    is priced in a custom unit counts by its conversion, which is no row of a product."""
    amounts = [-product.amount for product in products if product.unit == unit]
    rest = exact_sum([total, *amounts])
    return amount_text(rest, unit) if rest and products else ""


def row_of(product: ProductSpend) -> Row:
    several, unit = len(product.spans) > 1, product.unit
    return Row(
        name=product.name,
        prices=_prices(product),
        quantity="" if product.quantity is None else _quantity(product, product.quantity),
        quantity_parts=" + ".join(_quantity(product, span.quantity) for span in product.spans) if several else "",
        amount=amount_text(product.amount, unit),
        amount_parts=" + ".join(amount_text(span.amount, unit) for span in product.spans) if several else "",
        is_zero=not product.amount and not product.quantity,
    )


def _quantity(product: ProductSpend, quantity: Decimal) -> str:
    return amount_text(quantity, product.unit) if product.is_share else quantity_text(quantity)


def _prices(product: ProductSpend) -> str:
    """ "$40.00 until 14 October, $20.00 since · per million tokens"; where tiers or packages were sold at once, each
    price with its quantity: "$10.00 for 100, $8.00 for 30"."""
    per = f"per {product.unit_name}" if product.unit_name else ""
    texts = [_price(product, span) for span in product.spans]
    if len(texts) < 2:
        return " ".join([*texts, per]).strip()
    if any(span.tier is not None for span in product.spans):
        pairs = zip(texts, product.spans, strict=True)
        shown = ", ".join(f"{text} for {_quantity(product, span.quantity)}" for text, span in pairs)
    else:
        ends = [later.period.starting_at for later in product.spans[1:]]
        until = [f"{text} until {last_day(end, end)}" for text, end in zip(texts, ends, strict=False)]
        shown = ", ".join([*until, f"{texts[-1]} since"])
    return f"{shown} · {per}" if per else shown


def _price(product: ProductSpend, span: PriceSpan) -> str:
    if product.is_share:
        return percent_text(span.unit_price)
    if span.package_size is not None:
        return f"{exact_text(span.unit_price, product.unit)} a package of {quantity_text(span.package_size)}"
    return exact_text(span.unit_price, product.unit)
