"""Whether all of some usage is counted."""

from collections.abc import Collection
from uuid import UUID

from django.db import connection

from billing_site.foundation.periods import Period

# One statement, put together here: every draft asks, and to have Django put two together took it as long as to price an
# hour of fifty series.
_IS_UNREAD = """
SELECT EXISTS (
    SELECT FROM ledger_unreadvalue
    WHERE subject = ANY(%s) AND metric_id = ANY(%s) AND hour >= %s AND hour < %s
) OR EXISTS (
    SELECT FROM ledger_metricbackfill WHERE metric_id = ANY(%s) AND finished_at IS NULL
)
"""


def is_any_unread(subjects: Collection[str], metric_ids: Collection[UUID], period: Period) -> bool:
    """Whether a metric cannot read some value of the closed period, or is itself still being measured back."""
    metrics = list(metric_ids)
    with connection.cursor() as cursor:
        cursor.execute(_IS_UNREAD, [list(subjects), metrics, period.starting_at, period.ending_before, metrics])
        return bool(cursor.fetchone()[0])
