"""The ingest transaction: claim the keys, store the bodies of the keys just claimed, fold exactly those into the days,
record the calls, signal the subjects; commit; answer.

A list of calls goes through one transaction, so that many small calls cost as little as one large one. Every writer
takes the same steps in the same order and sorts the keys of each: event keys, metric set, series, days, then what is
not additive (`marking`), and late marks. READ COMMITTED is enough: a writer relies on nothing but what it has claimed.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from operator import itemgetter
from random import uniform
from weakref import WeakSet

import msgspec
import psycopg
from django.db import OperationalError, connection, transaction
from psycopg.pq import TransactionStatus

from billing_site.foundation.touched import TOUCH_SUBJECTS
from billing_site.foundation.transactions import RETRIED, sqlstate
from ledger.services.ingest import marking, parameters, statements
from ledger.services.ingest.authority import NotTheAuthority, record_refusal, refuse_others
from ledger.services.ingest.binary import InstantArray, teach
from ledger.services.ingest.calls import Call, Entry, Source, sorted_entries
from ledger.services.ingest.events import Event, microseconds_of
from ledger.services.ingest.lateness import late_marks
from ledger.services.ingest.limits import limit_series
from ledger.services.ingest.measuring import measure
from ledger.services.ingest.receipts import Conflict, Content, Receipt, differences
from ledger.services.metrics import known_metrics, look_again
from ledger.services.partitions import ensure_partition

ATTEMPTS = 5
MOST_SERIES_REMEMBERED = 200_000


def ingest_events(events: Sequence[Event], *, at: datetime, source: Source) -> Receipt:
    """Store events and fold them into usage, each exactly once however often it is sent.

    Returns when all of it is durable. Raises BadEvents, and DatabaseError where nothing was stored.
    """
    return ingest_calls([Call.of(events, at=at, source=source)])[0]


def ingest_calls(calls: Sequence[Call]) -> list[Receipt]:
    """One receipt a call; all calls are stored, or none is. Joins the transaction that it is called in, if any.

    Raises BadEvents, NotTheAuthority, DatabaseError.
    """
    for at in {call.at for call in calls}:
        ensure_partition(at)
    if connection.in_atomic_block:
        with transaction.atomic(), connection.wrap_database_errors:
            receipts, remember = _write(raw_connection(), calls, own=False)
        transaction.on_commit(remember)
        return receipts
    for attempt in range(1, ATTEMPTS + 1):
        connection.ensure_connection()  # outside: who asks a server again that is just starting only keeps it from that
        try:
            with connection.wrap_database_errors:
                receipts, remember = _write(raw_connection(), calls, own=True)
        except OperationalError as error:
            _clear_away()
            lost = connection.connection is None  # idempotent, so it does not matter whether it was committed
            if attempt == ATTEMPTS or not (lost or sqlstate(error) in RETRIED):
                raise
            time.sleep(uniform(0, 0.01 * 2**attempt))  # noqa: S311 a back-off, not a secret
        except NotTheAuthority as refusal:
            _clear_away()
            if len(calls) == 1:  # the calls of a joint transaction are tried one by one
                record_refusal(calls[0], refusal)
            raise
        except BaseException:
            _clear_away()
            raise
        else:
            remember()
            return receipts
    raise AssertionError("unreachable")


def _write(raw: psycopg.Connection, calls: Sequence[Call], *, own: bool) -> tuple[list[Receipt], Callable[[], None]]:
    """The receipts, and what to remember once they are committed. An `own` transaction begins and ends here."""
    entries, repeats = sorted_entries(calls)
    claim = psycopg.RawCursor(raw)
    with raw.pipeline():
        if own:
            psycopg.RawCursor(raw).execute("BEGIN", prepare=True)
        claim.execute(statements.CLAIM, parameters.claim(calls, entries), prepare=True)
    rows = claim.fetchall()
    new, *digest, authorities = rows[0][:4]
    if authorities is not None:
        for call in calls:
            refuse_others(call, authorities)
    known = known_metrics()
    if tuple(digest) != known.digest:
        known = look_again()
    measures = known.measures
    for call in calls:
        if call.measured.measures is not measures:
            call.measured = measure(call.events, measures)

    for call in calls:
        limit_series(raw, call.measured, call.events)
    claimed = entries
    if new != len(entries):
        keys = {tuple(row[4:]) for row in rows}
        claimed = [entry for entry in entries if entry[:2] in keys]
    receipts = [Receipt() for _ in calls]
    for entry in claimed:
        receipts[entry[2]].accepted += 1
    if repeats or len(claimed) != len(entries):
        _explain(raw, entries, claimed, repeats, receipts)

    amounts = parameters.folded(calls, claimed)
    marked = marking.marked(calls, claimed)
    used_series = {amount.series for amount in amounts.values()} | marked.series
    metric_of = {made: of.metric_id for call in calls for made, (of, _) in call.measured.new_series.items()}
    new_series = set(metric_of)
    with raw.pipeline():
        run = psycopg.RawCursor(raw).execute
        if claimed and len(claimed) != len(entries):
            run(statements.STORE, parameters.store(calls, claimed), prepare=True)
        if not measures.is_recorded:
            run(statements.METRIC_SET, [measures.id, msgspec.json.encode(measures.metric_ids).decode()])
        for call, receipt in zip(calls, receipts, strict=True):
            run(statements.CALL, parameters.call_row(call, receipt), prepare=True)
        if new_series and (rows_of_series := parameters.series(calls, used_series)):
            run(statements.SERIES, rows_of_series, prepare=True)
        if unread := parameters.unread(calls, claimed):
            run(statements.UNREAD, unread, prepare=True)
        if claimed:
            run(TOUCH_SUBJECTS, parameters.subjects(claimed), prepare=True)
        for fold in parameters.fold_rounds(amounts):
            run(statements.FOLD, fold, prepare=True)
        for statement, rows_of_marks in marked.statements():
            run(statement, rows_of_marks, prepare=True)
        if late := late_marks(calls, claimed):
            run(*late, prepare=True)
        if own:
            run("COMMIT", prepare=True)

    def remember() -> None:
        measures.is_recorded = True
        if not new_series:
            return
        if len(measures.recorded) > MOST_SERIES_REMEMBERED:
            measures.recorded.clear()
        for made in (new_series & used_series) - measures.recorded:
            measures.series_counts[metric_of[made]] += 1
        measures.recorded.update(new_series & used_series)

    return receipts, remember


def _explain(
    raw: psycopg.Connection,
    entries: Sequence[Entry],
    claimed: Sequence[Entry],
    repeats: Sequence[Entry],
    receipts: Sequence[Receipt],
) -> None:
    """Tell repeats from conflicts: the first content under a key is the one that counts."""
    counted = {entry[:2]: entry for entry in claimed}
    unclaimed = [entry for entry in entries if entry[:2] not in counted]
    held: dict[tuple[str, str], tuple[bytes, datetime]] = {}
    if unclaimed:
        rows = psycopg.RawCursor(raw).execute(statements.HELD, parameters.keys(unclaimed)).fetchall()
        held = {(subject, transaction_id): (bytes(found), at) for subject, transaction_id, found, at in rows}
    conflicts: list[Entry] = []
    for entry in (*unclaimed, *repeats):
        first = counted.get(entry[:2])
        content_hash = first[4].content_hash if first else held[entry[:2]][0]
        if entry[4].content_hash == content_hash:
            receipts[entry[2]].duplicates += 1
        else:
            conflicts.append(entry)
    bodies = _stored_contents(raw, [entry for entry in conflicts if entry[:2] not in counted], held)
    for entry in sorted(conflicts, key=itemgetter(2, 3)):
        subject, transaction_id, call, index, event = entry
        first = counted.get(entry[:2])
        content = Content.of(first[4]) if first else bodies.get(entry[:2])
        differs = differences(Content.of(event), content)
        receipts[call].conflicts.append(Conflict(index, transaction_id, subject, differs))


def _stored_contents(
    raw: psycopg.Connection, entries: Sequence[Entry], held: dict[tuple[str, str], tuple[bytes, datetime]]
) -> dict[tuple[str, str], Content]:
    if not entries:
        return {}
    received = InstantArray.of_microseconds([microseconds_of(held[entry[:2]][1]) for entry in entries])
    rows = psycopg.RawCursor(raw).execute(statements.HELD_BODIES, [*parameters.keys(entries), received]).fetchall()
    return {
        (subject, transaction_id): Content.stored(event_type, microseconds_of(timestamp), properties)
        for subject, transaction_id, event_type, timestamp, properties in rows
    }


_taught: WeakSet[psycopg.Connection] = WeakSet()


def raw_connection() -> psycopg.Connection:
    """psycopg's own connection under Django's: for pipelines, prepared statements and parameters in binary."""
    connection.ensure_connection()
    raw = connection.connection
    if raw not in _taught:
        teach(raw)
        _taught.add(raw)
    return raw


def _clear_away() -> None:
    """Leave the connection as it is expected: idle, or none."""
    raw = connection.connection
    if raw is None:
        return
    try:
        if not raw.closed and raw.info.transaction_status != TransactionStatus.IDLE:
            raw.rollback()
    except psycopg.Error:
        raw.close()
    if raw.closed:
        connection.close()
