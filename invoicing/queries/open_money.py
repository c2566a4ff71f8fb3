"""What is not billed yet, not earned yet and promised, by currency, as customers were last summarized.

    unbilled   what open drafts come to before tax; true-ups are not among them: they are what is committed
    deferred   what final documents asked for prepaid commits that still have access, as far as they are not drawn
    committed  what is left of the minimums of postpaid commits that are not over
    given      what is left of credits, which nobody has paid for

What drafts draw counts as drawn. A prepaid commit that cost less than it gives is deferred at what it cost.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

ZERO = Decimal(0)


@dataclass(slots=True)
class OpenMoney:
    """Amounts of one unit, in its wire units. `unit_id` None: units of what is sold, as some balances count."""

    unit_id: UUID | None
    unbilled_usage: Decimal = field(default=ZERO)
    unbilled_charges: Decimal = field(default=ZERO)
    deferred: Decimal = field(default=ZERO)
    committed: Decimal = field(default=ZERO)
    given: Decimal = field(default=ZERO)


_DRAFTS = """
SELECT unit_id, coalesce(sum(total) FILTER (WHERE kind IN ('USAGE', 'ADJUSTMENT')), 0),
       coalesce(sum(total) FILTER (WHERE kind NOT IN ('USAGE', 'ADJUSTMENT', 'TRUE_UP')), 0)
FROM invoicing_draftsummary GROUP BY unit_id
"""

_LEFT = """
SELECT unit_id, coalesce(sum(greatest(amount - used, 0)) FILTER (WHERE type = 'POSTPAID'), 0),
       coalesce(sum(greatest(amount - used, 0)) FILTER (WHERE type = 'CREDIT'), 0)
FROM invoicing_commitmentsummary GROUP BY unit_id
"""

_DEFERRED = """
WITH paid AS (
    SELECT line.details ->> 'commit_id' AS commit_id, invoice.unit_id, sum(line.total) AS total
    FROM invoicing_invoiceline AS line
    JOIN invoicing_invoice AS invoice ON invoice.id = line.invoice_id
    WHERE line.type = 'commit_purchase'
      AND NOT EXISTS (SELECT FROM invoicing_invoicevoid AS void WHERE void.invoice_id = invoice.id)
    GROUP BY 1, 2
)
SELECT paid.unit_id, sum(round(paid.total * greatest(held.amount - held.used, 0) / held.amount, 12))
FROM invoicing_commitmentsummary AS held
JOIN paid ON paid.commit_id = held.id::text
WHERE held.type = 'PREPAID' AND held.amount > 0
GROUP BY paid.unit_id
"""


def open_money() -> list[OpenMoney]:
    """Three queries."""
    found: dict[UUID | None, OpenMoney] = {}

    def of(unit_id: UUID | None) -> OpenMoney:
        return found.setdefault(unit_id, OpenMoney(unit_id))

    for unit_id, usage, charges in _rows(_DRAFTS):
        of(unit_id).unbilled_usage, of(unit_id).unbilled_charges = usage, charges
    for unit_id, committed, given in _rows(_LEFT):
        of(unit_id).committed, of(unit_id).given = committed, given
    for unit_id, deferred in _rows(_DEFERRED):
        of(unit_id).deferred = deferred
    return list(found.values())


def _rows(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())
