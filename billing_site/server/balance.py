"""Sharing new connections fairly between web workers on one socket.

Left to chance, four kept-alive connections often end up at one worker, and half of the machine idles. So workers post
how many connections they hold where their twins see it; one that holds more lets the others go first, for a moment.
"""

import mmap
import os
import struct
import tempfile
from pathlib import Path
from typing import IO, Final

POST: Final = struct.Struct("q")


def open_board(directory: Path, workers: int) -> IO[bytes]:
    """An unnamed file for the posts of so many workers, to be passed on by its descriptor."""
    board = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 (the caller closes it)
    board.truncate(POST.size * workers)
    return board


class Board:
    """One worker's view of the board."""

    def __init__(self, descriptor: int, seat: int) -> None:
        self._posts = mmap.mmap(descriptor, os.fstat(descriptor).st_size)
        self._seat = seat
        self._others = [n for n in range(len(self._posts) // POST.size) if n != seat]

    def post(self, connections: int) -> None:
        POST.pack_into(self._posts, self._seat * POST.size, connections)

    def is_ahead(self, connections: int) -> bool:
        """Whether another worker holds clearly fewer: one of a few, an eighth of many."""
        return any(connections - held > connections // 8 for held in map(self._held, self._others))

    def _held(self, seat: int) -> int:
        (held,) = POST.unpack_from(self._posts, seat * POST.size)
        return int(held)
