"""Keeps the parts of the site running: starts them, restarts what dies, stops all of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from billing_site.server import processes
from billing_site.server.folder import SOURCES
from billing_site.server.run_file import Mark

LONG_LIFE_SECONDS: Final = 30.0
RESTART_PAUSES: Final = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
STOP_SECONDS: Final = 20.0

Say = Callable[[str], None]


@dataclass(slots=True)
class Part:
    """One program that shall run for as long as the site does; it leads a process group of its own."""

    name: str
    command: Sequence[str]
    descriptors: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    early_failures: int = 0
    due: float = 0.0  # when to start it (again), on the monotonic clock


class Supervisor:
    """Runs the parts from the thread that made it; that thread's end is the parts' end."""

    def __init__(
        self, parts: Sequence[Part], environment: dict[str, str], changed: Callable[[], None], say: Say
    ) -> None:
        self.parts = parts
        self.environment = environment
        self.changed = changed
        self.say = say

    def tend(self) -> None:
        """Start what shall run and does not. Call it several times a second."""
        for part in self.parts:
            if part.process is not None and part.process.poll() is not None:
                self._bury(part)
            if part.process is None and time.monotonic() >= part.due:
                self._start(part)
                self.changed()
        processes.reap_strangers({part.process.pid for part in self.parts if part.process})

    def marks(self) -> list[Mark]:
        return [Mark.of(part.name, part.process.pid) for part in self.parts if part.process]

    def stop(self, hurried: Callable[[], bool]) -> None:
        """Ask every part to end, and end by force what has not after STOP_SECONDS, or when `hurried` says so."""
        running = [part.process for part in self.parts if part.process]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while any(process.poll() is None for process in running):
            if time.monotonic() > deadline or hurried():
                break
            time.sleep(0.02)
        for process in running:
            processes.end_group(process.pid)
            process.wait()

    def _start(self, part: Part) -> None:
        part.started = time.monotonic()
        part.process = subprocess.Popen(  # noqa: S603
            part.command,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),  # standard output is for the line that says ready
            pass_fds=part.descriptors,
            cwd=SOURCES,
            env=self.environment,
            start_new_session=True,  # Ctrl+C reaches serve alone, and what a part forks can be found
            preexec_fn=processes.end_with_parent(signal.SIGKILL),
        )

    def _bury(self, part: Part) -> None:
        assert part.process is not None
        processes.end_group(part.process.pid)
        lived = time.monotonic() - part.started
        # Killed from outside it may start at once; what fails by itself needs time to be different.
        failed_early = part.process.returncode >= 0 and lived < LONG_LIFE_SECONDS
        part.early_failures = part.early_failures + 1 if failed_early else 0
        part.due = time.monotonic() + RESTART_PAUSES[min(part.early_failures, len(RESTART_PAUSES) - 1)]
        self.say(f"{part.name} ended ({_ending(part.process.returncode)}); it is started again.")
        part.process = None


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def environment(data_root: str) -> dict[str, str]:
    """The parts' environment: ours, with a data directory that does not depend on where we were started."""
    return os.environ | {"COUNTINGHOUSE_DATA": data_root}
