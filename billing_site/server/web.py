"""A web worker: one process that answers HTTP on a socket it shares with its twins.

The server is waitress, chosen by measurement against granian 2.8 (WSGI, 2 workers, 4 threads each; 23 kB JSON posts
that insert one row; load generator on the same 2 cores):

    | connections beside the load           | granian                | waitress                                 |
    |---------------------------------------|------------------------|------------------------------------------|
    | none                                  | 1.00                   | 0.7 of granian's requests/s              |
    | 200 that send a header byte in 2 s    | 1.0, cut after 20 s    | good requests go on; cut by this module  |
    | 200 that send a body byte in 2 s      | no request is answered | good requests go on; cut by this module  |

granian lends a slow body one of its threads; waitress reads bodies in its event loop, and a thread sees whole requests
only. Its price is 0.2 to 0.3 ms of processor time a request, estimated at a few hundredths of an ingest call.
"""

import argparse
import logging
import resource
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from django.conf import settings
from django.urls import get_resolver
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer

from billing_site.server import processes
from billing_site.server.balance import Board
from billing_site.wsgi import application

PATIENCE_SECONDS: Final = 20.0  # a request's first bytes and its header
SLOWEST_BYTES_A_SECOND: Final = 16 * 1024  # a body may take longer, in proportion to what has arrived
IDLE_SECONDS: Final = 75.0  # between two requests of one connection
STALLED_READER_SECONDS: Final = 60.0  # a client that does not fetch its answer
DRAIN_SECONDS: Final = 10.0  # for what is being answered when the worker is asked to stop
LARGEST_REQUEST_BYTES: Final = 64 * 1024 * 1024  # a backstop: views know their own, smaller limits

STEP_BACK_SECONDS: Final = 0.002  # an idle worker needs a tenth of that to take a connection
THREADS: Final = 4
CONNECTIONS: Final = 2_000
OTHER_FILES: Final = 100  # descriptors kept for the database, logs and spilled bodies


class Connection(HTTPChannel):
    """A connection that knows how long its current request has been coming."""

    began = 0.0
    arrived = 0
    answered = 0

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self.began = time.time()
            self.arrived = 0
        self.arrived += len(data)
        return bool(super().received(data))

    def service(self) -> None:
        super().service()
        self.answered += 1

    def is_overdue(self, now: float) -> bool:
        """Whether the client has kept us waiting for longer than an honest one would."""
        if self.requests:
            return False  # it waits for us
        if self.total_outbufs_len:
            return now - self.last_activity > STALLED_READER_SECONDS
        if self.request is not None:
            return now - self.began > PATIENCE_SECONDS + self.arrived / SLOWEST_BYTES_A_SECOND
        if not self.answered:
            return now - self.creation_time > PATIENCE_SECONDS
        return now - self.last_activity > IDLE_SECONDS

    def is_busy(self) -> bool:
        return bool(self.requests or self.total_outbufs_len or self.request is not None)


class WebServer(TcpWSGIServer):
    """waitress on a socket that is bound already, with deadlines for clients and an orderly end."""

    channel_class = Connection

    def __init__(self, app: Callable[..., Any], sock: socket.socket, board: Board) -> None:
        adjustments = Adjustments(
            sockets=[sock],
            threads=THREADS,
            connection_limit=_connections(),
            asyncore_use_poll=True,
            cleanup_interval=1,
            recv_bytes=128 * 1024,
            inbuf_overflow=1024 * 1024,
            max_request_header_size=64 * 1024,
            max_request_body_size=LARGEST_REQUEST_BYTES,
            # Behind a proxy that ends TLS its X-Forwarded-… headers are the point; without one they are a lie.
            clear_untrusted_proxy_headers=not settings.SECURE_COOKIES,
            ident=None,
        )
        self.board = board
        self.steps_back_until = 0.0
        self.accepts_anyway_until = 0.0
        self.stopping_since: float | None = None
        place = (sock.family, sock.type, sock.proto, sock.getsockname())
        super().__init__(app, map={}, _sock=sock, adj=adjustments, sockinfo=place, bind_socket=False)

    def readable(self) -> bool:
        """Asked in every turn of the event loop: whether to look for a new connection."""
        self.board.post(len(self.active_channels))
        return bool(super().readable()) and time.monotonic() >= self.steps_back_until

    def handle_accept(self) -> None:
        """Take a new connection, or leave it to a twin that holds fewer, if that takes it at once."""
        now = time.monotonic()
        if now > self.accepts_anyway_until and self.board.is_ahead(len(self.active_channels)):
            self.steps_back_until = now + STEP_BACK_SECONDS
            self.accepts_anyway_until = now + 3 * STEP_BACK_SECONDS
            return
        super().handle_accept()

    def maintenance(self, now: float) -> None:
        for connection in list(self.active_channels.values()):
            if connection.is_overdue(now):
                connection.will_close = True

    def stop(self, signum: int, frame: FrameType | None) -> None:
        """Take no more connections, answer what has arrived, then let `run` return."""
        if self.stopping_since is None:
            self.stopping_since = time.monotonic()
            self.pull_trigger()

    def run(self) -> None:
        while self.stopping_since is None:
            stepped_back = time.monotonic() < self.steps_back_until
            wasyncore.poll2(STEP_BACK_SECONDS if stepped_back else 1.0, self._map)
        self.accepting = False
        self.del_channel(self._map)  # the socket itself stays open for the other workers
        while time.monotonic() - self.stopping_since < DRAIN_SECONDS:
            busy = [connection for connection in self.active_channels.values() if connection.is_busy()]
            if not busy:
                break
            wasyncore.poll2(0.1, self._map)
        self.task_dispatcher.shutdown(timeout=1)


def _connections() -> int:
    """As many connections as we like to hold, if the system lends as many descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return CONNECTIONS if soft == resource.RLIM_INFINITY else min(CONNECTIONS, soft - OTHER_FILES)


def main() -> None:
    """Run by `serve`, which passes the listening socket, the board and the pipe that tells of its end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--board", type=int, required=True)
    parser.add_argument("--seat", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    given = parser.parse_args()
    processes.follow_parent(given.parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    _ = get_resolver().url_patterns  # import every view now, not during the first request
    server = WebServer(application, socket.socket(fileno=given.socket), Board(given.board, given.seat))
    signal.signal(signal.SIGTERM, server.stop)
    server.run()


if __name__ == "__main__":
    main()
