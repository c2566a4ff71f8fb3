"""The embedded PostgreSQL, as the rest of the site sees it: where it is, and that it runs."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from billing_site.server import cluster, keeper
from billing_site.server.account import Account
from billing_site.server.folder import SOURCES, DataFolder
from billing_site.server.locks import Lock
from billing_site.server.problems import StartProblem

STOPPING_SECONDS = 90.0
STARTING_SECONDS = 300.0

_held: dict[Path, Lock] = {}


def database_url(data_dir: Path) -> str:
    """The address of the embedded database of that data directory, whether it runs or not."""
    sockets = quote(str(DataFolder.at(data_dir).sockets), safe="")
    return f"postgres://{cluster.ROLE}@{sockets}:{cluster.PORT}/{cluster.DATABASE}"


def say(text: str) -> None:
    """Tell the person at the terminal; standard output belongs to the command."""
    print(text, file=sys.stderr, flush=True)


def ensure_running(data_dir: Path, say: Callable[[str], None] = say) -> None:
    """See that the server runs, and keep it running until this process ends or calls `release`.

    Safe to call twice and from many processes at once: one starts it, all use it, the last to end stops it.

    Raises StartProblem.
    """
    folder = DataFolder.at(data_dir)
    folder.create()
    if folder.root not in _held:
        users = Lock(keeper.users_lock(folder))
        if not users.wait_shared(STOPPING_SECONDS):
            raise StartProblem(f"The database of {folder.root} has been stopping for {STOPPING_SECONDS:.0f} s.")
        _held[folder.root] = users
    with Lock(folder.locks / "start") as starting:
        if not starting.wait_exclusive(STARTING_SECONDS):
            raise StartProblem(f"Another process has been starting the database for {STARTING_SECONDS:.0f} s.")
        if not _kept(folder):
            _start(folder, say)


def release(data_dir: Path) -> None:
    """Use the server no longer; return when it has stopped, or at once if others use it."""
    folder = DataFolder.at(data_dir)
    users = _held.pop(folder.root, None)
    if users is None:
        return
    users.release()
    deadline = time.monotonic() + STOPPING_SECONDS
    while time.monotonic() < deadline and Lock(keeper.keeper_lock(folder)).is_held_elsewhere():
        with Lock(keeper.users_lock(folder)) as others:
            # Held shared by others: they go on. Held exclusively: the keeper is stopping. Free: it is about to.
            if others.try_shared() and not others.try_exclusive():
                return
        time.sleep(0.05)


def is_kept(data_dir: Path) -> bool:
    """Whether a keeper looks after the server, restarting it when it dies."""
    return Lock(keeper.keeper_lock(DataFolder.at(data_dir))).is_held_elsewhere()


def _kept(folder: DataFolder) -> bool:
    """Whether a keeper runs and its server answers; waits while it restarts one that died."""
    files = cluster.Cluster(folder, Account("", -1, -1, switches=False))
    deadline = time.monotonic() + STARTING_SECONDS
    while Lock(keeper.keeper_lock(folder)).is_held_elsewhere():
        if files.listening():
            return True
        if time.monotonic() > deadline:
            raise StartProblem(f"The database does not come back; see {folder.postgres_log}.")
        time.sleep(0.05)
    return False


def _start(folder: DataFolder, say: Callable[[str], None]) -> None:
    ear, voice = os.pipe()
    with os.fdopen(ear) as reports:
        with keeper.open_log(folder) as log:
            starter = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "billing_site.server.keeper", str(folder.root), str(voice)],
                pass_fds=(voice,),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=SOURCES,
                start_new_session=True,  # a Ctrl+C at the terminal is for the command, not for the database
            )
        os.close(voice)
        starter.wait()  # the keeper itself has parted from it
        for report in reports:
            kind, _, text = report.strip().partition(" ")
            if kind == "ready":
                return
            if kind == "problem":
                raise StartProblem(text)
            say(text)
    raise StartProblem(f"The database's keeper ended without a word; see {folder.postgres_log}.")
