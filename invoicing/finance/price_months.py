"""Realised prices by month: whether a unit of a product brings in more or less than it did."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing_site.foundation.display import NOTHING, plain_text
from billing_site.foundation.money import exact_sum, major_amount
from invoicing.finance.reading import Books
from invoicing.finance.revenue import COLOURS, month_heading, months_of
from invoicing.finance.tables import Cell, Row, Table
from invoicing.queries.realised import unit_price
from invoicing.queries.sold import Sold
from pricing.sheets.cells import guarded

FAR_APART = 20  # prices of which one is so many times another are drawn on a logarithmic scale
PRICE_MONTH_COLUMNS = (
    *("month", "currency", "product", "product_id", "quantity", "sold", "paid_by_credits", "price_per_unit"),
)


@dataclass(frozen=True, slots=True)
class InMonth:
    """What a product has brought in; `price` in wire units to 12 places, None where the quantity is zero."""

    quantity: Decimal
    amount: Decimal
    by_credits: Decimal
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class ProductPrices:
    unit_id: UUID
    product_id: UUID
    months: dict[datetime, InMonth]

    @property
    def sold(self) -> Decimal:
        return exact_sum([each.amount for each in self.months.values()])


def price_months_of(books: Books) -> list[ProductPrices]:
    """Of final documents, each product with a quantity in a unit: by unit and name."""
    parts: dict[tuple[UUID, UUID], dict[datetime, list[Sold]]] = {}
    for each in books.final:
        if each.month is not None and each.product_id is not None and each.quantity is not None:
            of_product = parts.setdefault((each.unit_id, each.product_id), {})
            of_product.setdefault(each.month, []).append(each)
    found = [
        ProductPrices(*key, {month: _in_month(sold) for month, sold in months.items()}) for key, months in parts.items()
    ]
    return sorted(found, key=lambda each: (books.unit_code(each.unit_id), books.product(each.product_id).lower()))


def price_month_tables(books: Books) -> list[Table]:
    """One for each unit, the latest month first."""
    months = months_of(books)[::-1]
    columns = (("Product", False), *((month_heading(month), True) for month in months))
    rows: dict[UUID, list[Row]] = {}
    for each in price_months_of(books):
        prices = [each.months[month].price if month in each.months else None for month in months]
        texts = [books.price_text(price, each.unit_id, each.product_id) or NOTHING for price in prices]
        per = "of the spend" if each.product_id in books.composites else books.sold_units.get(each.product_id, "")
        heading = Cell(books.product(each.product_id), sub=per)
        row = Row((heading, *(Cell(text, is_number=True) for text in texts)))
        rows.setdefault(each.unit_id, []).append(row)
    return [
        Table("price-months", books.unit_code(unit_id), columns, tuple(of_unit), empty="")
        for unit_id, of_unit in rows.items()
    ]


def price_month_charts(books: Books) -> list[dict[str, Any]]:
    """For each unit a line for each of the products on which most was sold. Shares of a spend are in the table alone:
    they are no price in that unit."""
    months, charts = months_of(books), []
    by_unit: dict[UUID, list[ProductPrices]] = {}
    for each in price_months_of(books):
        if each.product_id not in books.composites:
            by_unit.setdefault(each.unit_id, []).append(each)
    for unit_id, all_of_unit in by_unit.items():
        most = sorted(all_of_unit, key=lambda each: each.sold, reverse=True)[:COLOURS]
        drawn = [each for each in all_of_unit if each in most]
        prices = [
            price for each in drawn for in_month in each.months.values() if (price := in_month.price) and price > 0
        ]
        left_out = f", the {len(drawn)} on which most was sold" if len(drawn) < len(all_of_unit) else ""
        far_apart = bool(prices) and max(prices) > FAR_APART * min(prices)
        scale = " The scale is logarithmic: equal steps are equal ratios." if far_apart else ""
        charts.append(
            {
                "id": f"price-chart-{unit_id}",
                "kind": "line",
                "is_logarithmic": far_apart,
                "summary": f"Realised price per unit by month and product{left_out}, in {books.unit_code(unit_id)}."
                + scale,
                "labels": [month_heading(month) for month in months],
                "series": [_series(books, each, months) for each in drawn],
            }
        )
    return charts


def price_month_sheet(books: Books) -> Iterator[Sequence[str]]:
    for month in months_of(books):
        for each in price_months_of(books):
            if month in each.months:
                found = each.months[month]
                yield [
                    f"{month:%Y-%m}",
                    books.unit_cell(each.unit_id),
                    guarded(books.product(each.product_id)),
                    str(each.product_id),
                    plain_text(found.quantity),
                    books.amount_cell(found.amount, each.unit_id),
                    books.amount_cell(found.by_credits, each.unit_id),
                    books.price_cell(found.price, each.unit_id, each.product_id),
                ]


def _in_month(sold: Sequence[Sold]) -> InMonth:
    quantity = exact_sum([each.quantity for each in sold if each.quantity is not None])
    net = exact_sum([each.net for each in sold])
    return InMonth(
        quantity=quantity,
        amount=exact_sum([each.amount for each in sold]),
        by_credits=exact_sum([each.by_credits for each in sold]),
        price=unit_price(net, quantity),
    )


def _series(books: Books, prices: ProductPrices, months: Sequence[datetime]) -> dict[str, Any]:
    found = [prices.months[month].price if month in prices.months else None for month in months]
    unit = books.units[prices.unit_id]
    return {
        "name": books.product(prices.product_id),
        "values": [None if price is None else plain_text(major_amount(price, unit)) for price in found],
        "texts": [books.price_text(price, prices.unit_id, prices.product_id) for price in found],
    }
