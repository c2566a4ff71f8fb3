"""Asking for work, taking it, doing it, and finding what was lost."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django_q.exceptions import TimeoutException
from django_q.tasks import async_task

from billing_site.foundation import actor, clock
from billing_site.foundation.actor import Actor
from billing_site.foundation.models import Job
from billing_site.foundation.refusals import Refusal

# The only functions that the cluster will call; see broker.py.
RUN = "billing_site.foundation.jobs.run"
TICK = "billing_site.foundation.jobs.tick"

FAILURES_BEFORE_PARKING = 3
LOSSES_BEFORE_PARKING = 10  # a killed process is rarely the job's own fault; but one that takes ten with it may be
BEAT_SECONDS = 5.0
LEASE = timedelta(seconds=25)  # without a heartbeat for so long, whoever ran the job is gone
PATIENCE = timedelta(seconds=60)  # a job that still waits after this is signalled again
SWEPT_AT_ONCE = 500
ERROR_LENGTH = 2000
PROGRESS_LENGTH = 160

Payload = Mapping[str, Any]
Handler = Callable[[Payload, datetime], None]

logger = logging.getLogger(__name__)
_handlers: dict[str, Handler] = {}
_each_minute: list[Callable[[], None]] = []
_at_work: ContextVar[Job | None] = ContextVar("at_work", default=None)


def job(kind: str) -> Callable[[Handler], Handler]:
    """Register the function that does jobs of this kind: `handler(payload, at)`. It must be safe to run twice."""

    def register(handler: Handler) -> Handler:
        if _handlers.setdefault(kind, handler) is not handler:
            raise ValueError(f"Two functions want jobs of kind {kind}.")
        return handler

    return register


def every_minute(function: Callable[[], None]) -> Callable[[], None]:
    """Register what the cluster calls once a minute. It should only look and enqueue."""
    _each_minute.append(function)
    return function


def enqueue(kind: str, key: str, payload: Payload) -> Job:
    """Ask for a job, once per key: where the key is known already, its row is returned and nothing happens.

    Inside a transaction the request lives or dies with it.
    """
    with transaction.atomic():
        row, is_new = _row(kind, key, payload)
        if is_new:
            _signal(row)
    return row


def do_now(kind: str, key: str, payload: Payload, *, at: datetime, patience: float = 120.0) -> Job:
    """Do a job in this process, as of `at`, and return its row afterwards; a parked one is tried again.

    Where another process is at it, wait until that one is done or gone, at most `patience` seconds.
    """
    row, _ = _row(kind, key, payload)
    deadline = time.monotonic() + patience
    while True:
        if row.state == Job.State.FAILED:
            _put_back(row)
        taken = _take(row.pk)
        if taken is not None:
            _do(taken, at)
        row.refresh_from_db()
        if taken is not None or row.state == Job.State.DONE or time.monotonic() > deadline:
            return row
        time.sleep(0.1)


def try_again(row: Job) -> None:
    """Let a parked job be done again. Any other is left alone."""
    with transaction.atomic():
        if _put_back(row):
            _signal(row)


def report(progress: str) -> None:
    """Say how far the job is that is being done here, for whoever looks at it. Nothing where none is."""
    row = _at_work.get()
    if row is not None:
        _ours(row).update(progress=progress[:PROGRESS_LENGTH])


def run(job_id: str) -> str:
    """Do one job, or leave it where it is done, parked, or in other hands. The cluster calls this."""
    row = _take(UUID(job_id))
    if row is None:
        return "left"
    return _do(row, clock.now())


def tick() -> None:
    """What happens every minute. One function's failure stops no other; the first is raised at the end."""
    failures: list[Exception] = []
    for function in (*_each_minute, sweep):
        try:
            function()
        except Exception as failure:
            logger.exception("%s failed", getattr(function, "__qualname__", function))
            failures.append(failure)
    if failures:
        raise failures[0]


