"""A light load generator: bodies made beforehand, a few kept-alive connections, one thread that waits for all."""

import selectors
import socket
import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Answers:
    """`statuses` counts answers; `waits` are seconds, one an answer."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    last_body: bytes = b""


class _Connection:
    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.sent_at = time.monotonic()
        self.socket.sendall(request)

    def answer(self) -> tuple[int, bytes] | None:
        """Status and body once the answer is complete."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("The server closed the connection.")
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return None
        lower = head.lower()
        length = int(lower.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) < length:
            return None
        self.received = b""
        return int(head.split(b" ", 2)[1]), body


def request(host: str, port: int, path: str, token: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def drive(host: str, port: int, requests: list[bytes], *, connections: int, seconds: float) -> Answers:
    """Keep `connections` requests on their way until time or requests run out, and wait for the last answer."""
    answers = Answers()
    left = iter(requests)
    selector = selectors.DefaultSelector()
    began = time.monotonic()
    busy = 0
    for _ in range(connections):
        connection = _Connection(host, port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(next(left))
        busy += 1
    while busy:
        for key, _ in selector.select():
            connection = key.data
            answer = connection.answer()
            if answer is None:
                continue
            now = time.monotonic()
            answers.statuses[answer[0]] += 1
            answers.waits.append(now - connection.sent_at)
            answers.last_body = answer[1]
            following = next(left, None) if now - began < seconds else None
            if following is None:
                busy -= 1
                selector.unregister(connection.socket)
                connection.socket.close()
            else:
                connection.send(following)
    answers.seconds = time.monotonic() - began
    return answers
