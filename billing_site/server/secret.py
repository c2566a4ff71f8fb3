"""The secret key of an installation that was given none."""

import os
import secrets
from pathlib import Path

from billing_site.server.folder import DataFolder, open_private
from billing_site.server.locks import Lock
from billing_site.server.problems import StartProblem


def secret_key(data_dir: Path) -> str:
    """The key kept in `<data_dir>/secret_key` (mode 0600), made on first use; racing processes get the same one.

    Raises StartProblem when the folder cannot be written or the file cannot be read.
    """
    folder = DataFolder.at(data_dir)
    path = folder.secret_key
    try:
        if key := _read(path):
            return key
        folder.create()
        with Lock(folder.locks / "secret_key") as lock:
            lock.wait_exclusive(seconds=10)
            if not (key := _read(path)):
                key = secrets.token_urlsafe(50)
                _place(path, key)
            return key
    except OSError as error:
        raise StartProblem(f"The secret key {path} cannot be used: {error.strerror}.") from error


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _place(path: Path, key: str) -> None:
    """Put the whole file there at once, so that no reader sees half a key."""
    draft = path.with_name(".secret_key.new")
    with os.fdopen(open_private(draft, os.O_WRONLY | os.O_TRUNC), "w") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
