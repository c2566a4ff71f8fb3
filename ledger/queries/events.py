"""Raw events, looked up by the id that their sender gave them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from ledger.queries.holdings import holdings

# The keys are indexed by (subject, transaction id) and by nothing else: an index on the transaction id alone costs
# ingest a sixth to a third of its speed, while PostgreSQL 18 finds one id among a thousand subjects in 6 ms by
# skipping from subject to subject.
_EVENTS = """
SELECT key.subject, key.transaction_id, body.event_type, body.timestamp, body.properties, key.received_at
FROM ledger_eventkey key
JOIN ledger_eventbody body
  ON body.subject = key.subject AND body.transaction_id = key.transaction_id AND body.received_at = key.received_at
WHERE key.transaction_id = ANY(%(ids)s) AND (%(everyone)s OR key.subject = ANY(%(subjects)s))
ORDER BY array_position(%(ids)s::text[], key.transaction_id), key.subject
"""


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """An event as it was sent, and who owned its subject at its time."""

    subject: str
    transaction_id: str
    event_type: str
    timestamp: datetime
    properties: Mapping[str, Any]
    received_at: datetime
    customer_id: UUID | None


def find_events(transaction_ids: Sequence[str], *, customer_id: UUID | None = None) -> list[FoundEvent]:
    """The events with these transaction ids, of all subjects, in the order of the ids; those of one customer alone
    where `customer_id` is given. At most three queries.

    An event is found while its body is kept.
    """
    subjects = []
    if customer_id is not None:
        subjects = list({held.subject for held in holdings(customer_ids=[customer_id])})
    parameters: dict[str, Any] = {"ids": list(transaction_ids), "everyone": customer_id is None, "subjects": subjects}
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, parameters)
        rows = cursor.fetchall()
    owners = holdings(subjects={row[0] for row in rows})
    found = []
    for subject, transaction_id, event_type, timestamp, properties, received_at in rows:
        owner = next((held.customer_id for held in owners if held.subject == subject and held.covers(timestamp)), None)
        if customer_id is None or owner == customer_id:
            values = json.loads(properties, parse_float=Decimal)
            found.append(FoundEvent(subject, transaction_id, event_type, timestamp, values, received_at, owner))
    return found
