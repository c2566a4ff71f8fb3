"""The number of a document: given once, when it leaves draft, without gaps."""

from uuid import UUID

from django.db import connection

from billing_site.foundation.ids import uuid7

INVOICES = "INV"

# One statement makes the counter, counts on, and holds its row until the transaction ends: a number that is not
# committed was never given.
COUNT_ON = """
INSERT INTO invoicing_numberseries (id, customer_id, series, last_number) VALUES (%s, %s, %s, 1)
ON CONFLICT (customer_id, series) DO UPDATE SET last_number = invoicing_numberseries.last_number + 1
RETURNING last_number
"""


def next_number(customer_id: UUID, series: str = INVOICES) -> str:
    """The next number of the customer's series: INV-000001. Call it in the transaction that finalizes."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_ON, [uuid7(), customer_id, series])
        return f"{series}-{cursor.fetchone()[0]:06d}"
