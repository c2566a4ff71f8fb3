"""The one clock. In a sandbox it can be frozen and moved by hand, so that a year end can be tried on a Tuesday.

Read it in entry points (views, admin, tasks, commands) and pass the instant down as `at`. A request or job reads
it once: `frozen_for_this_run` holds what was read. Sessions, tokens and the job queue keep wall time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings


@dataclass(slots=True)
class _Run:
    instant: datetime | None = None


_run: ContextVar[_Run | None] = ContextVar("clock", default=None)


def now() -> datetime:
    """The business time: the test clock where one is set in a sandbox, else the wall clock. Aware, in UTC."""
    run = _run.get()
    if run is None:
        return _look()
    if run.instant is None:
        run.instant = _look()
    return run.instant


@contextmanager
def frozen_for_this_run() -> Iterator[None]:
    """Inside, every `now()` gives the same instant, read when it is first asked for."""
    token = _run.set(_run.get() or _Run())
    try:
        yield
    finally:
        _run.reset(token)


def wall_time() -> datetime:
    """What the machine says, for whatever is not business."""
    return datetime.now(UTC)


def was_moved_from(at: datetime) -> bool:
    """Whether a test clock says something else by now, in the eyes of the transaction that asks."""
    test_clock = _test_clock()
    return test_clock is not None and test_clock != at


def _look() -> datetime:
    return _test_clock() or wall_time()


def _test_clock() -> datetime | None:
    if not settings.SANDBOX:
        return None
    from billing_site.foundation.models import TestClock  # the models' history stamps need this module first

    return TestClock.objects.values_list("instant", flat=True).first()
