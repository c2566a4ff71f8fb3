"""Which combinations of group values occur in usage."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

Seen = tuple[str | None, ...]  # a value for each of the keys, in their order; None where an event had none


def combinations_seen(metric_id: UUID, keys: Sequence[str], *, limit: int) -> list[Seen]:
    """Up to `limit` combinations that some event was measured with, of whichever customer. One query.

    It reads the dictionary of the metric's series, which holds every combination that ever occurred.
    """
    columns = ", ".join(["values ->> %s::text"] * len(keys))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT {columns} FROM ledger_series WHERE metric_id = %s LIMIT %s", [*keys, metric_id, limit]
        )
        return [tuple(row) for row in cursor.fetchall()]
