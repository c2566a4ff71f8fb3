"""A load client that keeps a journal of its own: what was sent, and what was acknowledged.

Each writer sends batches of new events to few subjects in hostile order, and between them old batches again: shuffled,
in parts, mixed with new ones. Some answers are dropped on purpose: the request goes out, the connection is closed. A
batch without a good answer is sent again until it has one.
"""

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

EVENT_TYPE = "completion"
SUBJECTS = tuple(f"hot-{number}" for number in range(6))
START = datetime(2025, 10, 1, tzinfo=UTC)
MINUTES = 40 * 24 * 60
PATIENCE = 60.0  # seconds for which a batch is sent again

Key = tuple[str, str]


@dataclass(slots=True)
class Journal:
    """What every writer sent. `acknowledged` are the keys of batches that were answered with 200."""

    sent: dict[Key, int] = field(default_factory=dict)  # how much each event counts
    acknowledged: set[Key] = field(default_factory=set)
    statuses: Counter[str] = field(default_factory=Counter)
    dropped_answers: int = 0
    gaps: list[float] = field(default_factory=list)  # seconds between good answers of all writers, the longer ones
    last_good: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def good(self, batch: Sequence[dict[str, Any]]) -> None:
        with self.lock:
            now = time.monotonic()
            if now - self.last_good > 0.5:
                self.gaps.append(now - self.last_good)
            self.last_good = now
            self.acknowledged.update((event["customer_id"], event["transaction_id"]) for event in batch)
            self.statuses["200"] += 1

    def count(self, what: str) -> None:
        with self.lock:
            self.statuses[what] += 1


class Writer(threading.Thread):
    def __init__(self, number: int, seed: int, address: tuple[str, int], token: str, journal: Journal) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.random = random.Random(f"{seed}-{number}")
        self.address = address
        self.token = token
        self.journal = journal
        self.stopping = threading.Event()
        self.batches: list[list[dict[str, Any]]] = []
        self.failure: BaseException | None = None
        self.made = 0

    def run(self) -> None:
        try:
            while not self.stopping.is_set():
                self._send(self._next())
        except BaseException as failure:
            self.failure = failure

    def _next(self) -> list[dict[str, Any]]:
        source = self.random
        if self.batches and source.random() < 0.35:  # stale, shuffled, in part, and mixed with new ones
            again = list(source.choice(self.batches))
            source.shuffle(again)
            return again[: source.randrange(1, len(again) + 1)] + self._new(source.randrange(3))
        batch = self._new(source.choice([1, 1, 5, 40, 200]))
        self.batches.append(batch)
        del self.batches[:-50]
        return batch

    def _new(self, size: int) -> list[dict[str, Any]]:
        source = self.random
        batch = []
        for _ in range(size):
            self.made += 1
            tokens = source.randrange(1, 1_000)
            instant = START + timedelta(minutes=source.randrange(MINUTES))
            subject = source.choice(SUBJECTS)
            event = {
                "customer_id": subject,
                "transaction_id": f"{source.randrange(1 << 32):08x}-{self.number}-{self.made}",
                "event_type": EVENT_TYPE,
                "timestamp": instant.isoformat(),
                "properties": {
                    "model": source.choice(["small", "xl"]),
                    "region": source.choice(["eu", "us"]),
                    "tokens": tokens if tokens % 2 else str(tokens),
                },
            }
            with self.journal.lock:
                self.journal.sent[subject, event["transaction_id"]] = tokens
            batch.append(event)
        source.shuffle(batch)
        return batch

    def _send(self, batch: list[dict[str, Any]]) -> None:
        body = json.dumps(batch).encode()
        deadline = time.monotonic() + PATIENCE
        while True:
            if self.random.random() < 0.05:
                self._send_and_leave(body)
            status = self._post(body)
            if status == 200:
                self.journal.good(batch)
                return
            self.journal.count(str(status or "no answer"))
            if status is not None and status < 500 and status != 429:
                raise AssertionError(f"A good batch was answered with {status}.")
            if time.monotonic() > deadline:
                raise AssertionError(f"No good answer within {PATIENCE} s.")
            time.sleep(0.1)

    def _post(self, body: bytes) -> int | None:
        connection = http.client.HTTPConnection(*self.address, timeout=15)
        try:
            connection.request("POST", "/v1/ingest", body, self._headers())
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except OSError:
            return None
        except http.client.HTTPException:
            return None
        finally:
            connection.close()

    def _send_and_leave(self, body: bytes) -> None:
        connection = http.client.HTTPConnection(*self.address, timeout=15)
        try:
            connection.request("POST", "/v1/ingest", body, self._headers())
        except (OSError, http.client.HTTPException):
            pass
        else:
            with self.journal.lock:
                self.journal.dropped_answers += 1
        finally:
            connection.close()

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
