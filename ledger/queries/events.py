"""Raw events, looked up by the id that their sender gave them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from ledger.queries.counting import Counting, StoredEvent, stored_events
from ledger.queries.holdings import holdings
from pricing.models import BillableMetric

# The keys are indexed by (subject, transaction id) and by nothing else: an index on the transaction id alone costs
# ingest a sixth to a third of its speed, while PostgreSQL 18 finds one id among a thousand subjects in 6 ms by
# skipping from subject to subject.
MOST_AHEAD = timedelta(hours=24)  # by which an event's time may lie after its receipt

_BY_ID = """
WHERE (body.subject, body.transaction_id, body.received_at) IN (
    SELECT key.subject, key.transaction_id, key.received_at FROM ledger_eventkey key
    WHERE key.transaction_id = ANY(%(ids)s) AND (%(everyone)s OR key.subject = ANY(%(subjects)s))
)
ORDER BY array_position(%(ids)s::text[], body.transaction_id), body.subject
"""


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """An event as it counts now, who owned its subject at its time, and the metrics that it was counted for."""

    subject: str
    transaction_id: str
    event_type: str
    timestamp: datetime
    properties: Mapping[str, Any]
    received_at: datetime
    customer_id: UUID | None
    metrics: tuple[BillableMetric, ...]
    correction: int = 0  # how often it was corrected
    is_void: bool = False


def find_events(transaction_ids: Sequence[str], *, customer_id: UUID | None = None) -> list[FoundEvent]:
    """The events with these transaction ids, of all subjects, in the order of the ids; those of one customer alone
    where `customer_id` is given. At most six queries.

    An event is found while its body is kept.
    """
    subjects = []
    if customer_id is not None:
        subjects = list({held.subject for held in holdings(customer_ids=[customer_id])})
    parameters: dict[str, Any] = {"ids": list(transaction_ids), "everyone": customer_id is None, "subjects": subjects}
    rows = list(stored_events(_BY_ID, parameters))
    if not rows:
        return []
    owners = holdings(subjects={row.subject for row in rows})
    counting = Counting({row.metric_set_id for row in rows})
    found = []
    for row in rows:
        owner = next(
            (held.customer_id for held in owners if held.subject == row.subject and held.covers(row.timestamp)), None
        )
        if customer_id is None or owner == customer_id:
            wanting = () if row.is_void else counting.of(row).wanting(row.event_type, row.properties)
            found.append(
                FoundEvent(
                    row.subject,
                    row.transaction_id,
                    row.event_type,
                    row.timestamp,
                    row.properties,
                    row.received_at,
                    owner,
                    tuple(counting.metrics[metric_id] for metric_id in wanting),
                    row.correction,
                    row.is_void,
                )
            )
    return found


# Through the index of blocks by time (`ledger_eventbody_by_time`): see docs/ledger.md for what it costs and saves.
_BY_TIME = """
WHERE body.subject = %(subject)s AND body.received_at >= %(received_from)s
  AND body.timestamp >= %(start)s AND body.timestamp < %(end)s
ORDER BY body.timestamp, body.transaction_id LIMIT %(limit)s
"""


def events_of_subject(subject: str, *, starting_at: datetime, ending_before: datetime, limit: int) -> list[StoredEvent]:
    """The events of a subject that were sent with a time within these bounds, the earliest first, as they count now."""
    bounds = {"start": starting_at, "end": ending_before, "received_from": starting_at - MOST_AHEAD, "limit": limit}
    return list(stored_events(_BY_TIME, bounds | {"subject": subject}))


_WITH_ID = """
WHERE (body.subject, body.transaction_id, body.received_at) IN (
    SELECT key.subject, key.transaction_id, key.received_at FROM ledger_eventkey key
    WHERE key.transaction_id = %(id)s AND (%(subject)s::text IS NULL OR key.subject = %(subject)s)
    LIMIT %(limit)s
)
ORDER BY body.subject
"""


def events_with_id(transaction_id: str, *, subject: str | None, limit: int) -> list[StoredEvent]:
    """The events with this transaction id, of one subject or of all, as they count now."""
    return list(stored_events(_WITH_ID, {"id": transaction_id, "subject": subject, "limit": limit}))
