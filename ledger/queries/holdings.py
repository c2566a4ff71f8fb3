"""Who owned which subject over which hours, for many customers or many subjects at once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from contracts.terms import ClaimWindow


@dataclass(frozen=True, slots=True)
class Holding:
    """`customer_id` owns `subject` over these hours; since ever or for ever where an end is None."""

    subject: str
    customer_id: UUID
    starting_at: datetime | None
    ending_before: datetime | None

    def covers(self, instant: datetime) -> bool:
        return (self.starting_at is None or self.starting_at <= instant) and (
            self.ending_before is None or instant < self.ending_before
        )


# A claim holds from its start up to the earliest start of a later one. A start of NULL is since ever.
_HOLDINGS = """
WITH held AS (
    SELECT claim.subject, claim.customer_id, claim.starting_at,
           min(coalesce(claim.starting_at, '-infinity'))
             OVER (PARTITION BY claim.subject ORDER BY claim.sequence
                   ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS ending_before
    FROM contracts_claim claim
    WHERE claim.subject = ANY(%s)
       OR claim.subject IN (SELECT subject FROM contracts_claim WHERE customer_id = ANY(%s))
)
SELECT subject, customer_id, starting_at, ending_before
FROM held
WHERE customer_id IS NOT NULL
  AND (ending_before IS NULL OR coalesce(starting_at, '-infinity') < ending_before)
ORDER BY subject, starting_at NULLS FIRST
"""


def holdings(*, subjects: Collection[str] = (), customer_ids: Collection[UUID] = ()) -> list[Holding]:
    """Every holding of these subjects, and of all subjects that these customers ever claimed. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLDINGS, [list(subjects), list(customer_ids)])
        return [Holding(*row) for row in cursor.fetchall()]


def claims_of(customer_ids: Collection[UUID]) -> dict[UUID, list[ClaimWindow]]:
    """The hours over which subjects are each customer's; the same as `contracts.queries.claim_windows`, in one
    query for all of them."""
    claims: dict[UUID, list[ClaimWindow]] = {customer_id: [] for customer_id in customer_ids}
    for held in holdings(customer_ids=customer_ids):
        if held.customer_id in claims:
            claims[held.customer_id].append(ClaimWindow(held.subject, held.starting_at, held.ending_before))
    return claims
