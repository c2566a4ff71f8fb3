"""When documents of late usage fall due, of contracts that are over: told from the marks of what came in late.

No date of the terms tells of them. As long as something came in that the contract's last usage document, or its last
document of late usage, did not see, one may be due whenever the grace of a billing period is over that ends after the
contract does. The same holds for a last period that nobody had used in time: it has no document, and had its day.

A mark says that something of an hour changed, whatever it was. Whether that comes to anything is for the engine to say.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from billing_site.foundation.periods import boundaries

# One row for each contract: the subjects' marks are looked at within its time, from the last document on. A level that
# changed before carries over into it.
_OVER = """
SELECT contract.customer_id, contract.billing_anchor_at, contract.frequency, terms.grace_hours,
       greatest(terms.ending_before, last.issued_at)
FROM contracts_contract contract
JOIN contracts_contractterms terms
  ON terms.customer_id = contract.customer_id AND terms.contract_id = contract.id AND terms.removed_by_edit_id IS NULL
LEFT JOIN LATERAL (
    SELECT document.snapshot, CASE document.kind WHEN 'ADJUSTMENT' THEN document.issued_at END AS issued_at
    FROM invoicing_invoice document
    WHERE document.customer_id = contract.customer_id AND document.contract_id = contract.id
      AND document.kind IN ('USAGE', 'ADJUSTMENT')
      AND NOT EXISTS (SELECT FROM invoicing_invoicevoid void WHERE void.invoice_id = document.id)
    ORDER BY document.finalized_at DESC, document.money_version DESC NULLS LAST
    LIMIT 1
) last ON true
WHERE contract.archived_at IS NULL AND contract.rate_card_id IS NOT NULL AND terms.ending_before < %(until)s
  AND terms.ending_before > coalesce(contract.invoicing_starts_at, contract.starting_at)
  AND EXISTS (
    SELECT FROM contracts_claim claim
    JOIN ledger_latemark mark ON mark.subject = claim.subject AND mark.hour < terms.ending_before
    WHERE claim.customer_id = contract.customer_id
      AND (last.snapshot IS NULL OR NOT pg_visible_in_snapshot(mark.xid, last.snapshot::pg_snapshot))
      AND (mark.hour >= coalesce(contract.invoicing_starts_at, contract.starting_at) OR EXISTS (
        SELECT FROM ledger_carriedlevel level
        WHERE level.subject = mark.subject AND level.month = date_trunc('month', mark.hour, 'UTC')::date
      ))
  )
ORDER BY contract.customer_id, contract.id
"""


def late_usage_due(until: datetime) -> Iterator[tuple[datetime, UUID]]:
    """Each instant up to `until` at which a document of late usage may fall due, with the customer. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_OVER, {"until": until})
        over = cursor.fetchall()
    for customer_id, anchor, frequency, grace_hours, last in over:
        for issued_at in boundaries(anchor, frequency, after=last):
            instant = issued_at + timedelta(hours=grace_hours)
            if instant > until:
                break
            yield instant, customer_id
