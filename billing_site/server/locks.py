"""Locks between processes that the kernel drops with their holder, however it ends."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from billing_site.server.folder import open_private


class Lock:
    """An flock on a file, held from `try_…` or `wait_…` until `release` or the end of the process.

    Files are private to the user and never deleted, so that every process locks the same one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def try_shared(self) -> bool:
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        return self._try(fcntl.LOCK_EX)

    def wait_shared(self, seconds: float) -> bool:
        return self._wait(fcntl.LOCK_SH, seconds)

    def wait_exclusive(self, seconds: float) -> bool:
        return self._wait(fcntl.LOCK_EX, seconds)

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def is_held_elsewhere(self) -> bool:
        """Whether another process holds it exclusively."""
        probe = Lock(self.path)
        with probe:
            return not probe.try_shared()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _try(self, mode: int) -> bool:
        if self._descriptor is None:
            self._descriptor = open_private(self.path, os.O_RDWR)
        try:
            fcntl.flock(self._descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            return False
        return True

    def _wait(self, mode: int, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not self._try(mode):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True
