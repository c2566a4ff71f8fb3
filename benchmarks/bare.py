"""The yardstick: the same batches into the key and body tables by psycopg alone, without roll-ups and without HTTP.

Every form does what it is good at: rows are converted to parameters beforehand in Python's sense (lists of values),
statements are prepared, and each batch is one durable transaction.
"""

import json
import multiprocessing as mp
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.types.json import Jsonb

from benchmarks.workload import Workload

Batch = tuple[list[list[Any]], list[list[Any]]]  # columns of keys, columns of bodies

UNNEST = """
WITH keys AS (
    INSERT INTO ledger_eventkey (subject, transaction_id, content_hash, received_at)
    SELECT * FROM unnest(%b::text[], %b::text[], %b::bytea[], %b::timestamptz[])
    ON CONFLICT DO NOTHING
)
INSERT INTO ledger_eventbody (subject, transaction_id, received_at, event_type, timestamp, properties, call_id)
SELECT subject, transaction_id, received_at, event_type, timestamp, properties::jsonb, call_id
FROM unnest(%b::text[], %b::text[], %b::timestamptz[], %b::text[], %b::timestamptz[], %b::text[], %b::uuid[])
AS sent (subject, transaction_id, received_at, event_type, timestamp, properties, call_id)
"""
KEY_COLUMNS = "ledger_eventkey (subject, transaction_id, content_hash, received_at)"
BODY_COLUMNS = "ledger_eventbody (subject, transaction_id, received_at, event_type, timestamp, properties, call_id)"


def by_unnest(connection: psycopg.Connection, batch: Batch) -> None:
    keys, bodies = batch
    connection.execute(UNNEST, [*keys, *bodies], prepare=True, binary=True)


def by_copy(connection: psycopg.Connection, batch: Batch) -> None:
    """Without ON CONFLICT: what COPY cannot do is not held against it."""
    keys, bodies = batch
    with connection.transaction(), connection.cursor() as cursor:
        with cursor.copy(f"COPY {KEY_COLUMNS} FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["text", "text", "bytea", "timestamptz"])
            for row in zip(*keys, strict=True):
                copy.write_row(row)
        with cursor.copy(f"COPY {BODY_COLUMNS} FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["text", "text", "timestamptz", "text", "timestamptz", "jsonb", "uuid"])
            for row in zip(*bodies, strict=True):
                copy.write_row((*row[:5], Jsonb(row[5], dumps=str), row[6]))


def by_executemany(connection: psycopg.Connection, batch: Batch) -> None:
    keys, bodies = batch
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {KEY_COLUMNS} VALUES (%b, %b, %b, %b) ON CONFLICT DO NOTHING", list(zip(*keys, strict=True))
        )
        cursor.executemany(
            f"INSERT INTO {BODY_COLUMNS} VALUES (%b, %b, %b, %b, %b, %b::text::jsonb, %b)",
            list(zip(*bodies, strict=True)),
        )


FORMS: dict[str, Callable[[psycopg.Connection, Batch], None]] = {
    "unnest": by_unnest,
    "copy": by_copy,
    "executemany": by_executemany,
}


@dataclass(frozen=True, slots=True)
class Measured:
    form: str
    connections: int
    events_a_second: float


def measure(form: str, connections: int, workload: Workload, database_url: str, *, seconds: float) -> Measured:
    """How many events a second that many connections store, each a process of its own."""
    context = mp.get_context("spawn")
    ready, go, results = context.Barrier(connections + 1), context.Event(), context.SimpleQueue()
    processes = [
        context.Process(target=_work, args=(form, seed, workload, database_url, seconds, ready, go, results))
        for seed in range(connections)
    ]
    for process in processes:
        process.start()
    ready.wait()
    go.set()
    outcomes = [results.get() for _ in processes]
    for process in processes:
        process.join()
    events = sum(batches for batches, _, _ in outcomes) * workload.events_a_call
    began, ended = min(outcome[1] for outcome in outcomes), max(outcome[2] for outcome in outcomes)
    return Measured(form, connections, events / (ended - began))


def _work(
    form: str, seed: int, workload: Workload, database_url: str, seconds: float, ready: Any, go: Any, results: Any
) -> None:
    source = random.Random(seed)
    # More than can be stored in that time: 1,500 calls a second of up to 100 events, 150,000 events in larger ones.
    count = min(int(seconds * 1_500), int(seconds * 150_000 / workload.events_a_call) + 4)
    batches = [prepared(workload.batch(source)) for _ in range(count)]
    run = FORMS[form]
    with psycopg.connect(database_url, autocommit=True) as connection:
        for batch in batches[:3]:
            run(connection, batch)
        ready.wait()
        go.wait()
        began = time.monotonic()
        done = 0
        for batch in batches[3:]:
            run(connection, batch)
            done += 1
            if time.monotonic() - began >= seconds:
                break
        results.put((done, began, time.monotonic()))


def prepared(batch: Sequence[dict[str, Any]]) -> Batch:
    now = datetime.now(UTC)
    rows = sorted(batch, key=lambda event: (event["customer_id"], event["transaction_id"]))
    subjects = [event["customer_id"] for event in rows]
    ids = [event["transaction_id"] for event in rows]
    properties = [json.dumps(event["properties"], separators=(",", ":")) for event in rows]
    received, call = [now] * len(rows), [uuid4()] * len(rows)
    hashes = [blake2b(text.encode(), digest_size=16).digest() for text in properties]
    types = [event["event_type"] for event in rows]
    instants = [datetime.fromisoformat(event["timestamp"]) for event in rows]
    return [subjects, ids, hashes, received], [subjects, ids, received, types, instants, properties, call]
