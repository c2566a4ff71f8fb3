"""A table in finished words; the template adds nothing. And the same as a sheet, with every digit and every row."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    url: str = ""
    sub: str = ""  # in small letters below
    is_number: bool = False
    is_strong: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """The first cell is the row's heading. `more` are rows that are shown on demand."""

    cells: tuple[Cell, ...]
    more: tuple["Row", ...] = ()
    is_part: bool = False  # of the row above it


@dataclass(frozen=True, slots=True)
class Table:
    """`note` says what is left out or how to read it."""

    name: str
    title: str
    columns: tuple[tuple[str, bool], ...]  # heading, whether of numbers
    rows: tuple[Row, ...]
    empty: str  # what is said where there is nothing, and what to do about it
    note: str = ""
    footer: str = ""
    sheet_url: str = field(default="")


class _Handed:
    """A file that hands on what the writer writes."""

    def write(self, text: str) -> str:
        return text


def sheet_lines(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """CSV with a heading, line by line. Cells from outside have to be `guarded`."""
    writer = csv.writer(_Handed())
    yield "\ufeff"  # without it a spreadsheet takes the text for one in a code page of its own
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow(row)
