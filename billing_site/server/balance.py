"""Sharing new connections fairly between web workers on one socket.

Left to chance, four kept-alive connections often end up at one worker, and half of the machine idles. So workers post
how many connections they hold where their twins see it, and one that holds more leaves a new connection to the others.
"""

import mmap
import os
import struct
import tempfile
import time
from pathlib import Path
from typing import IO, Final

POST: Final = struct.Struct("dd")  # when, on the machine's monotonic clock, and how many
FRESH_SECONDS: Final = 0.5  # an older post is from a worker that hangs or is gone: nobody waits for it
POST_EVERY_SECONDS: Final = 0.2
LOOK_AGAIN_SECONDS: Final = 0.02  # while it is the others' turn; they may fall behind meanwhile


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
        POST.pack_into(self._posts, self._seat * POST.size, time.monotonic(), connections)

    def is_our_turn(self, connections: int) -> bool:
        """Whether no worker in good health holds fewer connections."""
        fresh_since = time.monotonic() - FRESH_SECONDS
        for seat in self._others:
            posted_at, held = POST.unpack_from(self._posts, seat * POST.size)
            if posted_at > fresh_since and held < connections:
                return False
        return True
