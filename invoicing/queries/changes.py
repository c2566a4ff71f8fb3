"""Whether anything has changed of what a customer's page shows, told without computing it."""

import hashlib
from datetime import datetime
from uuid import UUID

from django.db import connection

from billing_site.foundation.periods import floor_hour
from contracts.queries import no_such_customer

# Every verb that moves money or terms moves `money_version`; every price and product has a publication; every event
# that is measured adds to the sums of a day that is not billed yet; an amended one is a correction. The cost is that
# of reading these days.
_STATE = """
WITH subjects AS (SELECT DISTINCT subject FROM contracts_claim WHERE customer_id = %(customer)s),
unbilled AS (
    SELECT min(coalesce(contract.billed_through, contract.starting_at) AT TIME ZONE 'UTC')::date AS since
    FROM contracts_contract contract
    JOIN contracts_contractterms terms
      ON terms.customer_id = contract.customer_id AND terms.contract_id = contract.id
     AND terms.removed_by_edit_id IS NULL
    WHERE contract.customer_id = %(customer)s AND contract.rate_card_id IS NOT NULL
      AND (terms.ending_before IS NULL OR contract.billed_through IS NULL
           OR contract.billed_through < terms.ending_before)
)
SELECT customer.updated_at, customer.money_version, customer.last_edit_number,
       (SELECT max(number) FROM pricing_publication),
       (SELECT array[count(days.count), sum(days.count), sum(days.sum)]
        FROM subjects, unbilled, LATERAL (
            SELECT usage.count, usage.sum FROM ledger_dailyusage usage
            WHERE usage.subject = subjects.subject AND usage.day >= unbilled.since
        ) days),
       (SELECT count(*) FROM subjects JOIN ledger_unreadvalue unread ON unread.subject = subjects.subject),
       (SELECT count(*) FROM subjects JOIN ledger_eventcorrection made ON made.subject = subjects.subject)
FROM contracts_customer customer
WHERE customer.id = %(customer)s
"""


def version_of(customer_id: UUID, *, at: datetime) -> str:
    """A short text that is another one whenever the page would be. One query. Raises NotFound.

    Terms, prices and dates hold from the hour on, so of the time only the hour matters.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STATE, {"customer": customer_id})
        state = cursor.fetchone()
    if state is None:
        raise no_such_customer(customer_id)
    return hashlib.sha256(repr((floor_hour(at), state)).encode()).hexdigest()[:16]
