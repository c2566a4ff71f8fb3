"""Signals of what was touched, from whoever writes to whoever keeps what is derived from it.

A signal is inserted by the transaction that changes something, one row for each thing it touches. As the transaction's
own number is in the key, no two writers ever wait for each other, and a signal is seen exactly when the change is. So
none can be consumed too early: who takes the signals that a snapshot shows, and computes in that snapshot, has missed
nothing.
"""

from collections.abc import Collection
from uuid import UUID

from django.db import connection

from billing_site.foundation.models import Touched

SUBJECT, CUSTOMER, PUBLICATION = Touched.Kind.SUBJECT, Touched.Kind.CUSTOMER, Touched.Kind.PUBLICATION

# The numbered form is for psycopg's own cursor (see ingest), the other one for Django's.
INSERT = """
INSERT INTO foundation_touched (kind, key, transaction)
SELECT {}, key, pg_current_xact_id() FROM unnest({}::text[]) AS touched (key)
ON CONFLICT DO NOTHING
"""
TOUCH_SUBJECTS = INSERT.format("'SUBJECT'", "$1")

_TAKE = """
DELETE FROM foundation_touched
WHERE (kind, key, transaction) IN (
    SELECT kind, key, transaction FROM foundation_touched WHERE kind = ANY(%s) LIMIT %s FOR UPDATE SKIP LOCKED
)
RETURNING kind, key
"""


def touch(kind: Touched.Kind, keys: Collection[object]) -> None:
    """Signal that the running transaction has changed these."""
    if keys:
        with connection.cursor() as cursor:
            cursor.execute(INSERT.format("%s", "%s"), [kind.value, sorted(str(key) for key in keys)])


def take(kinds: Collection[Touched.Kind], *, limit: int) -> set[tuple[str, str]]:
    """Take up to `limit` signals away, as pairs of kind and key. They come back where the transaction fails."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [[kind.value for kind in kinds], limit])
        return set(cursor.fetchall())


def take_customer(customer_id: UUID) -> int:
    """Take all signals of one customer that the transaction's snapshot shows, and say how many there were."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM foundation_touched WHERE kind = 'CUSTOMER' AND key = %s", [str(customer_id)])
        return cursor.rowcount


def touched_customers(*, limit: int) -> list[UUID]:
    """Customers that a signal waits for."""
    keys = Touched.objects.filter(kind=CUSTOMER).order_by("key").values_list("key", flat=True).distinct()
    return [UUID(key) for key in keys[:limit]]
