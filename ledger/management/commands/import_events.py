"""`manage.py import_events FILE`: events from a CSV or JSON lines file. docs/import_events.md tells the options."""

import getpass
import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from billing_site.foundation import clock
from ledger.mapping import Columns, Part, timestamp_reader
from ledger.rows import BadFile, CsvFile, JsonLinesFile
from ledger.services.imports import Summary, Tally, import_rows
from ledger.services.ingest import Source

MAX_BATCH = 10_000
JSON_LINES = {".jsonl", ".ndjson"}


class Command(BaseCommand):
    help = "Import usage events from a CSV or JSON lines file, one event a row. Importing a file twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the file; - reads standard input")
        parser.add_argument("--format", choices=["csv", "jsonl"], help="by default what the file's name says, else csv")
        parser.add_argument("--delimiter", default=",", help="between the cells of a CSV file; a comma by default")
        parser.add_argument("--timestamp-column", default="timestamp", metavar="COLUMN", help="when it happened")
        parser.add_argument(
            "--timestamp-format",
            default="rfc3339",
            metavar="FORMAT",
            help="rfc3339 (the default), epoch, epoch-ms or a pattern such as %%d/%%m/%%Y; UTC where no zone is named",
        )
        customer = parser.add_mutually_exclusive_group()
        customer.add_argument("--customer", metavar="VALUE", help="the customer of all events: an id or an alias")
        customer.add_argument("--customer-column", default="customer_id", metavar="COLUMN")
        event_type = parser.add_mutually_exclusive_group()
        event_type.add_argument("--event-type", metavar="VALUE", help="the type of all events")
        event_type.add_argument("--event-type-column", default="event_type", metavar="COLUMN")
        parser.add_argument(
            "--property",
            action="append",
            metavar="NAME=COLUMN",
            help="a property of the event and its column; may be repeated. Without it every column that is not used "
            "otherwise is a property",
        )
        parser.add_argument(
            "--constant",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="a property that is the same in all events; may be repeated",
        )
        parser.add_argument(
            "--transaction-column",
            metavar="COLUMN",
            help="the id that makes a repeat harmless; by default the file's SHA-256 and the number of the row",
        )
        parser.add_argument(
            "--batch", type=int, default=2_000, metavar="ROWS", help="rows a transaction; 2000 by default"
        )

    def handle(self, *, file: str, batch: int, **options: Any) -> None:
        if not 1 <= batch <= MAX_BATCH:
            raise CommandError(f"--batch: must be from 1 to {MAX_BATCH} (got {batch}).")
        columns = columns_of(options)
        with opened(file) as stream:
            name, size = digest_of(stream), stream.tell()
            stream.seek(0)
            rows = rows_of(file, stream, options)
            if rows.columns is not None:
                self.check_header(rows.columns, columns)
            with tqdm(total=size, unit="B", unit_scale=True, disable=None, file=sys.stderr) as bar:

                def show(summary: Summary) -> None:
                    bar.set_postfix_str(f"{summary.rows:,} rows", refresh=False)
                    bar.update(stream.tell() - bar.n)

                summary = import_rows(
                    rows,
                    columns,
                    name=name,
                    batch=batch,
                    at=clock.now(),
                    source=Source(f"import_events by {getpass.getuser()}"),
                    after_batch=show,
                )
        self.report(summary)

    def check_header(self, header: Sequence[str], columns: Columns) -> None:
        missing = sorted(columns.named() - set(header))
        if missing:
            raise CommandError(f"The file has no column {missing[0]!r}. Its columns are: {', '.join(header)}.")
        if "transaction_id" in header and columns.transaction_id is None:
            self.stderr.write(
                "Note: the column transaction_id is not used as such; --transaction-column transaction_id would do so."
            )

    def report(self, summary: Summary) -> None:
        """Raises CommandError, for the exit code, unless every row is in the ledger."""
        self.stdout.write(
            f"{summary.rows:,} rows: {summary.accepted:,} accepted, {summary.duplicates:,} duplicates, "
            f"{summary.conflicts.count:,} conflicts, {summary.refused.count:,} refused."
        )
        self.list("Refused", summary.refused)
        self.list("In conflict", summary.conflicts)
        if summary.stopped:
            raise CommandError(f"The rest of the file was not read. {summary.stopped}")
        if not summary.is_complete:
            raise CommandError(f"{summary.refused.count + summary.conflicts.count:,} rows were not imported.")

    def list(self, title: str, tally: Tally) -> None:
        if not tally.count:
            return
        more = f" (the first {len(tally.first)} of {tally.count:,})" if tally.count > len(tally.first) else ""
        self.stdout.write(f"{title}{more}:")
        for row, reason in tally.first:
            self.stdout.write(f"  row {row.number:,} (line {row.line:,}): {reason}")


def columns_of(options: dict[str, Any]) -> Columns:
    """Raises CommandError."""
    properties = None
    if options["property"] is not None:
        properties = dict(_named("--property", text, default_to_name=True) for text in options["property"])
    return Columns(
        customer=_part(options["customer"], options["customer_column"]),
        event_type=_part(options["event_type"], options["event_type_column"]),
        timestamp=options["timestamp_column"],
        read_timestamp=timestamp_reader(options["timestamp_format"]),
        transaction_id=options["transaction_column"],
        properties=properties,
        constants=dict(_named("--constant", text) for text in options["constant"]),
    )


def rows_of(file: str, stream: BinaryIO, options: dict[str, Any]) -> CsvFile | JsonLinesFile:
    """Raises CommandError."""
    if (options["format"] or ("jsonl" if Path(file).suffix.lower() in JSON_LINES else "csv")) == "jsonl":
        return JsonLinesFile(stream)
    delimiter = options["delimiter"].replace("\\t", "\t")
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise CommandError(f"--delimiter: must be one character that is no quote (got {options['delimiter']!r}).")
    try:
        return CsvFile(stream, delimiter=delimiter)
    except BadFile as problem:
        raise CommandError(str(problem)) from problem


def digest_of(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(1024 * 1024):
        digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def opened(file: str) -> Iterator[BinaryIO]:
    """The file, or a copy of what cannot be read twice: standard input, a pipe. Raises CommandError."""
    try:
        with sys.stdin.buffer if file == "-" else Path(file).open("rb") as stream:
            if file != "-" and stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                yield stream
                return
            with tempfile.TemporaryFile() as copy:
                shutil.copyfileobj(stream, copy)
                copy.seek(0)
                yield copy
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}.") from error


def _part(value: str | None, column: str) -> Part:
    return Part(column) if value is None else Part(value=value)


def _named(option: str, text: str, *, default_to_name: bool = False) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not (equals or default_to_name):
        raise CommandError(f"{option}: must be a name, an equals sign and what it stands for (got {text!r}).")
    return name, value if equals else name
