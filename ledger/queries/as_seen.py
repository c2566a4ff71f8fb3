"""Usage as a snapshot saw it: folded anew from the events and corrections whose transactions it could see.

Days and hours hold everything that has come since. So what was seen is put into temporary tables of the same names,
which stand before the real ones for as long as the caller looks: whoever reads usage meanwhile, reads it as it was.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from typing import Any

from django.db import connection, transaction

from billing_site.foundation.periods import HOUR
from billing_site.foundation.transactions import read_only
from ledger.queries.folds import Folded, Place
from ledger.queries.reach import Reach

_TABLES = ("ledger_dailyusage", "ledger_hourlyusage", "ledger_carriedlevel", "ledger_uniquevalue")
_DAY = """
INSERT INTO ledger_dailyusage (subject, series_id, day, count, sum, has_negative) VALUES (%s, %s, %s, %s, %s, %s)
"""
_HOUR = """
INSERT INTO ledger_hourlyusage
    (subject, series_id, day, hour, count, sum, maximum, latest_at, latest_transaction_id, latest, level_seconds)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_MONTH = (
    "INSERT INTO ledger_carriedlevel (subject, series_id, month, change, level_seconds) VALUES (%s, %s, %s, %s, %s)"
)
_VALUE = """
INSERT INTO ledger_uniquevalue (subject, series_id, hour, value, occurrences) VALUES (%s, %s, %s, %s, %s)
"""


@contextmanager
def usage_as_seen(reach: Reach, snapshot: str) -> Iterator[None]:
    """Within it, usage that the reach takes in reads as `snapshot` (`pg_snapshot` as text) saw it, and any other not at
    all.

    Nothing can be written within. It reads the events of the reach whose body is kept, and holds what they come to by
    the hour.
    """
    with transaction.atomic():
        seen = reach.folded(snapshot=snapshot)
        with connection.cursor() as cursor:
            for table in _TABLES:
                cursor.execute(f"CREATE TEMPORARY TABLE {table} (LIKE public.{table} INCLUDING DEFAULTS)")
            for statement, rows in _rows(seen).items():
                cursor.executemany(statement, rows)
        read_only()
        yield
        transaction.set_rollback(True)


def _rows(seen: dict[Place, Folded]) -> dict[str, list[tuple[Any, ...]]]:
    rows: dict[str, list[tuple[Any, ...]]] = {_DAY: [], _HOUR: [], _MONTH: [], _VALUE: []}
    for (subject, series_id, day, hour), held in seen.items():
        of = (subject, series_id)
        if hour is None:
            rows[_DAY].append((*of, day, held.count, held.sum, held.has_negative or False))
        elif hour == "month":
            rows[_MONTH].append((*of, day, held.sum, held.level_seconds))
        elif isinstance(hour, tuple):
            rows[_VALUE].append((*of, _instant(day, hour[0]), hour[1], held.count))
        elif isinstance(hour, int):
            latest = held.latest or (None, None, None)
            instant = _instant(day, hour)
            rows[_HOUR].append((*of, day, instant, held.count, held.sum, held.maximum, *latest, held.level_seconds))
    return rows


def _instant(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC) + hour * HOUR
