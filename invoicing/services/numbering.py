"""The number of a document: given once, when it leaves draft, without gaps.

    the legal entity says     the number         counted for
    nothing, or PER_CUSTOMER  INV-000001         each customer
    PER_LEGAL_ENTITY, DE      DE-INV-000001      all customers together

Another prefix begins at 1; who returns to one goes on where it was left. Numbers that were given stay as they are.

Order of locks: the customer first, at the beginning of every money transaction; the number last. Two finalizers of
different customers go beside one another up to here; then the second waits until the first has committed or failed.
Whoever holds a number takes no further lock, but perhaps a number of another series, in the order of their names.

A customer's counter is a row that is counted on: nobody else is in that customer's books. A counter row for all
customers would not do. In a REPEATABLE READ transaction an UPDATE of a row that changed since the transaction began is
a serialization failure, so each finalizer would throw away its whole computation as soon as anybody else was faster.
So the numbers given are rows, and a new one is inserted:

    the greatest seen + 1 is     then
    not there                    it is ours; until we commit others wait for it
    being inserted by another    wait; it is committed (the next line), or was rolled back (the line above)
    committed meanwhile          try the next

A number is tried only once the one before is committed, so none is missing; the unique constraint gives none twice.
"""

from uuid import UUID

from django.db import connection

from billing_site.foundation.ids import uuid7
from contracts.models import LegalEntity

INVOICES = "INV"
CREDIT_NOTES = "CN"
DEBIT_NOTES = "DN"
HISTORICAL = "HIST"  # numbers of what was invoiced elsewhere, so that ours have no gaps by it

# One statement makes the counter, counts on, and holds its row until the transaction ends: a number that is not
# committed was never given.
COUNT_ON = """
INSERT INTO invoicing_numberseries (id, customer_id, series, last_number) VALUES (%s, %s, %s, 1)
ON CONFLICT (customer_id, series) DO UPDATE SET last_number = invoicing_numberseries.last_number + 1
RETURNING last_number
"""


def next_number(customer_id: UUID, entity: LegalEntity | None, series: str = INVOICES) -> str:
    """The next number of a series, as the legal entity has it. Call it last in the transaction that finalizes."""
    with connection.cursor() as cursor:
        if entity is None or entity.numbering == LegalEntity.Numbering.PER_CUSTOMER:
            prefix = ""
            cursor.execute(COUNT_ON, [uuid7(), customer_id, series])
        else:
            prefix = f"{entity.number_prefix}-"
            cursor.execute(
                "SELECT give_entity_number(%s, %s, %s, %s)", [uuid7(), entity.number_prefix, series, customer_id]
            )
        return f"{prefix}{series}-{cursor.fetchone()[0]:06d}"
