"""Realised prices by product and segment; and which customers pay differently for like quantities, and why."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from django.urls import reverse

from billing_site.foundation.display import NOTHING, amount_text, count_text, plain_text, quantity_text
from billing_site.foundation.money import round_to
from invoicing.finance.reading import Books
from invoicing.finance.tables import Cell, Row, Table
from invoicing.queries.price_makers import PriceMaker
from invoicing.queries.realised import Comparable, Paid, RealisedPrice, comparables, realised_prices
from invoicing.queries.sold import Sold
from pricing.sheets.cells import guarded
from pricing.wording import percent_text

NO_SEGMENT = "no value"
SHARE = Decimal("0.001")  # shares are shown to a tenth of a percent
GROUPS_SHOWN, PAID_SHOWN = 20, 5  # groups; customers of a group from either end
REALISED_COLUMNS = (
    *("currency", "product", "product_id", "segment", "customers", "quantity", "sold", "paid_by_credits"),
    "price_per_unit",
)
SIMILAR_COLUMNS = (
    *("currency", "product", "product_id", "volume_from", "volume_below", "customer", "customer_id", "quantity"),
    *("sold_without_credits", "price_per_unit", "lowest_price", "highest_price", "below_highest"),
)


def realised_table(books: Books) -> Table:
    found = _in_order(books, realised_prices(_by_customer(books), books.segments))
    return Table(
        name="prices",
        title="Realised price per unit",
        columns=(
            ("Product", False),
            ("Customers", True),
            ("Quantity", True),
            ("Sold", True),
            ("Paid by credits", True),
            ("Realised price", True),
        ),
        rows=tuple(_realised_row(books, each) for each in found),
        empty="Nothing was billed in these months. What is open is under Revenue, as drafts.",
        note=_segments_note(books),
    )


def realised_sheet(books: Books) -> Iterator[Sequence[str]]:
    for each in _in_order(books, realised_prices(_by_customer(books), books.segments)):
        yield [
            books.unit_cell(each.unit_id),
            guarded(books.product(each.product_id)),
            str(each.product_id),
            "" if each.segment is None else guarded(each.segment or NO_SEGMENT),
            str(each.customers),
            plain_text(each.quantity),
            books.amount_cell(each.amount, each.unit_id),
            books.amount_cell(each.by_credits, each.unit_id),
            books.price_cell(each.price, each.unit_id, each.product_id),
        ]


def shown_comparables(books: Books) -> list[Comparable]:
    """Those that the page shows: of each unit, where most money lies."""
    shown: dict[UUID, list[Comparable]] = {}
    for each in comparables(_by_customer(books)):
        shown.setdefault(each.unit_id, []).append(each)
    return [each for of_unit in shown.values() for each in of_unit[:GROUPS_SHOWN]]


def shown_paid(group: Comparable) -> Sequence[Paid]:
    """The customers of a group that the page names: those that pay least, and those that pay most."""
    return group.paid if len(group.paid) <= 2 * PAID_SHOWN else (*group.paid[:PAID_SHOWN], *group.paid[-PAID_SHOWN:])


def similar_table(
    books: Books, groups: Sequence[Comparable], makers: Mapping[tuple[UUID, UUID], Sequence[PriceMaker]]
) -> Table:
    """`makers` are the overrides behind the prices of the customers that are named, by customer and product."""
    return Table(
        name="similar",
        title="Like customers, different prices",
        columns=(
            ("Product and quantity", False),
            ("Customers", True),
            ("Lowest", True),
            ("Highest", True),
            ("Spread", True),
            ("Below the highest", True),
        ),
        rows=tuple(_group_row(books, group, makers) for group in groups),
        empty="Nobody who buys about as much as another pays a different price.",
        note="Customers are alike where they bought quantities of one power of ten, such as 1,000 to 9,999, of a "
        "product in one currency. Less than 0.1 % apart is the rounding of documents. “Below the highest” is what "
        "they would have paid more at the highest of their prices.",
    )


def similar_sheet(books: Books) -> Iterator[Sequence[str]]:
    for group in comparables(_by_customer(books)):
        for paid in group.paid:
            yield [
                books.unit_cell(group.unit_id),
                guarded(books.product(group.product_id)),
                str(group.product_id),
                *map(plain_text, _band(group.band)),
                guarded(books.customers[paid.customer_id]),
                str(paid.customer_id),
                plain_text(paid.quantity),
                books.amount_cell(paid.amount, group.unit_id),
                *(
                    books.price_cell(price, group.unit_id, group.product_id)
                    for price in (paid.price, group.lowest.price, group.highest.price)
                ),
                books.amount_cell(group.highest.price * paid.quantity - paid.amount, group.unit_id),
            ]


def _by_customer(books: Books) -> list[Sold]:
    return [each for each in books.final if each.customer_id is not None]


def _in_order(books: Books, found: Sequence[RealisedPrice]) -> list[RealisedPrice]:
    """By currency and name; what belongs to a product stays in its order."""
    return sorted(found, key=lambda each: (books.unit_code(each.unit_id), books.product(each.product_id).lower()))


def _realised_row(books: Books, each: RealisedPrice) -> Row:
    unit = books.units[each.unit_id]
    is_part = each.segment is not None
    name = books.product(each.product_id) if each.segment is None else each.segment or NO_SEGMENT
    return Row(
        is_part=is_part,
        cells=(
            Cell(name, sub="" if is_part else books.unit_code(each.unit_id)),
            Cell(f"{each.customers:,}", is_number=True),
            Cell(
                amount_text(each.quantity, unit)
                if each.product_id in books.composites
                else quantity_text(each.quantity),
                is_number=True,
            ),
            Cell(amount_text(each.amount, unit), is_number=True),
            Cell(amount_text(each.by_credits, unit) if each.by_credits else NOTHING, is_number=True),
            Cell(
                books.price_text(each.price, each.unit_id, each.product_id) or NOTHING,
                sub=_per(books, each.product_id),
                is_number=True,
                is_strong=True,
            ),
        ),
    )


def _per(books: Books, product_id: UUID) -> str:
    return "of the spend" if product_id in books.composites else books.sold_units.get(product_id, "")


def _segments_note(books: Books) -> str:
    if not books.keys:
        return "Declare a custom field key of customers to tell segments apart."
    return f"Segments are what customers have as “{books.asked.segment}”."


def _group_row(books: Books, group: Comparable, makers: Mapping[tuple[UUID, UUID], Sequence[PriceMaker]]) -> Row:
    start, below = _band(group.band)
    named = shown_paid(group)
    left_out = len(group.paid) - len(named)
    more = [_paid_row(books, group, paid, makers.get((paid.customer_id, group.product_id), ())) for paid in named]
    if left_out:
        said = f"and {count_text(left_out, 'customer', 'customers')} between them: see the sheet"
        more.insert(PAID_SHOWN, Row((Cell(said),)))
    return Row(
        cells=(
            Cell(
                books.product(group.product_id),
                sub=f"{quantity_text(start)} to below {quantity_text(below)}, {books.unit_code(group.unit_id)}",
            ),
            Cell(f"{len(group.paid):,}", is_number=True),
            _price_cell(books, group, group.lowest),
            _price_cell(books, group, group.highest),
            Cell(percent_text(round_to(group.spread, SHARE)), is_number=True),
            Cell(amount_text(group.below_highest, books.units[group.unit_id]), is_number=True, is_strong=True),
        ),
        more=tuple(more),
    )


def _price_cell(books: Books, group: Comparable, paid: Paid) -> Cell:
    return Cell(
        books.price_text(paid.price, group.unit_id, group.product_id),
        sub=books.customers[paid.customer_id],
        is_number=True,
    )


def _paid_row(books: Books, group: Comparable, paid: Paid, makers: Sequence[PriceMaker]) -> Row:
    first = makers[0] if makers else None
    return Row(
        (
            Cell(
                books.customers[paid.customer_id],
                url=reverse("admin:contracts_customer_change", args=[paid.customer_id]),
            ),
            Cell(quantity_text(paid.quantity), is_number=True),
            Cell(
                books.price_text(paid.price, group.unit_id, group.product_id),
                sub=_per(books, group.product_id),
                is_number=True,
                is_strong=True,
            ),
            Cell(
                "; ".join(maker.text for maker in makers) or "No override: what the list asks, and its tiers.",
                url=reverse("admin:contracts_contract_change", args=[first.contract_id]) if first else "",
            ),
        )
    )


def _band(band: int) -> tuple[Decimal, Decimal]:
    """From which quantity on, and below which."""
    return Decimal(1).scaleb(band), Decimal(1).scaleb(band + 1)
