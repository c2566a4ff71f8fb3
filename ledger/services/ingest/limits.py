"""A limit on the series of a metric: what goes beyond is a value that cannot be read, which is a finding.

Counting is left to each process, so several at once may go a little beyond.
"""

from collections.abc import Sequence

import psycopg

from ledger.metering import Measure, SeriesBytes
from ledger.services.ingest.binary import UuidArray
from ledger.services.ingest.events import Event
from ledger.services.ingest.measuring import Measured, Unread

MOST_SERIES = 100_000  # of one metric

_KNOWN = "SELECT id FROM ledger_series WHERE id = ANY($1::uuid[])"


def limit_series(raw: psycopg.Connection, measured: Measured, events: Sequence[Event]) -> None:
    """Take out of `measured` what would make a metric's series too many, and say so of each event."""
    counts = measured.measures.series_counts
    new: dict[Measure, list[SeriesBytes]] = {}
    for series, (metric, _) in measured.new_series.items():
        new.setdefault(metric, []).append(series)
    beyond: dict[SeriesBytes, Measure] = {}
    for metric, made in new.items():
        room = MOST_SERIES - counts[metric.metric_id]
        if len(made) <= room:
            continue
        rows = psycopg.RawCursor(raw).execute(_KNOWN, [UuidArray.of(sorted(made))]).fetchall()
        known = {b"\0\0\0\x10" + series_id.bytes for (series_id,) in rows}
        unknown = sorted(set(made) - known)
        beyond.update(dict.fromkeys(unknown[max(room, 0) :], metric))
    if not beyond:
        return
    for index, event in enumerate(events):
        marks = measured.marks.get(index, [])
        refused = {series for series, _ in measured.parts[index] if series in beyond}
        refused |= {series for _, series, _ in marks if series in beyond}
        if not refused:
            continue
        measured.parts[index] = [part for part in measured.parts[index] if part[0] not in beyond]
        if index in measured.marks:
            measured.marks[index] = [mark for mark in marks if mark[1] not in beyond]
        for series in sorted(refused):
            metric = beyond[series]
            shown = ", ".join(
                f"{key}={value}"
                for key, value in zip(metric.group_keys, metric.group_of(event.properties), strict=True)
            )
            rule = f"would be one series more than the {MOST_SERIES:,} that a metric may have"
            measured.unread.append(Unread(event, metric.metric_id, shown[:200], rule))
    for series in beyond:
        measured.new_series.pop(series, None)
