"""Usage that nobody has claimed, at a glance: for a page that shows it beside much else."""

from dataclasses import dataclass
from datetime import date

from django.db import connection

COUNTED_AT_MOST = 10_000
WALKED_AT_MOST = 5_000

_WALK = """
WITH RECURSIVE walk AS (
    (SELECT subject, 1 AS step FROM ledger_eventkey ORDER BY subject LIMIT 1)
    UNION ALL
    SELECT following.subject, walk.step + 1
    FROM walk, LATERAL (
        SELECT subject FROM ledger_eventkey WHERE subject > walk.subject ORDER BY subject LIMIT 1
    ) following
    WHERE walk.step < %(walked)s
)
"""

# As in `unmatched`, but no event is counted beyond a limit, and the walk ends after a number of subjects that a page
# can wait for. The claims' index has another collation, which therefore is named.
_UNMATCHED = """
SELECT walk.subject,
       (SELECT count(*) FROM (
            SELECT FROM ledger_eventkey WHERE subject = walk.subject LIMIT %(counted)s + 1
        ) counted),
       (SELECT max(day) FROM ledger_dailyusage WHERE subject = walk.subject)
FROM walk
WHERE (
    SELECT claim.customer_id FROM contracts_claim claim
    WHERE claim.subject = walk.subject COLLATE "default" ORDER BY claim.sequence DESC LIMIT 1
) IS NULL  -- as a join it would walk to the end
LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Stranger:
    """`event_count` is exact up to COUNTED_AT_MOST, and one more stands for more. `last_used_on` is the last day on
    which a metric counted something; None where none ever did."""

    subject: str
    event_count: int
    last_used_on: date | None


def strangers(limit: int) -> list[Stranger]:
    """Up to `limit` subjects whose last claim is nobody's, in the order of their names. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_WALK + _UNMATCHED, {"limit": limit, "counted": COUNTED_AT_MOST, "walked": WALKED_AT_MOST})
        return [Stranger(*row) for row in cursor.fetchall()]


# An index by transaction id alone would cost every event that comes in; so subjects are walked, and each is asked.
_WITH_ID = """
SELECT walk.subject FROM walk
WHERE EXISTS (SELECT FROM ledger_eventkey key WHERE key.subject = walk.subject AND key.transaction_id = %(id)s)
LIMIT %(limit)s
"""


def subjects_with_id(transaction_id: str, limit: int) -> list[str]:
    """Subjects that have sent an event with this transaction id, among the first WALKED_AT_MOST of them by name. One
    query."""
    with connection.cursor() as cursor:
        cursor.execute(_WALK + _WITH_ID, {"id": transaction_id, "limit": limit, "walked": WALKED_AT_MOST})
        return [subject for (subject,) in cursor.fetchall()]
