"""Where everything lies under the data directory (`COUNTINGHOUSE_DATA`)."""

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from billing_site.server.problems import StartProblem

SOURCES = Path(__file__).resolve().parents[2]  # the folder of manage.py
SOCKET_DIRECTORY_MAX_BYTES = 85  # a socket's whole path has about 100 bytes, and its name takes 15
FREE_BYTES_TO_START = 200 * 1024 * 1024


def open_private(path: Path, flags: int) -> int:
    """Open or create a file that only the data directory's owner reads, also when root is the one who runs this."""
    descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The data directory and the places in it. Nothing here touches the disk but `create` and `require_space`."""

    root: Path

    @classmethod
    def at(cls, path: Path) -> "DataFolder":
        return cls(path.expanduser().resolve())

    @property
    def cluster(self) -> Path:
        return self.root / "postgres"

    @property
    def unfinished_cluster(self) -> Path:
        return self.root / "postgres.new"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def postgres_log(self) -> Path:
        return self.logs / "postgres.log"

    @property
    def locks(self) -> Path:
        return self.root / "lock"

    @property
    def run_file(self) -> Path:
        return self.root / "serve.json"

    @property
    def secret_key(self) -> Path:
        return self.root / "secret_key"

    @property
    def sockets(self) -> Path:
        """The directory of the database's socket: the same for every process, whatever its environment."""
        inside = self.root / "run"
        if len(os.fsencode(inside)) <= SOCKET_DIRECTORY_MAX_BYTES:
            return inside
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path("/tmp") / f"countinghouse-{digest}"  # noqa: S108 (made 0700, its owner checked)

    def create(self) -> None:
        """Make the directory, if need be.

        Raises StartProblem when that is not possible or the folder cannot be written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            owner = self.root.stat()
            for part in (self.logs, self.locks):
                part.mkdir(mode=0o700, exist_ok=True)
                if os.geteuid() == 0:
                    os.chown(part, owner.st_uid, owner.st_gid)
        except OSError as error:
            raise StartProblem(f"The data directory {self.root} cannot be used: {error.strerror}.") from error
        if not os.access(self.root, os.W_OK | os.X_OK) or not os.access(self.locks, os.W_OK | os.X_OK):
            raise StartProblem(
                f"The data directory {self.root} cannot be written by this user: "
                "change its owner, or name another one in COUNTINGHOUSE_DATA."
            )

    def require_space(self) -> None:
        """Raises StartProblem unless the disk has room to start on."""
        free = shutil.disk_usage(self.root).free
        if free < FREE_BYTES_TO_START:
            raise StartProblem(
                f"The disk of {self.root} has {free // 2**20} MB left; "
                f"{FREE_BYTES_TO_START // 2**20} MB are needed to start."
            )
