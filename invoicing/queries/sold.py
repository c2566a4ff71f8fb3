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


# The parts of a line that say what it is are read once for each line, and summed up twice from the sums by customer.
_FINAL = """
WITH invoice AS MATERIALIZED (
    SELECT id, customer_id, date_trunc('month', coalesce(starting_at, issued_at), 'UTC') AS month
    FROM invoicing_invoice
    WHERE (starting_at >= %(start)s AND starting_at < %(end)s
           OR starting_at IS NULL AND issued_at >= %(start)s AND issued_at < %(end)s)
      AND NOT EXISTS (SELECT FROM invoicing_invoicevoid AS void WHERE void.invoice_id = invoicing_invoice.id)
), sold AS MATERIALIZED (
    SELECT line.details #>> '{credit_type,id}' AS unit_id, line.details ->> 'product_id' AS product_id,
           invoice.customer_id, invoice.month,
           coalesce(sum(line.total) FILTER (WHERE line.type <> 'applied_commit_or_credit'), 0) AS amount,
           coalesce(-sum(line.total) FILTER (WHERE line.type = 'applied_commit_or_credit'), 0) AS by_credits,
           sum(line.quantity) FILTER (WHERE line.type <> 'applied_commit_or_credit') AS quantity
    FROM invoice
    JOIN invoicing_invoiceline AS line ON line.customer_id = invoice.customer_id AND line.invoice_id = invoice.id
    WHERE line.type IN ('usage', 'subscription', 'scheduled', 'cpu_conversion')
       OR line.type = 'commit_purchase' AND line.details ->> 'commit_type' = 'PostpaidCommit'
       OR line.type = 'applied_commit_or_credit' AND line.details #>> '{applied_commit_or_credit,type}' = 'CREDIT'
    GROUP BY 1, 2, 3, 4
)
"""

_DRAFTS = """
WITH sold AS MATERIALIZED (
    SELECT each ->> 'unit_id' AS unit_id, each ->> 'product_id' AS product_id, draft.customer_id,
           date_trunc('month', coalesce(draft.starting_at, draft.issued_at), 'UTC') AS month,
           (each ->> 'amount')::numeric AS amount, (each ->> 'by_credits')::numeric AS by_credits,
           (each ->> 'quantity')::numeric AS quantity
    FROM invoicing_draftsummary AS draft CROSS JOIN LATERAL jsonb_array_elements(draft.sold) AS each
)
"""

_SUMMED = """
SELECT sold.unit_id, sold.product_id, sold.customer_id, sold.month, segment,
       sum(amount), sum(by_credits), sum(quantity)
FROM sold
JOIN contracts_customer AS customer ON customer.id = sold.customer_id
CROSS JOIN LATERAL (SELECT coalesce(customer.custom_fields ->> %(segment)s, '') AS segment) AS of_customer
GROUP BY GROUPING SETS ((1, 2, 3), (1, 2, 4, 5))
ORDER BY 1, 2, 3, 4, 5
"""


def sold_on_final(months: Period, *, segment: str) -> list[Sold]:
    """On documents of the months. One query, over all their lines. `segment` is a custom field key of customers."""
    assert months.ending_before is not None
    asked = {"segment": segment, "start": months.starting_at, "end": months.ending_before}
    return list(_read(_FINAL + _SUMMED, asked, is_draft=False))


def sold_on_drafts(*, segment: str) -> list[Sold]:
    """On the open drafts of everybody, as last summarized. One query."""
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
        cursor.execute(statement, asked)
        for unit_id, product_id, customer_id, month, segment, amount, by_credits, quantity in cursor.fetchall():
            yield Sold(
                unit_id=UUID(unit_id),
                product_id=UUID(product_id) if product_id else None,
                amount=amount,
                by_credits=by_credits,
                quantity=quantity,
                is_draft=is_draft,
                customer_id=customer_id,
                month=month,
                segment=segment or "",
            )
