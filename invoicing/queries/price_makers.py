"""Which overrides make the prices that customers pay, as their latest documents say it."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from billing_site.foundation.periods import Period
from contracts.models import Override
from contracts.override_wording import names_in, override_text


@dataclass(frozen=True, slots=True)
class PriceMaker:
    override_id: UUID
    contract_id: UUID
    text: str  # "50 % off the list price of API calls from 15 October 2025"


_OVERRIDES = """
SELECT DISTINCT pair.customer_id, pair.product_id, part ->> 'override_id'
FROM unnest(%(customers)s::uuid[], %(products)s::uuid[]) AS pair (customer_id, product_id)
CROSS JOIN LATERAL (
    SELECT invoice.id
    FROM invoicing_invoice AS invoice
    WHERE invoice.customer_id = pair.customer_id AND invoice.issued_at >= %(start)s
      AND NOT EXISTS (SELECT FROM invoicing_invoicevoid AS void WHERE void.invoice_id = invoice.id)
      AND EXISTS (
          SELECT FROM invoicing_invoiceline AS line
          WHERE line.customer_id = invoice.customer_id AND line.invoice_id = invoice.id
            AND line.details ->> 'product_id' = pair.product_id::text AND line.type IN ('usage', 'subscription')
      )
    ORDER BY invoice.issued_at DESC, invoice.id
    LIMIT 1
) AS latest
JOIN invoicing_invoiceline AS line ON line.customer_id = pair.customer_id AND line.invoice_id = latest.id
CROSS JOIN LATERAL jsonb_array_elements(line.trace) AS part
WHERE line.details ->> 'product_id' = pair.product_id::text AND part ->> 'override_id' IS NOT NULL
"""


def price_makers(pairs: Collection[tuple[UUID, UUID]], months: Period) -> dict[tuple[UUID, UUID], list[PriceMaker]]:
    """By customer and product, of their latest document since the months began. Five queries, however many pairs."""
    asked = list(pairs)
    if not asked:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            _OVERRIDES,
            {
                "customers": [customer for customer, _ in asked],
                "products": [product for _, product in asked],
                "start": months.starting_at,
            },
        )
        found = [(customer_id, product_id, UUID(override)) for customer_id, product_id, override in cursor.fetchall()]
    overrides = Override.objects.select_related("unit").in_bulk({override for _, _, override in found})
    names = names_in(overrides.values())
    made: dict[tuple[UUID, UUID], list[PriceMaker]] = {}
    for customer_id, product_id, override_id in found:
        override = overrides.get(override_id)
        if override is not None:
            maker = PriceMaker(override_id, override.contract_id, override_text(override, names))
            made.setdefault((customer_id, product_id), []).append(maker)
    return {pair: sorted(makers, key=lambda maker: maker.text) for pair, makers in made.items()}
