"""Events in: read a body, then store and fold it in one transaction."""

from ledger.services.ingest.authority import NotTheAuthority
from ledger.services.ingest.calls import Call, Source
from ledger.services.ingest.events import Event
from ledger.services.ingest.reading import BadEvents, read_event, read_events
from ledger.services.ingest.receipts import Conflict, Receipt
from ledger.services.ingest.transaction import ingest_calls, ingest_events

__all__ = [
    "BadEvents",
    "Call",
    "Conflict",
    "Event",
    "NotTheAuthority",
    "Receipt",
    "Source",
    "ingest_calls",
    "ingest_events",
    "read_event",
    "read_events",
]
