"""The events that are measured with: what 1,000 subjects send over 24 hours."""

import json
import os
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

MODELS = ("small", "medium", "large", "xl")
REGIONS = ("eu-central", "us-east", "us-west")
EVENT_TYPE = "completion"

METRICS: tuple[dict[str, Any], ...] = (
    {
        "name": "Tokens",
        "aggregation_type": "SUM",
        "aggregation_key": "tokens",
        "event_type_filter": {"in_values": [EVENT_TYPE]},
        "property_filters": [{"name": "tokens", "exists": True}],
        "group_keys": [["model", "region"]],
    },
    {"name": "Completions", "aggregation_type": "COUNT", "event_type_filter": {"in_values": [EVENT_TYPE]}},
)


@dataclass(frozen=True, slots=True)
class Workload:
    """`events_a_call` events in each batch; subjects, hours and group values are drawn evenly."""

    events_a_call: int = 100
    subjects: int = 1_000
    hours: int = 24
    ends_at: datetime = datetime(2026, 1, 15, tzinfo=UTC)

    def batch(self, source: random.Random) -> list[dict[str, Any]]:
        """Events as they are on the wire. Transaction ids are new and ordered by time, as ours would be."""
        return [
            {
                "transaction_id": str(_time_ordered_id()),
                "customer_id": f"customer-{source.randrange(self.subjects):06d}",
                "event_type": EVENT_TYPE,
                "timestamp": self._instant(source),
                "properties": {
                    "model": source.choice(MODELS),
                    "region": source.choice(REGIONS),
                    "tokens": source.randrange(1, 8_000),
                },
            }
            for _ in range(self.events_a_call)
        ]

    def _instant(self, source: random.Random) -> str:
        milliseconds = source.randrange(self.hours * 3_600_000)
        return (self.ends_at - timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds")


def wire(batch: list[dict[str, Any]]) -> bytes:
    return json.dumps(batch).encode()


def _time_ordered_id() -> UUID:
    """A UUID version 7."""
    milliseconds = time.time_ns() // 1_000_000
    noise = int.from_bytes(os.urandom(10), "big")
    return UUID(int=milliseconds << 80 | 7 << 76 | (noise >> 68 & 0xFFF) << 64 | 2 << 62 | noise & (1 << 62) - 1)
