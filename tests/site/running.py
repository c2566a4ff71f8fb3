"""Running the site as a person would: a real `manage.py serve`, real signals, real sockets."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from billing_site.server.locks import Lock

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60.0
KEPT_OUT = {"DATABASE_URL", "PYTHONDONTWRITEBYTECODE"}


def until(condition: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """What `condition` returns once it is true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}"
        time.sleep(0.1)
    return result


def environment(data: Path, **more: str) -> dict[str, str]:
    """Bytecode is kept, also where Python is told not to: a site is half a dozen processes with the same modules."""
    ours = {name: value for name, value in os.environ.items() if name not in KEPT_OUT}
    return ours | {"COUNTINGHOUSE_DATA": str(data), "PYTHONPATH": str(ROOT)} | more


def manage(data: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a short command to its end."""
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(
        command, env=environment(data, **more), capture_output=True, text=True, timeout=SECONDS, check=False
    )


def migrated(factory: pytest.TempPathFactory, name: str) -> Path:
    """A data folder of its own, with a database that is migrated: a copy of one that a run makes once, as migrating
    takes longer than most of what is tried on it. An empty folder is what the tests of the demo begin with."""
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    shared = factory.getbasetemp().parent if is_worker else factory.getbasetemp()
    pattern = shared / "migrated"
    with Lock(shared / "migrated.lock") as making:
        assert making.wait_exclusive(5 * SECONDS)
        if not (pattern / "is_made").exists():
            made = manage(pattern, "migrate", "--verbosity", "0")
            assert made.returncode == 0, made.stderr
            until(lambda: not postmaster(pattern))  # who copies a database that is stopping copies half of it
            (pattern / "is_made").touch()
    data = factory.mktemp(name) / "data"
    data.mkdir()
    # With its owner, who is not who runs the tests where that is root.
    subprocess.run(["cp", "-a", str(pattern / "postgres"), str(data / "postgres")], check=True)
    return data


def processes() -> dict[int, tuple[int, str]]:
    """Process group and command line of every process of the machine that is not a zombie."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,pgid=,stat=,args="], capture_output=True, text=True, check=True
    ).stdout
    found = {}
    for line in listed.splitlines():
        pid, group, state, command = line.split(maxsplit=3)
        if not state.startswith("Z"):
            found[int(pid)] = (int(group), command)
    return found


def postmaster(data: Path) -> int:
    """The process id that the embedded database's lock file states; 0 without one."""
    try:
        return int((data / "postgres/postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, IndexError):
        return 0


class Site:
    """One `manage.py serve` on a free port."""

    def __init__(self, data: Path, *arguments: str, **more: str) -> None:
        self.data = data
        self.errors = (data.parent / f"{data.name}.stderr").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "serve", *(arguments or ("--port", "0"))],
            env=environment(data, **more),
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        self.address = ""

    def await_ready(self) -> None:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready http://"), f"{line!r}, and on stderr: {self.said()}"
        self.address = line.split()[1]

    def said(self) -> str:
        return Path(self.errors.name).read_text()

    def noted(self) -> dict[str, int]:
        """Process ids by the name of the part, and the embedded database's (0 while there is none)."""
        run = json.loads((self.data / "serve.json").read_text())
        pids = {part["name"]: part["pid"] for part in run["parts"]}
        return pids | {"postgres": postmaster(self.data)}

    def get(self, path: str, seconds: float = 10.0) -> tuple[int, dict[str, Any]]:
        try:
            with urllib.request.urlopen(self.address + path, timeout=seconds) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, json.load(refusal)

    def answers(self, path: str) -> bool:
        try:
            return self.get(path)[0] == 200
        except OSError:
            return False

    def send(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        try:
            return self.process.wait(SECONDS)
        finally:
            self.rest = self.process.stdout.read() if self.process.stdout else ""

    def close(self) -> None:
        if self.process.poll() is None:
            self.send(signal.SIGTERM)
        if self.process.stdout:
            self.process.stdout.close()
        self.errors.close()


@contextmanager
def serving(data: Path, *arguments: str, **more: str) -> Iterator[Site]:
    """A site that has said ready."""
    site = Site(data, *arguments, **more)
    try:
        site.await_ready()
        yield site
    finally:
        site.close()


def left_running(data: Path, groups: set[int]) -> dict[int, str]:
    """Processes that name the data directory or belong to one of the groups."""
    return left_of(groups) | {
        pid: command for pid, (_, command) in processes().items() if pid != os.getpid() and str(data) in command
    }


def left_of(groups: set[int]) -> dict[int, str]:
    """Processes that belong to one of the groups."""
    return {pid: command for pid, (group, command) in processes().items() if pid != os.getpid() and group in groups}
