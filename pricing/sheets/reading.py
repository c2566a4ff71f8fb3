"""A sheet of prices as it was sent, read into rows of cells; what they say is for `services.price_sheets`."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from billing_site.foundation.refusals import Refusal
from pricing.sheets.cells import COLUMNS, PRICE, PRODUCT, PRODUCT_ID, dimension_of, unguarded

MOST_BYTES = 1_500_000
MOST_ROWS = 10_000
SEPARATORS = ",;\t"

UTF_16 = (b"\xff\xfe", b"\xfe\xff")
SAVE_AS = "save it as “CSV UTF-8”"


@dataclass(frozen=True, slots=True)
class SheetError:
    """What is wrong in one place of a sheet. `line` counts from 1, the header."""

    line: int
    column: str
    value: str
    rule: str


@dataclass(frozen=True, slots=True)
class SheetRow:
    """The cells of one row by column, as they were written."""

    line: int
    cells: dict[str, str]

    def cell(self, column: str) -> str:
        """What it says; empty where there is no such column."""
        return unguarded(self.cells.get(column, ""))


@dataclass(frozen=True, slots=True)
class Table:
    """`dimensions` names the dimension of each column that is for one. Rows without any text are not among `rows`."""

    columns: tuple[str, ...]
    dimensions: dict[str, str]
    rows: tuple[SheetRow, ...] = ()
    errors: tuple[SheetError, ...] = field(default=())


def text_of(sent: bytes, *, name: str = "sheet") -> str:
    """A file's text. Raises Refusal for what is too large, no text, or not in UTF-8; a mark of byte order may be
    there."""
    refuse_too_large(len(sent), name=name)
    if sent.startswith(UTF_16):
        raise Refusal.of(name, "UTF-16", f"must be in UTF-8: {SAVE_AS}")
    if sent.startswith(b"PK"):
        raise Refusal.of(name, "a workbook", f"must be text, separated by commas: {SAVE_AS}")
    try:
        text = sent.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = sent.count(b"\n", 0, error.start) + 1
        where = f"byte 0x{sent[error.start]:02X} in line {line}"
        raise Refusal.of(name, where, f"must be in UTF-8: {SAVE_AS}") from error
    if not text.strip():
        raise Refusal.of(name, "nothing", "must have a header and rows")
    return text


def refuse_too_large(count: int, *, name: str = "sheet") -> None:
    """Raises Refusal where a sheet of so many bytes is not read: to be asked before it is."""
    if count > MOST_BYTES:
        rule = f"must not be larger than {MOST_BYTES:,} bytes: send it in parts"
        raise Refusal.of(name, f"{count:,} bytes", rule)


def read_table(text: str) -> Table:
    """The rows of a sheet, separated by commas, semicolons or tabs, whichever its header has most of.

    Raises Refusal where it cannot be read at all; what is wrong with its columns and rows is among its `errors`.
    """
    found = records(text)
    header_line, header = next(found)
    columns = tuple(name.strip() for name in header)
    dimensions = {name: key for name in columns if (key := dimension_of(name)) is not None}
    errors = list(_wrong_columns(header_line, columns))
    if errors:
        return Table(columns, dimensions, errors=tuple(errors))
    rows: list[SheetRow] = []
    for line, cells in found:
        if len(rows) == MOST_ROWS:
            raise Refusal.of("sheet", f"line {line:,}", f"must not have more than {MOST_ROWS:,} rows: send it in parts")
        if len(cells) != len(columns):
            counted = f"must have {len(columns)} cells, as the header has"
            errors.append(SheetError(line, "", f"{len(cells)} cells", counted))
        else:
            rows.append(SheetRow(line, dict(zip(columns, cells, strict=True))))
    return Table(columns, dimensions, tuple(rows), tuple(errors))


def records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that says something, with the line it begins in."""
    head = text.lstrip("\r\n").split("\n", 1)[0]
    separator = max(SEPARATORS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line + 1, cells
            line = reader.line_num
    except csv.Error as error:
        rule = f"must have every quotation mark closed, and doubled within a cell ({error})"
        raise Refusal.of("sheet", f"line {reader.line_num}", rule) from error


def _wrong_columns(line: int, columns: tuple[str, ...]) -> Iterator[SheetError]:
    for index, name in enumerate(columns):
        if not name:
            yield SheetError(line, f"column {index + 1}", "", "must have a name")
        elif name in columns[:index]:
            yield SheetError(line, name, name, "must be there only once")
        elif name.lower() in COLUMNS and name not in COLUMNS:
            yield SheetError(line, name, name, f"must be written {name.lower()}; as a dimension, values.{name}")
    if PRICE not in columns:
        yield SheetError(line, PRICE, ", ".join(columns), "must be among the columns")
    if PRODUCT not in columns and PRODUCT_ID not in columns:
        yield SheetError(line, PRODUCT, ", ".join(columns), "must be among the columns, or product_id")
