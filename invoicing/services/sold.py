"""Adding up anew what documents have sold, should the sums ever differ: the database keeps them by itself."""

from uuid import UUID

from django.db import connection


def add_up_anew(customer_id: UUID) -> None:
    """One statement, under the customer's lock: what becomes final meanwhile waits, and is added after it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT add_up_anew_what_is_sold(%s)", [customer_id])
