"""What Django cannot say: bodies partitioned by month of receipt, room for updates, and hours read out of days."""

from django.db import migrations, models

from billing_site.foundation.operations import CreateModel

EVENT_BODY = """
CREATE TABLE ledger_eventbody (
    subject text COLLATE "C" NOT NULL,
    transaction_id text COLLATE "C" NOT NULL,
    received_at timestamptz NOT NULL,
    event_type text NOT NULL,
    timestamp timestamptz NOT NULL,
    properties jsonb NOT NULL,
    call_id uuid NOT NULL,
    PRIMARY KEY (subject, transaction_id, received_at)
) PARTITION BY RANGE (received_at)
"""

# An updated row finds room on its own page, so its index entry stays as it is.
ROOM_FOR_UPDATES = "ALTER TABLE ledger_dailyusage SET (fillfactor = 70)"

HOURLY_USAGE = """
CREATE VIEW ledger_hourlyusage AS
SELECT daily.subject, daily.series_id, daily.day,
       (daily.day + make_interval(hours => k)) AT TIME ZONE 'UTC' AS hour,
       coalesce(daily.hour_sums[k], 0) AS sum,
       daily.hour_counts[k] AS count,
       daily.hour_maxima[k] AS maximum,
       daily.hour_latest[k] AS latest,
       daily.hour_latest_at[k] AS latest_at,
       daily.hour_latest_transaction_ids[k] AS latest_transaction_id,
       daily.hour_levels[k] AS level_hours
FROM ledger_dailyusage daily, generate_subscripts(daily.hour_counts, 1) AS k
WHERE daily.hour_counts[k] IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_usage_and_entries")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                CreateModel(
                    name="EventBody",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "subject",
                                "transaction_id",
                                "received_at",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("subject", models.TextField(db_collation="C")),
                        ("transaction_id", models.TextField(db_collation="C")),
                        ("received_at", models.DateTimeField()),
                        ("event_type", models.TextField()),
                        ("timestamp", models.DateTimeField()),
                        ("properties", models.JSONField()),
                        ("call_id", models.UUIDField()),
                    ],
                )
            ],
            database_operations=[migrations.RunSQL(EVENT_BODY, "DROP TABLE ledger_eventbody")],
        ),
        migrations.RunSQL(ROOM_FOR_UPDATES, "ALTER TABLE ledger_dailyusage RESET (fillfactor)"),
        migrations.RunSQL(HOURLY_USAGE, "DROP VIEW ledger_hourlyusage"),
    ]
