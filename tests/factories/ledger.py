"""Usage events on the wire, and posting them. A test states everything that matters to it."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from ledger.services.ingest import Receipt, Source, ingest_events, read_events

NOON = datetime(2025, 10, 1, 12, tzinfo=UTC)


def event(transaction_id: str | None = None, /, **changes: Any) -> dict[str, Any]:
    """An API call of acme's at noon, under an id of its own; properties are those given by `properties`."""
    return {
        "transaction_id": str(uuid4()) if transaction_id is None else transaction_id,
        "customer_id": "acme",
        "event_type": "api_call",
        "timestamp": NOON.isoformat(),
        "properties": {},
    } | changes


def body(events: Iterable[Mapping[str, Any]]) -> bytes:
    return json.dumps(list(events)).encode()


def post(*events: Mapping[str, Any], at: datetime = NOON + timedelta(hours=1), source: str = "tests") -> Receipt:
    """Store events as one call, by way of the service: what they are on the wire is read as from there."""
    return ingest_events(read_events(body(events), at=at), at=at, source=Source(source))
