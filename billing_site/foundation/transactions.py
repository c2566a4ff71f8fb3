"""The two shapes of transaction: a read that sees one instant, and a write that is retried whole.

Both are REPEATABLE READ. Inside another transaction they join it: its isolation was chosen by whoever began it.
"""

import functools
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, connection, transaction

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS = 12
# serialization_failure, deadlock_detected, and the connection errors that leave nothing behind
RETRIED = {"40001", "40P01"}

_sees_committed_alone: ContextVar[bool] = ContextVar("sees_committed_alone", default=False)


@contextmanager
def read_snapshot(*, with_temporary_tables: bool = False) -> Iterator[None]:
    """Everything read inside comes from one instant of the database, so nobody sees half of an edit.

    PostgreSQL makes no table for who may only read, not even a temporary one: who needs those says so, and calls
    `read_only` once they are made.
    """
    if sees_committed_alone():
        yield
        return
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if not outermost:
            yield
            return
        with connection.cursor() as cursor:
            mode = "" if with_temporary_tables else ", READ ONLY"
            cursor.execute(f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ{mode}")
        known = _sees_committed_alone.set(True)
        try:
            yield
        finally:
            _sees_committed_alone.reset(known)


def read_only() -> None:
    """Let nothing be written any more, up to the end of the transaction or savepoint."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")


@contextmanager
def committed_terms_and_prices() -> Iterator[None]:
    """What a verb reads within is remembered as in a `read_snapshot`: whoever says so has written neither terms nor
    prices. In a transaction that somebody else began, who may have, this changes nothing."""
    # Whatever joins another transaction does so by a savepoint.
    known = _sees_committed_alone.set(sees_committed_alone() or not connection.savepoint_ids)
    try:
        yield
    finally:
        _sees_committed_alone.reset(known)


def sees_committed_alone() -> bool:
    """Whether all terms and prices that are read here were committed: the transaction is a `read_snapshot`, and has
    written nothing; or a verb that says that it writes none of these."""
    return _sees_committed_alone.get()


def repeatable_read(write: Callable[P, R]) -> Callable[P, R]:
    """Run `write` in one REPEATABLE READ transaction, again from the start where a concurrent twin was first.

    Raises the last serialization failure after twelve tries.
    """

    @functools.wraps(write)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            with transaction.atomic():
                return write(*args, **kwargs)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction.atomic():
                    with connection.cursor() as cursor:
                        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                    return write(*args, **kwargs)
            except DatabaseError as error:
                if sqlstate(error) not in RETRIED or attempt == ATTEMPTS:
                    raise
                time.sleep(random.uniform(0, 0.002 * 2 ** min(attempt, 7)))  # noqa: S311 a back-off, not a secret
        raise AssertionError("unreachable")

    return run


def sqlstate(error: BaseException) -> str:
    """The five-character code of a database error, or an empty string."""
    return getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None) or ""
