"""The keeper: a small process that runs the embedded PostgreSQL for as long as any other process uses it.

Users hold a shared lock while they live, and the kernel drops it however they end. The keeper stops the server once
nobody holds it. So a killed `serve` leaves nothing behind, and commands, tests and `serve` share one server.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import IO, Final

import psutil

from billing_site.server import processes
from billing_site.server.account import database_account, open_programs, open_way
from billing_site.server.cluster import Cluster, programs, reason
from billing_site.server.folder import DataFolder, open_private
from billing_site.server.locks import Lock
from billing_site.server.problems import StartProblem

POLL_SECONDS: Final = 0.2
LONG_LIFE_SECONDS: Final = 30.0
RESTART_PAUSES: Final = (0.0, 0.5, 1.0, 2.0, 5.0)
LOG_BYTES: Final = 20 * 1024 * 1024


class Keeper:
    """Runs the server of one data directory. Use `start` once, then `keep`."""

    def __init__(self, folder: DataFolder, voice: IO[str]) -> None:
        self.folder = folder
        self.voice = voice
        self.users = Lock(users_lock(folder))
        self.stopping = False
        self.server: subprocess.Popen[bytes] | None = None
        self.log: IO[bytes] = open_log(folder)

    def say(self, text: str) -> None:
        self._send(f"say {text}")

    def start(self) -> None:
        """Bring the server up, making the cluster first if there is none.

        Raises StartProblem.
        """
        self.folder.require_space()
        account = database_account(self.folder.cluster, self.folder.root, self.say)
        self.cluster = Cluster(self.folder, account)
        installed = programs().parent
        for part in (installed, installed.parent.with_name(f"{installed.parent.name}.libs")):
            open_programs(account, part, self.say)
        open_way(account, (programs(), self.folder.cluster, self.folder.sockets), self.say)
        self._make_sockets()
        if not self.cluster.exists():
            self.say(f"Making the database in {self.folder.cluster} ...")
            self.cluster.create()
        if self.folder.cluster.stat().st_uid != account.uid:
            account.own(self.folder.cluster)
        self._launch()
        self._send("ready")

    def keep(self) -> None:
        """Restart the server when it dies; return once it is stopped because nobody uses it any more."""
        signal.signal(signal.SIGTERM, self._ask_to_stop)
        failures = 0
        began = time.monotonic()
        while not self.stopping and not self.users.try_exclusive():
            if self.server is not None and self._lives(self.server):
                continue
            code = self.server.returncode if self.server is not None else 1
            self._note(f"The server ended unasked (code {code}).")
            # Killed from outside it may start at once; what fails by itself needs time to be different.
            failed_early = code >= 0 and time.monotonic() - began < LONG_LIFE_SECONDS
            failures = failures + 1 if failed_early else 0
            self._pause(RESTART_PAUSES[min(failures, len(RESTART_PAUSES) - 1)])
            began = time.monotonic()
            try:
                self._launch()
            except (StartProblem, OSError) as problem:
                self._note(str(problem))
        self._stop()

    def _lives(self, server: subprocess.Popen[bytes]) -> bool:
        """Whether it still runs after a while; says no at once when it does not."""
        try:
            server.wait(POLL_SECONDS)
        except subprocess.TimeoutExpired:
            return True
        return False

    def _launch(self) -> None:
        self._clear_leftovers()
        rotate(self.folder.postgres_log)
        written = self.log.seek(0, os.SEEK_END)
        self.server = subprocess.Popen(  # noqa: S603
            self.cluster.command(),
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            cwd=self.cluster.path,
            env=self.cluster.environment(),
            preexec_fn=processes.end_with_parent(signal.SIGINT),  # "fast shutdown"
            **self.cluster.account.popen_options(),
        )
        began = said = time.monotonic()
        while self.cluster.listening() != self.server.pid:
            if self.server.poll() is not None:
                raise StartProblem(
                    f"PostgreSQL did not start: {reason(self._log_since(written))} (log: {self.folder.postgres_log})."
                )
            if time.monotonic() - said > 10:
                said = time.monotonic()
                self.say(f"The database is still starting after {said - began:.0f} s (recovery after a crash?).")
            time.sleep(0.02)

    def _clear_leftovers(self) -> None:
        """End what an earlier server left running: a crash may orphan it, and it would block the new one."""
        stated, _ = self.cluster.stated()
        for with_signal, seconds in ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            left = list(processes.working_in(self.cluster.path, "postgres"))
            if not left:
                break
            if with_signal == signal.SIGINT:  # an orderly end is in the power of the postmaster alone
                left = [process for process in left if process.pid == stated]
            if left:
                self._note(f"Ending {len(left)} processes of an earlier server ({with_signal.name}).")
            for process in left:
                with suppress(psutil.Error):
                    process.send_signal(with_signal)
            psutil.wait_procs(left, timeout=seconds)
        # Nothing works here, so the file is stale; its number may be another program's by now, and would stop us.
        (self.cluster.path / "postmaster.pid").unlink(missing_ok=True)

    def _make_sockets(self) -> None:
        directory = self.folder.sockets
        account = self.cluster.account
        try:
            directory.mkdir(mode=0o700)
        except FileExistsError:
            status = directory.lstat()
            if directory.is_symlink() or status.st_uid not in (0, os.geteuid(), account.uid):
                raise StartProblem(
                    f"{directory} belongs to somebody else: remove it, or name another folder in COUNTINGHOUSE_DATA."
                ) from None
            directory.chmod(0o700)
        account.own(directory)

    def _stop(self) -> None:
        server = self.server
        if server is None:
            return
        for with_signal, seconds in ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
            if server.poll() is not None:
                break
            server.send_signal(with_signal)
            try:
                server.wait(seconds)
            except subprocess.TimeoutExpired:
                self._note(f"The server did not stop within {seconds:.0f} s of {with_signal.name}.")
        if self.folder.root not in self.folder.sockets.parents:
            shutil.rmtree(self.folder.sockets, ignore_errors=True)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.stopping:
            time.sleep(min(POLL_SECONDS, seconds))

    def _log_since(self, offset: int) -> str:
        with self.folder.postgres_log.open("rb") as log:
            log.seek(offset)
            return log.read().decode(errors="replace")

    def _note(self, text: str) -> None:
        self.log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC [keeper {os.getpid()}] {text}\n".encode())
        self.log.flush()

    def _send(self, line: str) -> None:
        with suppress(BrokenPipeError, ValueError):  # whoever asked may be gone; the log has the rest
            self.voice.write(line.replace("\n", " ") + "\n")
            self.voice.flush()

    def _ask_to_stop(self, signum: int, frame: FrameType | None) -> None:
        self.stopping = True


def users_lock(folder: DataFolder) -> Path:
    return folder.locks / "users"


def keeper_lock(folder: DataFolder) -> Path:
    return folder.locks / "keeper"


def open_log(folder: DataFolder) -> IO[bytes]:
    return os.fdopen(open_private(folder.postgres_log, os.O_WRONLY | os.O_APPEND), "ab")


def rotate(log: Path) -> None:
    """Keep one old log, and let the writers go on in the same, emptied file."""
    if log.stat().st_size > LOG_BYTES:
        log.with_suffix(".old.log").write_bytes(log.read_bytes())
        os.truncate(log, 0)


def main(data_dir: str, voice_descriptor: str) -> int:
    """Run by `embedded.ensure_running`, with the descriptor of a pipe on which it reports."""
    if os.fork():
        os._exit(0)  # nobody's child from here on: it outlives the command that happened to start it
    folder = DataFolder.at(Path(data_dir))
    voice = os.fdopen(int(voice_descriptor), "w")
    try:
        alone = Lock(keeper_lock(folder))  # never released: its end is the end of this process
        if not alone.wait_exclusive(seconds=60):
            raise StartProblem(f"Another process keeps the database of {folder.root} and does not answer.")
        keeper = Keeper(folder, voice)
        keeper.start()
        voice.close()
        keeper.keep()
    except (StartProblem, OSError) as problem:
        if not voice.closed:
            voice.write("problem " + " ".join(str(problem).split()) + "\n")
            voice.close()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
