"""Who the database runs as. PostgreSQL refuses to run as root, so root lends it an unprivileged account."""

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from billing_site.server.problems import StartProblem

OWN_ACCOUNT = "countinghouse"
FALLBACK_ACCOUNTS = (OWN_ACCOUNT, "postgres")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Account:
    """An operating-system account for the database; `switches` says that it is not the one we run as."""

    name: str
    uid: int
    gid: int
    switches: bool

    def popen_options(self) -> dict[str, Any]:
        """What subprocess needs to run a program as this account."""
        if not self.switches:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Make the account the owner of `path` and of everything below."""
        if not self.switches:
            return
        os.chown(path, self.uid, self.gid, follow_symlinks=False)
        for directory, folders, files in os.walk(path):
            for name in (*folders, *files):
                os.chown(os.path.join(directory, name), self.uid, self.gid, follow_symlinks=False)


def database_account(cluster: Path, data_root: Path, say: Say) -> Account:
    """The account that owns the cluster, or shall own it.

    Raises StartProblem when the cluster belongs to somebody else whom we cannot become.
    """
    our_uid = os.geteuid()
    owner = cluster.stat().st_uid if cluster.exists() else None
    if our_uid != 0:
        if owner not in (None, our_uid):
            raise StartProblem(
                f"The database in {cluster} belongs to the account {_name(owner)}: run this as that account "
                "(or as root), or name another folder in COUNTINGHOUSE_DATA."
            )
        return Account(_name(our_uid), our_uid, os.getegid(), switches=False)
    for uid in (owner, data_root.stat().st_uid):
        if uid:
            entry = _entry(uid)
            return Account(_name(uid), uid, entry.pw_gid if entry else uid, switches=True)
    return _unprivileged(say)


def open_way(account: Account, to: Iterable[Path], say: Say) -> None:
    """Let the account pass through the folders above each path (search permission, nothing more)."""
    if not account.switches:
        return
    for path in to:
        for folder in path.parents:
            _permit(account, folder, say)


def open_programs(account: Account, folder: Path, say: Say) -> None:
    """Let the account read the files below `folder` and run the programs among them."""
    if not account.switches:
        return
    changed = 0
    for directory, _, files in os.walk(folder):
        for path in (Path(directory), *(Path(directory, name) for name in files)):
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                continue
            wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
            if wanted != mode:
                path.chmod(stat.S_IMODE(wanted))
                changed += 1
    if changed:
        say(f"Running as root: made {changed} files in {folder} readable for the account {account.name}.")


def _permit(account: Account, folder: Path, say: Say) -> None:
    status = folder.stat()
    bit = stat.S_IXOTH
    if status.st_uid == account.uid:
        bit = stat.S_IXUSR
    elif status.st_gid == account.gid:
        bit = stat.S_IXGRP
    if not status.st_mode & bit:
        folder.chmod(stat.S_IMODE(status.st_mode | bit))
        say(f"Running as root: let the account {account.name} pass through {folder} (chmod +x, no listing).")


def _unprivileged(say: Say) -> Account:
    for name in FALLBACK_ACCOUNTS:
        try:
            return _account(name)
        except KeyError:
            continue
    if shutil.which("useradd"):
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", OWN_ACCOUNT]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:  # noqa: S603
            say(f"Running as root: made the system account {OWN_ACCOUNT} for the database.")
            return _account(OWN_ACCOUNT)
    try:
        return _account("nobody")
    except KeyError:
        raise StartProblem(
            "PostgreSQL does not run as root, and no unprivileged account was found: "
            "run this as an ordinary user, or set DATABASE_URL."
        ) from None


def _account(name: str) -> Account:
    entry = pwd.getpwnam(name)
    return Account(name, entry.pw_uid, entry.pw_gid, switches=True)


def _entry(uid: int) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        return None


def _name(uid: int | None) -> str:
    entry = _entry(uid) if uid is not None else None
    return entry.pw_name if entry else f"#{uid}"
