"""Which source may send which event type. Every ingest transaction asks for a digest of what is declared, and reads it
anew when that is not what this process knows; so a declaration holds from the next call on."""

from dataclasses import dataclass
from datetime import datetime

from billing_site.foundation.refusals import FieldError, Forbidden
from ledger.models import RefusedCall, SourceAuthority
from ledger.services.ingest.calls import Call


class NotTheAuthority(Forbidden):
    """Another source is the authority for an event type. Nothing of the call was stored."""

    def __init__(self, message: str, *errors: FieldError, event_type: str, authority: str) -> None:
        super().__init__(message, *errors)
        self.event_type = event_type
        self.authority = authority


@dataclass(frozen=True, slots=True)
class _Declared:
    event_type: str
    source: str
    starting_at: datetime
    ending_before: datetime | None


_known: tuple[int, tuple[_Declared, ...]] = (0, ())


def refuse_others(call: Call, digest: int) -> None:
    """Raises NotTheAuthority where the call has events of a type that another source has to send."""
    for declared in _declared(digest):
        if (
            declared.event_type in call.event_types
            and declared.source != call.source.name
            and declared.starting_at <= call.at
            and (declared.ending_before is None or call.at < declared.ending_before)
        ):
            error = FieldError("event_type", declared.event_type, f"is sent by {declared.source} alone")
            raise NotTheAuthority(
                f"Nothing was stored. Events of type {declared.event_type} count from {declared.source} alone, "
                f"and this token's source is {call.source.name}.",
                error,
                event_type=declared.event_type,
                authority=declared.source,
            )


def record_refusal(call: Call, refusal: NotTheAuthority) -> None:
    RefusedCall.objects.create(
        source=call.source.name,
        token_id=call.source.token_id,
        event_type=refusal.event_type,
        authority=refusal.authority,
        events=call.event_types[refusal.event_type],
        refused_at=call.at,
    )


def _declared(digest: int) -> tuple[_Declared, ...]:
    global _known
    if _known[0] != digest:
        rows = SourceAuthority.objects.values_list("event_type", "source", "starting_at", "ending_before")
        _known = digest, tuple(_Declared(*row) for row in rows)
    return _known[1]
