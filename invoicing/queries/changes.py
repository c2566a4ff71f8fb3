"""Whether anything has changed of what a customer's page shows, told without computing it."""

import hashlib
from datetime import datetime
from uuid import UUID

from django.db import connection

from billing_site.foundation.periods import floor_hour
from contracts.queries import no_such_customer

# Every verb that moves money or terms moves `money_version`; every price and product has a publication; every event
# that is measured adds to a day, or to a unique value, that is not billed yet, and a level to its month; a correction
# is a fact of its own; who sells, tax rates and tax codes have a history. The cost is that of reading these days and
# values, which is less than computing with them.
_STATE = """
WITH subjects AS (SELECT DISTINCT subject FROM contracts_claim WHERE customer_id = %(customer)s),
unbilled AS (
    SELECT least(%(since)s, date_trunc('day', min(coalesce(contract.billed_through, contract.starting_at)), 'UTC'))
           AS since
    FROM contracts_contract contract
    JOIN contracts_contractterms terms
      ON terms.customer_id = contract.customer_id AND terms.contract_id = contract.id
     AND terms.removed_by_edit_id IS NULL
    WHERE contract.customer_id = %(customer)s AND contract.rate_card_id IS NOT NULL
      AND (terms.ending_before IS NULL OR contract.billed_through IS NULL
           OR contract.billed_through < terms.ending_before)
)
SELECT (SELECT array[count(*), sum(levels.level_seconds)]
        FROM subjects JOIN ledger_carriedlevel levels ON levels.subject = subjects.subject),
       customer.updated_at, customer.money_version, customer.last_edit_number,
       (SELECT max(number) FROM pricing_publication),
       (SELECT array[(SELECT count(*) FROM contracts_historicallegalentity),
                     (SELECT count(*) FROM contracts_historicaltaxrate),
                     (SELECT count(*) FROM contracts_historicalproducttaxcode)]),
       (SELECT array[count(days.count), sum(days.count), sum(days.sum)]
        FROM subjects, unbilled, LATERAL (
            SELECT usage.count, usage.sum FROM ledger_dailyusage usage
            WHERE usage.subject = subjects.subject AND usage.day >= (unbilled.since AT TIME ZONE 'UTC')::date
        ) days),
       (SELECT array[count(*), sum(uniques.occurrences)]
        FROM subjects, unbilled, LATERAL (
            SELECT found.occurrences FROM ledger_uniquevalue found
            WHERE found.subject = subjects.subject AND found.hour >= unbilled.since
        ) uniques),
       (SELECT count(*) FROM subjects JOIN ledger_eventcorrection made ON made.subject = subjects.subject),
       (SELECT count(*) FROM subjects JOIN ledger_unreadvalue unread ON unread.subject = subjects.subject),
       (SELECT count(*) FROM ledger_metricbackfill WHERE finished_at IS NULL)
FROM contracts_customer customer
WHERE customer.id = %(customer)s
"""


def version_of(customer_id: UUID, *, at: datetime, since: datetime | None = None) -> str:
    """A short text that is another one whenever the page would be. One query. Raises NotFound.

    `since` is from when on the page shows usage, where that may be billed already.

    Terms, prices and dates hold from the hour on, so of the time only the hour matters. Levels are billed for as long
    as they last, up to now: a page that shows them is another one every minute.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STATE, {"customer": customer_id, "since": since})
        state = cursor.fetchone()
    if state is None:
        raise no_such_customer(customer_id)
    (levels, _), *_ = state
    when = at.replace(second=0, microsecond=0) if levels else floor_hour(at)
    return hashlib.sha256(repr((when, state)).encode()).hexdigest()[:16]
