"""Late marks: one new table, and room on its pages for rows that are written again."""

import django.db.models.lookups
from django.db import migrations, models

import billing_site.foundation.columns
from billing_site.foundation.operations import CreateModel

ROOM_FOR_UPDATES = "ALTER TABLE ledger_latemark SET (fillfactor = 80)"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_sources_and_their_authority")]
    operations = [
        CreateModel(
            name="LateMark",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "subject", "hour", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("subject", models.TextField(db_collation="C")),
                ("hour", models.DateTimeField()),
                ("xid", billing_site.foundation.columns.XidField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("hour__isnull", True),
                            django.db.models.lookups.Exact(
                                billing_site.foundation.columns._EpochHour(models.F("hour")), models.Value(0)
                            ),
                            _connector="OR",
                        ),
                        name="latemark_hour_is_on_the_hour",
                        violation_error_message="hour must be on the hour (UTC).",
                    )
                ]
            },
        ),
        migrations.RunSQL(ROOM_FOR_UPDATES, "ALTER TABLE ledger_latemark RESET (fillfactor)"),
    ]
