"""What events would do, without doing it: each by itself, so that one bad event hides no other."""

import json
from dataclasses import dataclass
from datetime import datetime

from billing_site.foundation.refusals import FieldError, Refusal
from ledger.models import EventKey
from ledger.queries.verdicts import Explanation, explain
from ledger.services.ingest import BadEvents, Event, read_event
from ledger.services.ingest.calls import Call, Source

MOST_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Trial:
    """`outcome` is ACCEPTED, DUPLICATE, CONFLICT or REFUSED. A refused event has errors, and neither explanation nor
    content."""

    index: int
    customer_id: str
    transaction_id: str
    outcome: str
    errors: tuple[FieldError, ...] = ()
    explanation: Explanation | None = None
    event: Event | None = None


def try_events(body: bytes, *, at: datetime) -> list[Trial]:
    """What each event of a body would do if it were sent at `at`. A single event may come without its array.

    Nothing is written. Raises Refusal where the body is no JSON of events at all.
    """
    texts = _texts_of(body)
    if not 1 <= len(texts) <= MOST_EVENTS:
        raise Refusal.of("body", f"{len(texts)} events", f"must hold 1 to {MOST_EVENTS} events")
    return [_trial(index, text.encode(), at) for index, text in enumerate(texts)]


def try_event(body: bytes, *, at: datetime) -> Trial:
    """`try_events` for a body that has to hold one event, alone or in its array. Raises Refusal."""
    texts = _texts_of(body)
    if len(texts) != 1:
        raise Refusal.of("body", f"{len(texts)} events", "must hold one event")
    return _trial(0, texts[0].encode(), at)


def _trial(index: int, raw: bytes, at: datetime) -> Trial:
    try:
        event = read_event(raw, at=at)
        Call.of([event], at=at, source=Source("dry run"))
    except BadEvents as refusal:
        errors = tuple(
            FieldError(error.field.replace("[0]", f"[{index}]", 1), error.value, error.rule) for error in refusal.errors
        )
        named = _named(raw)
        return Trial(index, named.get("customer_id", ""), named.get("transaction_id", ""), "REFUSED", errors)
    known = EventKey.objects.filter(subject=event.subject, transaction_id=event.transaction_id).first()
    outcome = "ACCEPTED"
    if known is not None:
        outcome = "DUPLICATE" if bytes(known.content_hash) == event.content_hash else "CONFLICT"
    explanation = explain(event.subject, event.event_type, event.timestamp, event.properties)
    return Trial(index, event.subject, event.transaction_id, outcome, (), explanation, event)


def _texts_of(body: bytes) -> list[str]:
    try:
        return _texts(body.decode())
    except (ValueError, RecursionError):  # a body that is not UTF-8 among them
        shown = body[:80].decode(errors="replace")
        raise Refusal.of("body", shown, "must be JSON: an event, or an array of them") from None


_decoder = json.JSONDecoder(parse_int=str, parse_float=str)


def _texts(body: str) -> list[str]:
    """Each event as it was sent: numbers must not be read and written again. Raises ValueError."""
    read, end = _decoder.raw_decode(body, _next(body, 0))
    if _next(body, end) != len(body):
        raise ValueError("Something follows.")
    if isinstance(read, dict):
        return [body]
    if not isinstance(read, list):
        raise ValueError("Neither an object nor an array.")
    texts, place = [], _next(body, 0)
    for _ in read:
        start = _next(body, place + 1)  # behind the bracket or the comma
        _, end = _decoder.raw_decode(body, start)
        texts.append(body[start:end])
        place = _next(body, end)
    return texts


def _next(text: str, place: int) -> int:
    """Where the next thing is that is no space."""
    while place < len(text) and text[place] in " \t\n\r":
        place += 1
    return place


def _named(raw: bytes) -> dict[str, str]:
    try:
        read = json.loads(raw)
    except ValueError:
        return {}
    if not isinstance(read, dict):
        return {}
    return {
        name: str(read[name])[:128].encode(errors="backslashreplace").decode()  # without what cannot be sent
        for name in ("customer_id", "transaction_id")
        if name in read
    }
