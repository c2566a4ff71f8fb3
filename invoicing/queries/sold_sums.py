"""Whether what is kept of each month's sales (`SoldInMonth`) still is what the lines of documents come to."""

from uuid import UUID

from django.db import connection

_DIFFER = """
WITH said AS (
    SELECT sold.customer_id, sold.month, sold.unit_id, sold.product_id, sum(sold.amount) AS amount,
           sum(sold.by_credits) AS by_credits, coalesce(sum(sold.quantity), 0) AS quantity, count(*) AS line_count,
           count(sold.quantity) AS quantity_count
    FROM invoicing_soldbyline AS sold
    WHERE NOT EXISTS (SELECT FROM invoicing_invoicevoid AS void WHERE void.invoice_id = sold.invoice_id)
    GROUP BY sold.customer_id, sold.month, sold.unit_id, sold.product_id
), held AS (
    SELECT customer_id, month, unit_id, product_id, amount, by_credits, quantity, line_count, quantity_count
    FROM invoicing_soldinmonth
)
SELECT DISTINCT customer_id
FROM ((TABLE said EXCEPT TABLE held) UNION ALL (TABLE held EXCEPT TABLE said)) AS differing
ORDER BY customer_id
"""


def customers_whose_sums_differ() -> list[UUID]:
    """One query, over all lines of all documents."""
    with connection.cursor() as cursor:
        cursor.execute(_DIFFER)
        return [customer_id for (customer_id,) in cursor.fetchall()]