def sweep() -> None:
    """Signal jobs again whose message was lost, or whose process is gone."""
    now = clock.wall_time()
    with transaction.atomic():
        lost = (
            Job.objects.select_for_update(skip_locked=True)
            .filter(
                Q(state=Job.State.QUEUED, heartbeat_at__lt=now - PATIENCE)
                | Q(state=Job.State.RUNNING, heartbeat_at__lt=now - LEASE)
            )
            .order_by("created_at", "id")[:SWEPT_AT_ONCE]
        )
        for row in lost:
            if row.state == Job.State.QUEUED:
                row.heartbeat_at = now  # or the next minute would signal it once more
                row.save(update_fields=["heartbeat_at"])
            _signal(row)


def _row(kind: str, key: str, payload: Payload) -> tuple[Job, bool]:
    now = clock.wall_time()
    row = Job(kind=kind, key=key, payload=dict(payload), created_at=now, heartbeat_at=now)
    Job.objects.bulk_create([row], ignore_conflicts=True)
    found = Job.objects.get(kind=kind, key=key)
    return found, found.pk == row.pk


def _signal(row: Job) -> None:
    async_task(RUN, str(row.pk), task_name=str(row)[:100])


def _take(job_id: UUID) -> Job | None:
    """Make the job ours, in a short transaction of its own."""
    with transaction.atomic():
        row = Job.objects.select_for_update(skip_locked=True).filter(pk=job_id).first()
        if row is None or not _is_free(row):
            return None
        row.losses += row.state == Job.State.RUNNING
        if row.losses >= LOSSES_BEFORE_PARKING:
            row.state = Job.State.FAILED
            row.error = f"Its process was lost {row.losses} times. {row.error}".strip()[:ERROR_LENGTH]
            row.save(update_fields=["state", "losses", "error"])
            return None
        row.state = Job.State.RUNNING
        row.attempts += 1
        row.heartbeat_at = clock.wall_time()
        row.save(update_fields=["state", "attempts", "losses", "heartbeat_at"])
    return row


def _is_free(row: Job) -> bool:
    if row.state == Job.State.RUNNING:
        return row.heartbeat_at is None or row.heartbeat_at < clock.wall_time() - LEASE
    return row.state == Job.State.QUEUED


def _do(row: Job, at: datetime) -> str:
    """Run the taken job and write down how it ended. A refusal parks it: trying again would be refused again."""
    known = _at_work.set(row)
    try:
        with _beating(row), actor.acting(Actor.job(row.kind)):
            _handlers[row.kind](row.payload, at)
    except Refusal as refusal:
        logger.warning("%s is parked: %s", row, refusal.message)
        return _settle(row, Job.State.FAILED, refusal.message)
    except Exception as failure:
        logger.exception("%s failed", row)
        return _failed(row, f"{type(failure).__name__}: {failure}")
    except TimeoutException:
        _failed(row, "It took longer than the queue allows.")
        raise  # the cluster ends this process
    finally:
        _at_work.reset(known)
    return _settle(row, Job.State.DONE, "")


def _failed(row: Job, error: str) -> str:
    parked = row.attempts - row.losses >= FAILURES_BEFORE_PARKING
    return _settle(row, Job.State.FAILED if parked else Job.State.QUEUED, error)


def _settle(row: Job, state: str, error: str) -> str:
    _ours(row).update(state=state, error=error[:ERROR_LENGTH], heartbeat_at=clock.wall_time())
    return state.lower()


def _ours(row: Job) -> QuerySet[Job]:
    """The row, where the job is still ours: after a lost heartbeat somebody else may have taken it."""
    return Job.objects.filter(pk=row.pk, state=Job.State.RUNNING, attempts=row.attempts)


def _put_back(row: Job) -> bool:
    return bool(
        Job.objects.filter(pk=row.pk, state=Job.State.FAILED).update(
            state=Job.State.QUEUED, attempts=0, losses=0, heartbeat_at=clock.wall_time()
        )
    )


@contextmanager
def _beating(row: Job) -> Iterator[None]:
    """While the body runs, another thread keeps saying that this process lives."""
    stopped = threading.Event()

    def beat() -> None:
        try:
            while not stopped.wait(BEAT_SECONDS):
                _ours(row).update(heartbeat_at=clock.wall_time())
        except Exception:
            logger.exception("The heartbeat of %s stopped", row)
        finally:
            connection.close()  # this thread's own

    thread = threading.Thread(target=beat, name=f"heartbeat of {row}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
