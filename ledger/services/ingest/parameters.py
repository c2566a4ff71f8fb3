"""Entries as the parameters of statements."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from ledger.metering import SeriesBytes, quantity_text
from ledger.services.ingest.binary import (
    FALSE,
    TRUE,
    BooleanArray,
    BytesArray,
    InstantArray,
    IntegerArray,
    TextArray,
    UuidArray,
    element,
    short_elements,
)
from ledger.services.ingest.calls import Call, Entry
from ledger.services.ingest.events import microseconds_of
from ledger.services.ingest.measuring import Unread
from ledger.services.ingest.receipts import Receipt

MOST_TYPES = 100  # that are kept of a call
HOUR = 3_600_000_000  # microseconds
HOURS_BEFORE_2000 = 730_119 * 24  # since the beginning of the year 1


def claim(calls: Sequence[Call], entries: Sequence[Entry]) -> list[Any]:
    subjects, ids, *rest = store(calls, entries)
    hashes = BytesArray.of([b"\0\0\0\x10" + entry[4].content_hash for entry in entries])
    return [subjects, ids, hashes, *rest, len(entries)]


def store(calls: Sequence[Call], entries: Sequence[Entry]) -> list[Any]:
    received = [element(microseconds_of(call.at).to_bytes(8, "big", signed=True)) for call in calls]
    call_ids = [element(call.id.bytes) for call in calls]
    events = [entry[4] for entry in entries]
    numbers = [entry[2] for entry in entries]
    return [
        *keys(entries),
        InstantArray.of([received[number] for number in numbers]),
        TextArray.of(short_elements([event.event_type for event in events])),
        InstantArray.of_microseconds([event.microseconds for event in events]),
        TextArray.of([len(event.json).to_bytes(4, "big") + event.json for event in events]),
        UuidArray.of([call_ids[number] for number in numbers]),
    ]


def keys(entries: Sequence[Entry]) -> list[Any]:
    return [
        TextArray.of(short_elements([entry[0] for entry in entries])),
        TextArray.of(short_elements([entry[1] for entry in entries])),
    ]


def subjects(entries: Sequence[Entry]) -> list[Any]:
    """Each subject once; entries are sorted."""
    return [TextArray.of(short_elements(list(dict.fromkeys(entry[0] for entry in entries))))]


def call_row(call: Call, receipt: Receipt) -> list[Any]:
    return [
        call.id,
        call.source.token_id,
        call.source.name,
        call.at,
        receipt.accepted,
        receipt.duplicates,
        len(receipt.conflicts),
        call.measured.measures.id,
        msgspec.json.encode(dict(call.event_types.most_common(MOST_TYPES))).decode(),
    ]


def series(calls: Sequence[Call], used: set[SeriesBytes]) -> list[Any] | None:
    """The series that may be new to the dictionary, in the order of their ids."""
    new = {
        made: (metric.metric_id, dict(zip(metric.group_keys, group, strict=True)))
        for call in calls
        for made, (metric, group) in call.measured.new_series.items()
        if made in used
    }
    if not new:
        return None
    rows = sorted(new.items())
    return [
        UuidArray.of([made for made, _ in rows]),
        UuidArray.of([element(metric_id.bytes) for _, (metric_id, _) in rows]),
        TextArray.of([element(msgspec.json.encode(values)) for _, (_, values) in rows]),
    ]


def unread(calls: Sequence[Call], entries: Sequence[Entry]) -> list[Any] | None:
    claimed = {id(entry[4]) for entry in entries}
    rows: list[Unread] = [one for call in calls for one in call.measured.unread if id(one.event) in claimed]
    if not rows:
        return None
    return [
        TextArray.of(short_elements([one.event.subject for one in rows])),
        UuidArray.of([element(one.metric_id.bytes) for one in rows]),
        InstantArray.of_microseconds([microseconds_of(_hour(one.event.timestamp)) for one in rows]),
        TextArray.of(short_elements([one.event.transaction_id for one in rows])),
        TextArray.of(short_elements([one.value for one in rows])),
        TextArray.of(short_elements([one.rule for one in rows])),
    ]


class Amount:
    """What a subject used of a series in one hour."""

    __slots__ = ("events", "has_negative", "hour", "series", "subject", "units")

    def __init__(self, subject: bytes, series: SeriesBytes, hour: int, units: int) -> None:
        self.subject = subject  # as an element of an array
        self.series = series
        self.hour = hour  # counted from the beginning of the year 1
        self.units = units  # 10⁻¹² each
        self.events = 1
        self.has_negative = units < 0


# By subject, series, day and hour as bytes, which sort as the rows of the database do: a subject has no zero byte.
Amounts = dict[bytes, Amount]


def folded(calls: Sequence[Call], entries: Sequence[Entry]) -> Amounts:
    amounts: Amounts = {}
    parts = [call.measured.parts for call in calls]
    known = ""
    subject = prefix = b""
    for name, _, call, index, event in entries:
        if name != known:
            known, subject = name, name.encode()
            prefix, subject = subject + b"\0", element(subject)
        hour = event.microseconds // HOUR + HOURS_BEFORE_2000
        day = hour // 24
        suffix = (day << 8 | hour - 24 * day).to_bytes(4, "big")
        for series, units in parts[call][index]:
            key = prefix + series + suffix
            amount = amounts.get(key)
            if amount is None:
                amounts[key] = Amount(subject, series, hour, units)
            else:
                amount.units += units
                amount.events += 1
                if units < 0:
                    amount.has_negative = True
    return amounts


def fold_rounds(amounts: Amounts) -> Iterator[list[Any]]:
    """A statement changes a row once, so the first round has one hour of each day, the second the second, and so on.
    The first one locks all rows, in the order of their keys."""
    left = sorted(amounts)
    while left:
        keys, repeated, row_before = [], [], b""
        for key in left:
            row = key[:-1]
            if row == row_before:
                repeated.append(key)
            else:
                keys.append(key)
                row_before = row
        rows = [amounts[key] for key in keys]
        yield [
            TextArray.of([row.subject for row in rows]),
            UuidArray.of([row.series for row in rows]),
            IntegerArray.of_numbers([row.hour for row in rows]),
            TextArray.of([element(quantity_text(row.units).encode()) if row.units else ZERO for row in rows]),
            IntegerArray.of_numbers([row.events for row in rows]),
            BooleanArray.of([TRUE if row.has_negative else FALSE for row in rows]),
        ]
        left = repeated


ZERO = element(b"0")


def _hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)
