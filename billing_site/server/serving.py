"""The verb behind `manage.py serve`: everything the site needs, as one foreground process."""

import errno
import http.client
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from billing_site.server import embedded
from billing_site.server.balance import open_board
from billing_site.server.folder import DataFolder
from billing_site.server.locks import Lock
from billing_site.server.problems import StartProblem
from billing_site.server.run_file import Mark, Run
from billing_site.server.supervisor import Part, Supervisor, environment

WEB_WORKERS: Final = 2
READY_SECONDS: Final = 120.0
STARTS_BEFORE_GIVING_UP: Final = 4
PORT_SECONDS: Final = 3.0
TICK_SECONDS: Final = 0.1
DATABASE_CHECK_SECONDS: Final = 1.0


class AskedToStop(BaseException):
    """Somebody sent SIGTERM, SIGINT or SIGHUP."""


class Signals:
    """Turns the first signal into AskedToStop, wherever the start has got to, and counts the rest."""

    def __init__(self) -> None:
        self.count = 0

    def install(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._received)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # under nohup it stays ignored
            signal.signal(signal.SIGHUP, self._received)

    def hurried(self) -> bool:
        return self.count > 1

    def _received(self, signum: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count == 1:
            raise AskedToStop


def serve(
    data_dir: Path,
    *,
    host: str,
    port: int,
    own_database: bool,
    probe_host: str,
    prepare: Callable[[], None],
    say: Callable[[str], None] = embedded.say,
) -> None:
    """Run the site until a signal says otherwise; prints one line starting with `ready` when it answers.

    `prepare` is called once the database answers, to bring its schema up to date. `probe_host` is a host name the
    site answers to, for the question whether it does.

    Raises StartProblem when it cannot be started.
    """
    signals = Signals()
    signals.install()
    folder = DataFolder.at(data_dir)
    try:
        folder.create()
        with _alone(folder, say) as crashed, _listening(host, port, PORT_SECONDS if crashed else 0) as listener:
            try:
                if own_database:
                    folder.require_space()
                    embedded.ensure_running(folder.root, say)
                prepare()
                _supervise(folder, listener, host, probe_host, own_database, signals, say)
            finally:
                signals.count = max(signals.count, 1)  # from here on a signal only hurries the end
                if own_database:
                    embedded.release(folder.root)
                folder.run_file.unlink(missing_ok=True)
    except AskedToStop:
        say("Stopped.")


def _supervise(
    folder: DataFolder,
    listener: socket.socket,
    host: str,
    probe_host: str,
    own_database: bool,
    signals: Signals,
    say: Callable[[str], None],
) -> None:
    watched, held = os.pipe()  # the kernel closes `held` when we end, however we do
    address = _address(host, listener.getsockname()[1])
    run = Run(Mark.of("serve", os.getpid()), address)
    program = [sys.executable, "-m"]
    parent = ["--parent", str(watched)]
    board = open_board(folder.root, WEB_WORKERS)
    web = [*program, "billing_site.server.web", "--socket", str(listener.fileno()), "--board", str(board.fileno())]
    descriptors = (listener.fileno(), board.fileno(), watched)
    parts = [Part(f"web-{n + 1}", [*web, "--seat", str(n), *parent], descriptors) for n in range(WEB_WORKERS)]
    for name in ("jobs", "refresher"):
        parts.append(Part(name, [*program, f"billing_site.server.{name}", *parent], (watched,)))

    def note() -> None:
        Run(run.serve, run.address, supervisor.marks()).write(folder.run_file)

    supervisor = Supervisor(parts, environment(str(folder.root)), note, say)
    try:
        _await_answer(supervisor, listener, host, probe_host)
        print(f"ready {address}", flush=True)
        checked = time.monotonic()
        while True:
            supervisor.tend()
            if own_database and time.monotonic() - checked > DATABASE_CHECK_SECONDS:
                _see_to_database(folder, say)
                checked = time.monotonic()
            time.sleep(TICK_SECONDS)
    finally:
        signals.count = max(signals.count, 1)
        supervisor.stop(signals.hurried)
        board.close()
        os.close(watched)
        os.close(held)


def _await_answer(supervisor: Supervisor, listener: socket.socket, host: str, probe_host: str) -> None:
    began = time.monotonic()
    while True:
        supervisor.tend()
        if _answers(host, listener.getsockname()[1], probe_host):
            return
        if min(part.early_failures for part in supervisor.parts[:WEB_WORKERS]) >= STARTS_BEFORE_GIVING_UP:
            raise StartProblem("The web workers end as soon as they start; the lines above say why.")
        if time.monotonic() - began > READY_SECONDS:
            raise StartProblem(f"The site has not answered GET /livez for {READY_SECONDS:.0f} s; see the lines above.")
        time.sleep(TICK_SECONDS)


def _answers(host: str, port: int, probe_host: str) -> bool:
    reachable = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    connection = http.client.HTTPConnection(reachable, port, timeout=1)
    try:
        connection.request("GET", "/livez", headers={"Host": probe_host})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _see_to_database(folder: DataFolder, say: Callable[[str], None]) -> None:
    """The keeper restarts PostgreSQL; here somebody restarts the keeper."""
    if not embedded.is_kept(folder.root):
        try:
            embedded.ensure_running(folder.root, say)
        except StartProblem as problem:
            say(str(problem))


@contextmanager
def _alone(folder: DataFolder, say: Callable[[str], None]) -> Iterator[bool]:
    """Hold the folder for this run; yields whether the one before ended without tidying up."""
    with Lock(folder.locks / "serve") as lock:
        last = Run.read(folder.run_file)
        if not lock.try_exclusive():
            where = f" (process {last.serve.pid}, {last.address})" if last else ""
            raise StartProblem(
                f"Another `serve`{where} already runs on {folder.root}: stop it, or name another folder in "
                "COUNTINGHOUSE_DATA."
            )
        if last and (ended := last.end_leftovers()):
            say(f"Ended what an earlier `serve` left running: {', '.join(ended)}.")
        yield last is not None


@contextmanager
def _listening(host: str, port: int, patience: float) -> Iterator[socket.socket]:
    """The listening socket; the leftovers of a crashed run may hold the port for a moment longer."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline = time.monotonic() + patience
    while True:
        try:
            listener = socket.create_server((host, port), family=family, backlog=1024)
            break
        except OverflowError:
            raise StartProblem(f"{port} is not a port: choose one from 1 to 65535, or 0 for a free one.") from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(TICK_SECONDS)
                continue
            raise StartProblem(_why_not(host, port, error)) from error
    with listener:
        yield listener


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use by another program: stop it, or choose another one with --port."
    if error.errno == errno.EACCES:
        return f"Port {port} needs root: choose one above 1023 with --port."
    return f"{host}:{port} cannot be listened on: {error.strerror}. Choose with --host and --port."


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
