"""Event bodies of a stretch of time: a block-range index on each month, of a ten-thousandth of the month's size.

Months that are there get theirs one by one while writers go on, outside a transaction; stopped in between, it goes on
where it was. Months to come are made like their parent.
"""

from typing import Any

from django.db import migrations

# Several ranges a block: late events among punctual ones would else widen the one range to a day. Blocks are summed up
# as soon as they are full; 128 pages are few enough of them for the queue that this waits in.
INDEX = "USING brin (timestamp timestamptz_minmax_multi_ops) WITH (pages_per_range = 128, autosummarize = on)"
PARENT = "ledger_eventbody_by_time"


_MONTHS_WITHOUT = """
SELECT child.oid::regclass::text FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
WHERE inhparent = 'ledger_eventbody'::regclass AND NOT EXISTS (
    SELECT FROM pg_index JOIN pg_inherits attached ON attached.inhrelid = indexrelid
    WHERE indrelid = child.oid AND attached.inhparent = to_regclass(%s)
)
ORDER BY child.relname
"""


def create(apps: Any, editor: Any) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute(f"CREATE INDEX IF NOT EXISTS {PARENT} ON ONLY ledger_eventbody {INDEX}")
        cursor.execute(_MONTHS_WITHOUT, [PARENT])
        for (month,) in cursor.fetchall():
            cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {month}_by_time")  # of one that was stopped
            cursor.execute(f"CREATE INDEX CONCURRENTLY {month}_by_time ON {month} {INDEX}")
            cursor.execute(f"ALTER INDEX {PARENT} ATTACH PARTITION {month}_by_time")


def drop(apps: Any, editor: Any) -> None:
    editor.execute(f"DROP INDEX {PARENT}")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("ledger", "0009_deductions_of_prepaid_commits_and_credits")]
    operations = [migrations.RunPython(create, drop)]
