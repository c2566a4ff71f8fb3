"""What is open on a rate card: usage and fees on drafts of its contracts, as customers were last summarized."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db import connection


@dataclass(frozen=True, slots=True)
class OpenOnCard:
    """Of one product in one unit. Amounts in wire units, before tax; `quantity` as drafts print it."""

    product_id: UUID
    unit_id: UUID
    customers: int
    quantity: Decimal | None
    amount: Decimal


_OPEN = """
SELECT each ->> 'product_id', each ->> 'unit_id', count(DISTINCT draft.customer_id),
       sum((each ->> 'quantity')::numeric), sum((each ->> 'amount')::numeric)
FROM invoicing_draftsummary AS draft
JOIN contracts_contract AS contract ON contract.id = draft.contract_id
CROSS JOIN LATERAL jsonb_array_elements(draft.sold) AS each
WHERE contract.rate_card_id = %s AND draft.kind = 'USAGE' AND each ->> 'product_id' IS NOT NULL
GROUP BY 1, 2
ORDER BY sum((each ->> 'amount')::numeric) DESC, 1, 2
"""


def open_on_card(card_id: UUID) -> list[OpenOnCard]:
    """Where most money is open first. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [card_id])
        return [
            OpenOnCard(UUID(product_id), UUID(unit_id), customers, quantity, amount)
            for product_id, unit_id, customers, quantity, amount in cursor.fetchall()
        ]
