"""What a caller is told of its events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ledger.services.ingest.events import Event, number

_decode = msgspec.json.Decoder(float_hook=number).decode


@dataclass(frozen=True, slots=True)
class Conflict:
    """An event whose transaction id its subject has used before, with other content. It was not stored."""

    index: int  # in the call
    transaction_id: str
    customer_id: str
    differs: tuple[str, ...]  # fields and properties, as in "timestamp" or "properties.tokens"


@dataclass(slots=True)
class Receipt:
    """Every event of a call is one of the three."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: list[Conflict] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Content:
    """What makes a repeat a repeat."""

    event_type: str
    microseconds: int
    properties: Mapping[str, Any]

    @classmethod
    def of(cls, event: Event) -> "Content":
        return cls(event.event_type, event.microseconds, event.properties)

    @classmethod
    def stored(cls, event_type: str, microseconds: int, properties: str) -> "Content":
        return cls(event_type, microseconds, _decode(properties))


def differences(sent: Content, held: Content | None) -> tuple[str, ...]:
    """Where two events differ that go by one id. None: the stored body is not kept any more."""
    if held is None:
        return ("content",)
    found = []
    if sent.event_type != held.event_type:
        found.append("event_type")
    if sent.microseconds != held.microseconds:
        found.append("timestamp")
    names = sorted(sent.properties.keys() | held.properties.keys())
    absent = object()
    found += [
        f"properties.{name}"
        for name in names
        if _spelled(sent.properties.get(name, absent)) != _spelled(held.properties.get(name, absent))
    ]
    return tuple(found)


def _spelled(value: Any) -> Any:
    """For Python 1 equals True; for JSON it does not."""
    return (type(value), value) if isinstance(value, (bool, int)) else value
