"""Taking events back, and saying what they should have said. Both are facts of their own; the event stays as sent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
from django.db import DatabaseError, connection, transaction

from billing_site.foundation.actor import Actor
from billing_site.foundation.periods import format_instant
from billing_site.foundation.refusals import Conflict, FieldError, NotFound, Refusal
from billing_site.foundation.transactions import RETRIED, sqlstate
from ledger.metering import encode
from ledger.models import EventCorrection, EventKey
from ledger.queries.counting import Counting, StoredEvent, corrections_of, stored_events
from ledger.services.folding import READ_ANEW, refold
from ledger.services.ingest.events import FUTURE
from ledger.services.ingest.lateness import late_marks_of_correction
from ledger.services.ingest.reading import BadEvents, read_event
from ledger.services.ingest.transaction import raw_connection
from ledger.services.partitions import kept_since

ATTEMPTS = 5
MAX_REASON = 2_000


class GoneBeyondTheHorizon(Conflict):
    """The event's body is no longer kept, so what it counted for cannot be told any more."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """`is_repeat` says that it had been asked for before, so nothing changed."""

    correction: EventCorrection
    is_repeat: bool


def void_event(transaction_id: str, *, subject: str | None = None, reason: str, at: datetime, by: Actor) -> Corrected:
    """Take an event back: from now on it counts nothing. Voiding it again changes nothing.

    Without `subject` the transaction id must be one subject's alone. Raises NotFound, Conflict where the id is
    ambiguous, GoneBeyondTheHorizon, Refusal.
    """
    return _correct(transaction_id, subject, lambda stored: None, reason=reason, at=at, by=by)


def amend_event(
    transaction_id: str,
    *,
    subject: str | None = None,
    event_type: str | None = None,
    timestamp: str | None = None,
    properties: Mapping[str, Any] | None = None,
    reason: str,
    at: datetime,
    by: Actor,
) -> Corrected:
    """Let an event say something else; what is not given stays. Saying the same again changes nothing.

    The new content keeps the rules of events. Raises as `void_event` does, BadEvents, and Conflict for an event that
    was taken back.
    """
    if event_type is None and timestamp is None and properties is None:
        raise Refusal.of("event_type", None, "is needed unless timestamp or properties are given")

    def amended(stored: StoredEvent) -> StoredEvent:
        sent = {
            "transaction_id": stored.transaction_id,
            "customer_id": stored.subject,
            "event_type": stored.event_type if event_type is None else event_type,
            "timestamp": stored.timestamp.isoformat() if timestamp is None else timestamp,
            "properties": stored.properties if properties is None else properties,
        }
        try:
            event = read_event(encode(sent), at=at)
        except BadEvents as refusal:
            raise Refusal(
                refusal.message, *[FieldError(e.field.removeprefix("[0]."), e.value, e.rule) for e in refusal.errors]
            ) from None
        return replace(
            stored,
            event_type=event.event_type,
            timestamp=event.timestamp,
            properties=dict(event.properties),
            correction=stored.correction + 1,
        )

    return _correct(transaction_id, subject, amended, reason=reason, at=at, by=by)


def _correct(
    transaction_id: str,
    subject: str | None,
    change: Callable[[StoredEvent], StoredEvent | None],
    *,
    reason: str,
    at: datetime,
    by: Actor,
) -> Corrected:
    if not reason.strip() or len(reason) > MAX_REASON or "\0" in reason:
        raise Refusal.of("reason", reason, f"must be text of 1 to {MAX_REASON} characters, without U+0000")
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return _correct_once(transaction_id, subject, change, reason=reason.strip(), at=at, by=by)
        except DatabaseError as error:
            if connection.in_atomic_block or attempt == ATTEMPTS or sqlstate(error) not in RETRIED:
                raise
    raise AssertionError("unreachable")


