"""What was sold, from what documents froze: by product, customer, month and segment, final documents and drafts apart.

Sold is what lines ask for usage, fees and scheduled charges, whoever pays them, what is asked for unused minimums, and
what notes take back of these. Not among it: what is paid for a prepaid commit, which is sold as it is drawn; balances
that are applied, which only pay; void documents; tax. What credits pay for was given away: it is told apart.

Usage in a custom unit is sold in that unit, and once more in money as its conversion, which is of no product.

A document is of the month in which its billing period begins; one without a period, of the month of its issue. In words
for accountants: `docs/finance.md`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from billing_site.foundation.money import exact_sum
from billing_site.foundation.periods import Period
from invoicing.engine.calendar import TRUE_UP
from invoicing.engine.documents import Document, Line
from invoicing.frozen import frozen

SOLD = ("usage", "subscription", "scheduled", "cpu_conversion")
BOUGHT, APPLIED = "commit_purchase", "applied_commit_or_credit"
POSTPAID, CREDIT = "POSTPAID", "CREDIT"


@dataclass(frozen=True, slots=True)
class Sold:
    """What was sold of a product in a unit. Amounts in wire units, before tax; `quantity` as lines print it, None where
    none does. Either of a customer, over all months, or of a month and a segment, over all customers."""

    unit_id: UUID
    product_id: UUID | None
    amount: Decimal
    by_credits: Decimal  # what of it credits have paid
    quantity: Decimal | None
    is_draft: bool
    customer_id: UUID | None = None
    month: datetime | None = None
    segment: str = ""  # the customers' value of the key that is asked for; empty where they have none

    @property
    def net(self) -> Decimal:
        return exact_sum([self.amount, -self.by_credits])


# Added up by the database, a row for each customer, month, product and unit: see `SoldInMonth`.
_FINAL = """
WITH sold AS NOT MATERIALIZED (
    SELECT unit_id, product_id, customer_id, month, amount, by_credits,
           CASE WHEN quantity_count > 0 THEN quantity END AS quantity
    FROM invoicing_soldinmonth
    WHERE month >= %(start)s AND month < %(end)s
)
"""

_DRAFTS = """
WITH sold AS MATERIALIZED (
    SELECT (each ->> 'unit_id')::uuid AS unit_id, (each ->> 'product_id')::uuid AS product_id, draft.customer_id,
           date_trunc('month', coalesce(draft.starting_at, draft.issued_at), 'UTC') AS month,
           (each ->> 'amount')::numeric AS amount, (each ->> 'by_credits')::numeric AS by_credits,
           (each ->> 'quantity')::numeric AS quantity
    FROM invoicing_draftsummary AS draft CROSS JOIN LATERAL jsonb_array_elements(draft.sold) AS each
)
"""

# Two plain sums, by customer and by segment, each in memory: grouping sets would be sorted, on disk.
_ROOM = "SELECT set_config('work_mem', '32MB', true)"
_SUMMED = """
, customer AS MATERIALIZED (
    SELECT id, coalesce(custom_fields ->> %(segment)s, '') AS segment FROM contracts_customer
)
SELECT unit_id, product_id, customer_id, NULL, NULL, sum(amount), sum(by_credits), sum(quantity)
FROM sold GROUP BY unit_id, product_id, customer_id
UNION ALL
SELECT unit_id, product_id, NULL, month, segment, sum(amount), sum(by_credits), sum(quantity)
FROM sold JOIN customer ON customer.id = sold.customer_id
GROUP BY unit_id, product_id, month, segment
ORDER BY 1, 2, 3, 4, 5
"""


def sold_on_final(months: Period, *, segment: str) -> list[Sold]:
    """On documents of the months, which begin and end with a month. `segment` is a custom field key of customers. Two
    queries, over sums that the database keeps."""
    assert months.ending_before is not None
    asked = {"segment": segment, "start": months.starting_at, "end": months.ending_before}
    return list(_read(_FINAL + _SUMMED, asked, is_draft=False))


def sold_on_drafts(*, segment: str) -> list[Sold]:
    """On the open drafts of everybody, as last summarized. Two queries."""
    return list(_read(_DRAFTS + _SUMMED, {"segment": segment}, is_draft=True))


def sold_on(draft: Document) -> list[dict[str, Any]]:
    """What a computed draft would sell, as its summary keeps it: by product and unit, in the order of its lines. A
    true-up sells nothing before it is final: until then it is what would be due if nothing more were used."""
    if draft.kind == TRUE_UP:
        return []
    lines: dict[tuple[UUID, UUID | None], list[Line]] = {}
    for line in draft.lines:
        if _is_sold(line) or _is_given_away(line):
            lines.setdefault((line.unit.id, line.product_id), []).append(line)
    return [
        frozen(
            {
                "unit_id": unit_id,
                "product_id": product_id,
                "amount": exact_sum([line.total for line in of_product if _is_sold(line)]),
                "by_credits": exact_sum([-line.total for line in of_product if _is_given_away(line)]),
                "quantity": _quantity([line for line in of_product if _is_sold(line)]),
            }
        )
        for (unit_id, product_id), of_product in lines.items()
    ]


def _is_sold(line: Line) -> bool:
    return line.type in SOLD or (line.type == BOUGHT and line.commit_type == POSTPAID)


def _is_given_away(line: Line) -> bool:
    return line.type == APPLIED and line.commit_type == CREDIT


def _quantity(lines: Sequence[Line]) -> Decimal | None:
    quantities = [line.quantity for line in lines if line.quantity is not None]
    return exact_sum(quantities) if quantities else None


def _read(statement: str, asked: Mapping[str, Any], *, is_draft: bool) -> Iterator[Sold]:
    with connection.cursor() as cursor:
        cursor.execute(_ROOM)
        cursor.execute(statement, asked)
        for unit_id, product_id, customer_id, month, segment, amount, by_credits, quantity in cursor.fetchall():
            yield Sold(
                unit_id=unit_id,
                product_id=product_id,
                amount=amount,
                by_credits=by_credits,
                quantity=quantity,
                is_draft=is_draft,
                customer_id=customer_id,
                month=month,
                segment=segment or "",
            )
