"""Reading a body of events: one pass of msgspec, then one look at each event. All of them are good, or none is taken.

What is refused is said of every event, by index, field, value and rule (the first hundred times).
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from billing_site.foundation.refusals import FieldError, Refusal, shown
from ledger.services.ingest import diagnosis
from ledger.services.ingest.events import Event, SentEvent, checked, number

MAX_EVENTS = 10_000
MAX_ERRORS = 100

_decoder = msgspec.json.Decoder(list[SentEvent], float_hook=number)


class BadEvents(Refusal):
    """Some event of a call breaks a rule, so none was stored."""

    @classmethod
    def among(cls, errors: Sequence[FieldError], events: int) -> "BadEvents":
        """`errors` of a call of that many events; 0 where they cannot be counted."""
        errors = [FieldError(_printable(error.field), error.value, error.rule) for error in errors]
        first = errors[0]
        bad = len({error.field.partition(".")[0] for error in errors})
        scope = f"{bad} of {events} events broke a rule. " if events else ""
        return cls(
            f"Nothing was stored. {scope}{first.field}: {first.rule} (got {shown(first.value)}).", *errors[:MAX_ERRORS]
        )


def read_events(body: bytes, *, at: datetime) -> list[Event]:
    """The events of a JSON array, in its order. `at` is now: the future is measured from it.

    Raises BadEvents.
    """
    if not body.strip():
        raise BadEvents.among([FieldError("body", "", "must be a JSON array of events")], 0)
    try:
        sent = _decoder.decode(body)
        if not 1 <= len(sent) <= MAX_EVENTS:
            raise BadEvents.among([FieldError("body", f"{len(sent)} events", f"must hold 1 to {MAX_EVENTS} events")], 0)
        events, errors = checked(sent, at=at, simple=body.isascii() and b"\\" not in body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadEvents.among(*diagnosis.refusals(body, str(error), at=at)) from None
    if errors:
        raise BadEvents.among(errors, len(sent))
    return events


def read_event(json: bytes, *, at: datetime) -> Event:
    """One event, for callers that take the good ones and report the others. Raises BadEvents."""
    return read_events(b"[" + json + b"]", at=at)[0]


def _printable(path: str) -> str:
    """A path may hold the name of a property: cut to a readable length, without what cannot be sent."""
    return (path if len(path) <= 200 else f"{path[:199]}…").encode(errors="backslashreplace").decode()