def _correct_once(
    transaction_id: str,
    subject: str | None,
    change: Callable[[StoredEvent], StoredEvent | None],
    *,
    reason: str,
    at: datetime,
    by: Actor,
) -> Corrected:
    subject = _subject_of(transaction_id, subject)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT received_at FROM ledger_eventkey WHERE subject = %s AND transaction_id = %s FOR UPDATE",
            [subject, transaction_id],
        )
        (received_at,) = cursor.fetchone()
        # No backfill moves, and none begins, until this is committed: each event is counted before or after.
        cursor.execute("LOCK TABLE ledger_metricbackfill IN SHARE MODE")
    own = "WHERE body.subject = %s AND body.transaction_id = %s AND body.received_at = %s"
    stored = next(stored_events(own, [subject, transaction_id, received_at]), None)
    if stored is None:
        raise GoneBeyondTheHorizon.of(
            "transaction_id",
            transaction_id,
            f"was received on {received_at:%Y-%m-%d}, and bodies from before {_horizon()} are no longer kept",
        )
    after = change(stored)
    if stored.is_void:
        last = corrections_of(subject, transaction_id)[-1]
        if after is None:
            return Corrected(last, is_repeat=True)
        raise Conflict.of("transaction_id", transaction_id, "was taken back, and stays so: send it under another id")
    if after is not None and _content(after) == _content(stored):
        made_before = corrections_of(subject, transaction_id)
        if not made_before:
            raise Refusal.of("properties", transaction_id, "must differ from what the event says already")
        return Corrected(made_before[-1], is_repeat=True)
    counting = Counting()
    versions = [one for one in (stored, after) if one is not None]
    _refuse_hours_of_dropped_bodies(versions, counting)
    made = _record(stored, after, reason=reason, at=at, by=by)
    refold(stored, after, counting, at=at)
    if late := late_marks_of_correction(subject, [one.timestamp for one in versions], at=at):
        psycopg.RawCursor(raw_connection()).execute(*late)
    return Corrected(made, is_repeat=False)


def _subject_of(transaction_id: str, subject: str | None) -> str:
    keys = EventKey.objects.filter(transaction_id=transaction_id)
    if subject is not None:
        keys = keys.filter(subject=subject)
    subjects = list(keys.order_by("subject").values_list("subject", flat=True)[:11])
    if not subjects:
        raise NotFound(
            f"There is no event {transaction_id}.",
            FieldError(
                "transaction_id", transaction_id, "there is no such event" + (" of that customer_id" * bool(subject))
            ),
        )
    if len(subjects) > 1:
        listed = ", ".join(subjects[:10]) + (" and others" if len(subjects) > 10 else "")
        raise Conflict.of("transaction_id", transaction_id, f"is ambiguous: name the customer_id, one of {listed}")
    return subjects[0]


def _record(stored: StoredEvent, after: StoredEvent | None, *, reason: str, at: datetime, by: Actor) -> EventCorrection:
    content: list[Any] = [None, None, None]
    if after is not None:
        content = [after.event_type, after.timestamp, encode(after.properties).decode()]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_eventcorrection (subject, transaction_id, number, kind, event_type, timestamp,"
            " properties, reason, created_at, created_by, actor_id, xid)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s, %s, pg_current_xact_id())",
            [
                stored.subject,
                stored.transaction_id,
                stored.correction + 1,
                "VOID" if after is None else "AMEND",
                *content,
                reason,
                at,
                by.label,
                by.id,
            ],
        )
    return corrections_of(stored.subject, stored.transaction_id)[-1]


def _refuse_hours_of_dropped_bodies(versions: Sequence[StoredEvent], counting: Counting) -> None:
    """A maximum or a latest value is read anew from the hour's events, so all of them must be there."""
    since = kept_since()
    if since is None:
        return
    for stored in versions:
        aggregations = {
            metric.aggregation
            for metrics in counting.of(stored).of_type(stored.event_type)
            for metric in metrics
            if metric.wants(stored.properties)
        }
        if aggregations & READ_ANEW and stored.timestamp < since + FUTURE:
            raise GoneBeyondTheHorizon.of(
                "timestamp",
                format_instant(stored.timestamp),
                f"lies in an hour whose other events may be gone: bodies from before {_horizon()} are no longer kept",
            )


def _horizon() -> str:
    since = kept_since()
    return "now" if since is None else f"{since:%Y-%m-%d}"


def _content(stored: StoredEvent) -> tuple[str, datetime, bytes]:
    return stored.event_type, stored.timestamp, encode(stored.properties)
