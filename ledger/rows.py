"""Rows of a CSV or JSON lines file, one after the other, whatever is wrong with some of them.

A file is read in constant memory: lines and cells have a greatest length.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, BinaryIO

MAX_LINE = 1024 * 1024  # bytes of a JSON line, characters of a CSV line
MAX_CELL = 128 * 1024  # characters of a CSV cell


class BadFile(ValueError):
    """The file cannot be read as rows, or not beyond a certain line."""


@dataclass(frozen=True, slots=True)
class Row:
    """`number` counts data rows from 1, `line` is where it ends in the file. A row with a problem has no cells."""

    number: int
    line: int
    cells: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


class CsvFile:
    """A CSV file with a header, in UTF-8. Raises BadFile, reading on too."""

    def __init__(self, stream: BinaryIO, *, delimiter: str = ",") -> None:
        csv.field_size_limit(MAX_CELL)
        # Held, as it closes the stream when it is let go.
        self._text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        self._reader = csv.reader(_lines(self._text), delimiter=delimiter, strict=True)
        try:
            header = next(self._reader, None)
        except csv.Error as error:
            raise BadFile(f"The header is not CSV: {error}.") from error
        if not header:
            raise BadFile("The file has no header.")
        if not _is_utf8(header):
            raise BadFile("The header is not UTF-8.")
        if twice := sorted({name for name in header if header.count(name) > 1}):
            raise BadFile(f"The header has the column {twice[0]!r} more than once.")
        self.columns: tuple[str, ...] = tuple(header)

    def __iter__(self) -> Iterator[Row]:
        number = 0
        while True:
            try:
                cells = next(self._reader, None)
            except csv.Error as error:
                number += 1
                yield Row(number, self._reader.line_num, problem=f"is not CSV: {error}")
                continue
            if cells is None:
                return
            if cells:  # blank lines are no rows
                number += 1
                yield self._row(number, cells)

    def _row(self, number: int, cells: Sequence[str]) -> Row:
        line = self._reader.line_num
        if len(cells) != len(self.columns):
            return Row(number, line, problem=f"has {len(cells)} cells, and the header {len(self.columns)}")
        if not _is_utf8(cells):
            return Row(number, line, problem="is not UTF-8")
        return Row(number, line, dict(zip(self.columns, cells, strict=True)))


class JsonLinesFile:
    """A file with a JSON object on each line, numbers exact."""

    columns = None  # each row has its own

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[Row]:
        number = line_number = 0
        while line := self._stream.readline(MAX_LINE):
            line_number += 1
            if len(line) == MAX_LINE and not line.endswith(b"\n"):
                number += 1
                yield Row(number, line_number, problem=f"is longer than {MAX_LINE} bytes")
                self._skip_line()
            elif line.strip():
                number += 1
                yield _json_row(number, line_number, line)

    def _skip_line(self) -> None:
        while (rest := self._stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
            pass


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    number = 0
    while line := text.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE and not line.endswith(("\n", "\r")):
            raise BadFile(f"Line {number} is longer than {MAX_LINE} characters.")
        yield line


def _json_row(number: int, line_number: int, line: bytes) -> Row:
    try:
        cells = json.loads(line.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse_constant)
    except RecursionError:
        return Row(number, line_number, problem="is nested too deeply")
    except UnicodeDecodeError:
        return Row(number, line_number, problem="is not UTF-8")
    except ValueError as error:
        return Row(number, line_number, problem=f"is not JSON: {error}")
    if not isinstance(cells, dict):
        return Row(number, line_number, problem="is not a JSON object")
    return Row(number, line_number, cells)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _is_utf8(cells: Sequence[str]) -> bool:
    """Bytes that are not UTF-8 were read as lone surrogates."""
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return False
    return True
