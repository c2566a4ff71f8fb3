"""Hostile requests to `/v1/ingest`, drawn from a seed: what a broken, careless or evil sender could put on the wire.

Most are good events with something put in the place of something else, as bytes, since no JSON library would write
half of it. The others are bodies torn, bent and packed wrongly, and requests that lie about themselves.
"""

import gzip
import json
import socket
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

Headers = dict[str, str]

NUMBERS = (
    *b"""NaN Infinity -Infinity 1e400 -1e400 1e-400 1e999999999999 0e999999999 -0 -0.0 0.0000000000004999 1e19 1e20 1E+5
    99999999999999999999.999999999999 1. .5 +1 01 0x10 1_000 1e --1 true false null""".split(),
    *(b"9" * digits for digits in (20, 38, 39, 5_000)),
    b"-" + b"9" * 39,
    b"0." + b"0" * 40 + b"1",
    b"1" * 38 + b"." + b"1" * 38,
)
TEXTS = (
    *rb"""
    "" "\u0000" "a\u0000b" "\ud800" "\udfff\ud800" "\ud83d\ude00" "\x41" "\u12" "NaN" "-inf" "1e400" "1e5" "0x10" "1,5"
    "12.5" "-7" "1e-13" "';DROP/**/TABLE/**/ledger_eventkey;--" "{NULL}" "\\N" "%s%n" "../../etc/passwd" undefined "open
    """.split(),
    *(b'"%s"' % text for text in (b" ", b" 1", b"1 ", b"\0", b"\n", b"1" * 101, b"k" * 300, b"x" * 200_000)),
    *(f'"{text}"'.encode() for text in ("１２", "é" * 128, "\u202eא", "\ufeff")),
    *(b'"%s"' % text for text in (b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80")),  # no UTF-8
)
SHAPES = (
    *rb"""[] {} [[]] [null] [[[[[[[[[]]]]]]]]] {"":""} {"a":1,"a":2} {"a":{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}} [1,2,
    {] {"a"} {,} {"\u0000":1}""".split(),
    b"[1 2]",
    b'{"\xff":1}',
    b"[" * 2_000 + b"]" * 2_000,
    b'{"a":' * 50 + b"1" + b"}" * 50,
    b"{" + b",".join(b'"%d":%d' % (n, n) for n in range(70)) + b"}",
    b"[" + b"0," * 9_000 + b"0]",
)
_TIMES = """
0000-01-01T00:00:00Z 0001-01-01T00:00:00Z 0001-01-01T00:00:00+14:00 9999-12-31T23:59:59Z -0044-03-15T00:00:00Z
10000-01-01T00:00:00Z 2025-02-29T00:00:00Z 2024-02-29T00:00:00Z 2025-13-01T00:00:00Z 2016-12-31T23:59:60Z
2025-10-01T24:00:00Z 2025-10-01T12:00:00+99:99 2025-10-01T12:00:00.1234567890123Z 20251001T120000Z 2025-W40-3
2025-274 1759320000 1759320000000 now infinity 2025-10-01T12:00:00Zz １９９９-01-01T00:00:00Z T Z 2025-10-01T12
2025-10-01T12:00:00-00:00 2025-10-01T12:30,5Z 2025-10-01T12:00:00\\u0000
"""
TIMES = (
    *(f'"{text}"'.encode() for text in _TIMES.split()),
    b'"2025-10-01 12:00:00"',
    b'"2025-10-01T12:00:00 UTC"',
)
FIELDS = ("customer_id", "transaction_id", "event_type", "timestamp", "properties")
PROPERTIES = ("value", "region", "other")
BENDS = ("cut", "flip", "insert", "twice", "reverse", "wrap", "utf-16", "bom", "nothing", "many")
BOMB = gzip.compress(bytes(40 * 2**20), 1)
LIES = (
    *("longer", "shorter", "both lengths", "no length", "negative", "chunks", "bad chunk", "no host", "type", "token"),
    *("method", "header", "hang up", "hang up in header", "garbage", "query", "expect", "scheme"),
)


@dataclass(frozen=True, slots=True)
class Hostile:
    """A request as bytes. `hangs_up`: the sender goes away before the answer."""

    name: str
    data: bytes
    hangs_up: bool = False


@dataclass(slots=True)
class Sender:
    """Draws requests; the same ones for the same seed."""

    seed: int
    token: str
    random: Random = field(init=False)
    made: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    def requests(self, number: int) -> Iterator[Hostile]:
        kinds: list[Callable[[], Hostile]] = [self._bent_events] * 14 + [self._bent_body] * 3 + [self._packed] * 2
        kinds += [self._lying_request]
        for _ in range(number):
            yield self.random.choice(kinds)()

    # --- Events ------------------------------------------------------------------------------------------------

    def events(self, size: int) -> list[dict[str, bytes]]:
        """Good ones, each field as JSON. Few ids, so that some come again with another content."""
        made = []
        for _ in range(size):
            self.made += 1
            moment = f"2025-10-{self.random.randrange(1, 29):02d}T{self.random.randrange(24):02d}:30:00Z"
            properties = {"value": self.random.randrange(-5, 50), "region": self.random.choice(["eu", "us", None])}
            event = {
                "customer_id": f"hostile-{self.random.randrange(5)}",
                "transaction_id": f"{self.made % 1_500}",
                "event_type": "poison",
                "timestamp": moment,
                "properties": properties,
            }
            made.append({name: json.dumps(value).encode() for name, value in event.items()})
        return made

    def _bent_events(self) -> Hostile:
        events = self.events(self.random.choice([1, 1, 2, 3, 5]))
        bent = self.random.choice(events)
        name = self.random.choice(FIELDS)
        value = self.random.choice(self.random.choice((NUMBERS, TEXTS, SHAPES, TIMES)))
        if name == "properties" or self.random.random() < 0.6:
            name = self.random.choice(PROPERTIES)
            bent["properties"] = b'{"value": 3, "region": "eu", "%s": %s}' % (name.encode(), value)
        elif self.random.random() < 0.1:
            del bent[name]
        else:
            bent[name] = value
        return self._request(f"{name} is {value[:40]!r}", wire(events))

    def _bent_body(self) -> Hostile:
        body = bytearray(wire(self.events(self.random.choice([1, 3, 10]))))
        way = self.random.choice(BENDS)
        place = self.random.randrange(len(body))
        if way == "cut":
            del body[place:]
        elif way == "flip":
            body[place] ^= 1 << self.random.randrange(8)
        elif way == "insert":
            body[place:place] = self.random.randbytes(3)
        elif way == "twice":
            body *= 2
        elif way == "reverse":
            body.reverse()
        elif way == "wrap":
            body[:] = b'{"usage": ' + body + b"}"
        elif way == "utf-16":
            body[:] = body.decode().encode("utf-16")
        elif way == "bom":
            body[:0] = b"\xef\xbb\xbf"
        elif way == "nothing":
            body.clear()
        else:
            body[:] = b"[" + b",".join([b"{}"] * 10_001) + b"]"
        return self._request(f"body: {way}", bytes(body))

    def _packed(self) -> Hostile:
        body = wire(self.events(3))
        ways = {
            "bomb": BOMB,
            "nested": gzip.compress(gzip.compress(body)),
            "cut": gzip.compress(body)[: self.random.randrange(1, 40)],
            "tail": gzip.compress(body) + b"tail",
            "wrong sum": gzip.compress(body)[:-8] + bytes(8),
            "deflate": zlib.compress(body),
            "plain": body,
            "members": gzip.compress(body[:10]) + gzip.compress(body[10:]),
            "empty members": gzip.compress(b"") * 200,
        }
        way = self.random.choice(sorted(ways))
        encoding = self.random.choice(["gzip", "gzip", "gzip", "x-gzip", "br", "deflate", "gzip, gzip", "é"])
        return self._request(f"packed: {way} as {encoding}", ways[way], **{"Content-Encoding": encoding})

    # --- Requests ----------------------------------------------------------------------------------------------

    def _lying_request(self) -> Hostile:
        body = wire(self.events(2))
        way = self.random.choice(LIES)
        name = f"request: {way}"
        if way == "longer":
            return self._request(name, body, hangs_up=True, **{"Content-Length": str(len(body) + 50)})
        if way == "shorter":
            return self._request(name, body, **{"Content-Length": str(len(body) - 5)})
        if way == "both lengths":
            return self._request(name, b"0\r\n\r\n", **{"Content-Length": "5", "Transfer-Encoding": "chunked"})
        if way == "negative":
            return self._request(name, body, **{"Content-Length": "-1"})
        if way in ("chunks", "bad chunk"):
            size = b"%x" % len(body) if way == "chunks" else b"zz"
            data = size + b"\r\n" + body + b"\r\n0\r\n\r\n"
            return self._request(name, data, **{"Content-Length": "", "Transfer-Encoding": "chunked"})
        if way == "type":
            kinds = [
                "text/xml",
                "multipart/form-data",
                "application/x-www-form-urlencoded",
                "a/b; charset=utf-99",
                "\u00e9",
            ]
            return self._request(name, body, **{"Content-Type": self.random.choice(kinds)})
        if way == "token":
            tokens = [
                "Bearer",
                "Bearer ",
                f"bearer {self.token}",
                f"Bearer {self.token} x",
                "Basic e30=",
                "\u00ff",
                "Bearer " + "x" * 5_000,
            ]
            return self._request(name, body, Authorization=self.random.choice(tokens))
        if way == "header":
            return self._request(name, body, **{"X-Request-ID": "x" * 70_000})
        if way == "expect":
            return self._request(name, body, Expect="100-continue")
        whole = self._request(name, body).data
        cut = self.random.randrange(1, len(whole))
        head, _, _ = whole.partition(b"\r\n\r\n")
        data = {
            "no length": whole.replace(b"Content-Length", b"X-Length"),
            "no host": whole.replace(b"Host:", b"X-Host:"),
            "method": whole.replace(
                b"POST", self.random.choice([b"GET", b"PUT", b"DELETE", b"OPTIONS", b"HEAD", b"BREW"])
            ),
            "hang up": whole[:cut],
            "hang up in header": head[: self.random.randrange(1, len(head))],
            "garbage": self.random.randbytes(300) + b"\r\n\r\n",
            "query": whole.replace(b"/v1/ingest", b"/v1/ingest?a=%00&b=%ff&" + b"c" * 500),
            "scheme": whole.replace(b"HTTP/1.1", self.random.choice([b"HTTP/9.9", b"HTTP/1.0", b"FTP/1.0", b""])),
        }[way]
        return Hostile(name, data, hangs_up=way.startswith(("hang up", "garbage")))

    def _request(self, name: str, body: bytes, *, hangs_up: bool = False, **headers: str) -> Hostile:
        told = {
            "Host": "127.0.0.1",
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
        } | headers
        lines = [b"POST /v1/ingest HTTP/1.1", *(f"{key}: {value}".encode() for key, value in told.items() if value)]
        return Hostile(name, b"\r\n".join(lines) + b"\r\n\r\n" + body, hangs_up)


def wire(events: list[dict[str, bytes]]) -> bytes:
    texts = [
        b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name, value in one.items()) + b"}" for one in events
    ]
    return b"[" + b",".join(texts) + b"]"


def answer_to(hostile: Hostile, host: str, port: int) -> tuple[int, bytes]:
    """Status and body; 0 where there was no answer."""
    with socket.create_connection((host, port), timeout=30) as wire_end:
        try:
            wire_end.sendall(hostile.data)
            if hostile.hangs_up:
                return 0, b""
            parts = []
            while data := wire_end.recv(65536):
                parts.append(data)
        except (BrokenPipeError, ConnectionResetError):
            return 0, b""
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 100"):
        head, _, body = body.partition(b"\r\n\r\n")
    return (int(head.split(b" ", 2)[1]) if head else 0), body
