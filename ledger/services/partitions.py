"""The months of event bodies: each is a table of its own, made when its first event comes."""

from datetime import UTC, date, datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from billing_site.foundation.periods import add_months
from ledger.models import DroppedMonth

_ready: set[datetime] = set()  # months whose partition this process has seen; a partition with facts stays


def ensure_partition(received_at: datetime) -> None:
    """See that bodies received at that instant have a place.

    It is a short transaction of its own, outside any other; racing processes wait for each other, and writers of
    other months for nobody.
    """
    month = received_at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if month in _ready:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        if not _exists(cursor, month):
            # Held by one at a time; inserts go on beside it.
            cursor.execute("LOCK TABLE ledger_eventbody IN SHARE UPDATE EXCLUSIVE MODE")
            if not _exists(cursor, month):
                _create(cursor, month)
        transaction.on_commit(lambda: _ready.add(month))


def partition_name(month: datetime) -> str:
    return f"ledger_eventbody_{month:%Y_%m}"


def _exists(cursor: CursorWrapper, month: datetime) -> bool:
    cursor.execute("SELECT to_regclass(%s)", [partition_name(month)])
    return cursor.fetchone() != (None,)


def _create(cursor: CursorWrapper, month: datetime) -> None:
    name = partition_name(month)
    cursor.execute(f"CREATE TABLE {name} (LIKE ledger_eventbody INCLUDING ALL)")
    cursor.execute(
        f"ALTER TABLE ledger_eventbody ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)",
        [month, add_months(month, 1)],
    )
    # The trigger on rows comes with the parent's; the one on statements does not.
    cursor.execute(
        f"CREATE TRIGGER {name}_no_truncate BEFORE TRUNCATE ON {name} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_a_fact()"
    )


def kept_since() -> datetime | None:
    """The beginning of the oldest month whose bodies are kept, where older ones were dropped; None: all are kept."""
    last = DroppedMonth.objects.order_by("-month").values_list("month", flat=True).first()
    if last is None:
        return None
    return add_months(datetime(last.year, last.month, 1, tzinfo=UTC), 1)


def months_kept() -> list[date]:
    """The first days of the months whose bodies are kept, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid "
            "WHERE inhparent = 'ledger_eventbody'::regclass ORDER BY child.relname"
        )
        names = [name for (name,) in cursor.fetchall()]
    return [date(int(name[-7:-3]), int(name[-2:]), 1) for name in names]


def forget_partition(received_at: datetime) -> None:
    """It may be gone: look again before the next event."""
    _ready.discard(received_at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0))


def forget_all() -> None:
    """Look for every partition again, as a process that has just begun."""
    _ready.clear()
