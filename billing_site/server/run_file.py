"""What a running `serve` writes down about itself, for the next one and for `readyz`."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from billing_site.server import processes
from billing_site.server.folder import open_private

CLOCK_SLACK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A process, told from a later one with the same number by when it started."""

    name: str
    pid: int
    started: float

    @classmethod
    def of(cls, name: str, pid: int) -> "Mark":
        try:
            return cls(name, pid, psutil.Process(pid).create_time())
        except psutil.Error:
            return cls(name, pid, 0.0)

    def is_alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < CLOCK_SLACK_SECONDS
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False


@dataclass(frozen=True, slots=True)
class Run:
    """One run of `serve`: itself, its address, its parts (each the leader of a process group)."""

    serve: Mark
    address: str
    parts: list[Mark] = field(default_factory=list)

    def write(self, path: Path) -> None:
        draft = path.with_suffix(".new")
        with os.fdopen(open_private(draft, os.O_WRONLY | os.O_TRUNC), "w") as file:
            json.dump(asdict(self), file)
        draft.replace(path)

    @classmethod
    def read(cls, path: Path) -> "Run | None":
        """The last run that was not stopped in an orderly way, if there is a readable note of one."""
        try:
            noted = json.loads(path.read_text())
            return cls(Mark(**noted["serve"]), noted["address"], [Mark(**part) for part in noted["parts"]])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def end_leftovers(self) -> list[str]:
        """Kill the parts that outlived their `serve`; returns their names."""
        left = [part for part in self.parts if part.is_alive()]
        for part in left:
            processes.end_group(part.pid)
        return [part.name for part in left]
