"""Arrays as PostgreSQL reads them in binary, put together here.

psycopg converts a list element by element, which cost more than everything else that Python does with an event; most
of our elements are known as bytes already. An element is its length in four bytes, and itself.
"""

from collections.abc import Iterable, Sequence
from struct import pack
from typing import ClassVar, Self

import psycopg
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

_LENGTHS = [length.to_bytes(4, "big") for length in range(1024)]


class Array(bytes):
    """The value of a parameter: at least one element, none of them null."""

    oid: ClassVar[int]
    element_oid: ClassVar[int]

    @classmethod
    def of(cls, elements: Sequence[bytes]) -> Self:
        return cls(pack(">5i", 1, 0, cls.element_oid, len(elements), 1) + b"".join(elements))


class TextArray(Array):
    oid, element_oid = 1009, 25


class BytesArray(Array):
    oid, element_oid = 1001, 17


class UuidArray(Array):
    oid, element_oid = 2951, 2950


class BooleanArray(Array):
    oid, element_oid = 1000, 16


class InstantArray(Array):
    oid, element_oid = 1185, 1184

    @classmethod
    def of_microseconds(cls, numbers: Iterable[int]) -> Self:
        """From instants as microseconds since the year 2000."""
        return cls.of([b"\0\0\0\x08" + number.to_bytes(8, "big", signed=True) for number in numbers])


class IntegerArray(Array):
    oid, element_oid = 1007, 23

    @classmethod
    def of_numbers(cls, numbers: Sequence[int]) -> Self:
        count = len(numbers)
        interleaved = [4] * (2 * count)
        interleaved[1::2] = numbers
        return cls(pack(f">5i{2 * count}i", 1, 0, cls.element_oid, count, 1, *interleaved))


def element(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def short_elements(texts: Iterable[str]) -> list[bytes]:
    """Of texts that have fewer than 1,024 bytes."""
    return [_LENGTHS[len(value)] + value for value in map(str.encode, texts)]


TRUE, FALSE = element(b"\x01"), element(b"\0")


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Array) -> Buffer:
        return obj


_DUMPERS = {
    kind: type(f"{kind.__name__}Dumper", (_ArrayDumper,), {"oid": kind.oid})
    for kind in (TextArray, BytesArray, UuidArray, BooleanArray, InstantArray, IntegerArray)
}


def teach(connection: psycopg.Connection) -> None:
    """Let a connection take these arrays as parameters, and keep prepared the statements that ask for it."""
    for kind, dumper in _DUMPERS.items():
        connection.adapters.register_dumper(kind, dumper)
    connection.prepare_threshold = 1_000_000
