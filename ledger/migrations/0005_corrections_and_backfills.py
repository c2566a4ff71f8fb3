"""Corrections of events, metrics measured back over events that came before them, and months whose bodies
were dropped: three new tables.

Values that cannot be read are derived from events, so an amended event takes its own along: their table loses the
triggers that kept facts. That needs its lock for an instant, and waits for ingest calls under way to end.

Longest write stall at a million rows: 0.66 s on two cores that were busy with other work, where a write took up to
0.10 s without it.
"""

from django.db import migrations, models

import billing_site.foundation.columns
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_levels_and_unique_values")]
    operations = [
        CreateModel(
            name="EventCorrection",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "subject",
                        "transaction_id",
                        "number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("subject", models.TextField(db_collation="C")),
                ("transaction_id", models.TextField(db_collation="C")),
                ("number", models.IntegerField()),
                ("kind", models.CharField(choices=[("VOID", "Void"), ("AMEND", "Amend")], max_length=8)),
                ("event_type", models.TextField(null=True)),
                ("timestamp", models.DateTimeField(null=True)),
                ("properties", models.JSONField(null=True)),
                ("reason", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=160)),
                ("actor_id", models.CharField(blank=True, default="", max_length=64)),
                ("xid", billing_site.foundation.columns.XidField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["VOID", "AMEND"])),
                        name="eventcorrection_kind_is_known",
                        violation_error_message="kind must be one of VOID, AMEND.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("number__gte", 1)), name="corrections_of_an_event_are_numbered_from_one"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="a_correction_says_why"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("event_type", None), ("kind", "VOID"), ("properties", None), ("timestamp", None)),
                            models.Q(
                                ("event_type__isnull", False),
                                ("kind", "AMEND"),
                                ("properties__isnull", False),
                                ("timestamp__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="an_amended_event_has_a_content",
                    ),
                ],
                "indexes": [models.Index(fields=["created_at"], name="corrections_by_time")],
            },
        ),
        CreateModel(
            name="MetricBackfill",
            fields=[
                ("metric_id", models.UUIDField(primary_key=True, serialize=False)),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("month", models.DateField(null=True)),
                ("subject", models.TextField(db_collation="C", default="")),
                ("transaction_id", models.TextField(db_collation="C", default="")),
                ("events_before", models.BigIntegerField()),
                ("events_seen", models.BigIntegerField(default=0)),
                ("events_counted", models.BigIntegerField(default=0)),
            ],
        ),
        CreateModel(
            name="DroppedMonth",
            fields=[
                ("month", models.DateField(primary_key=True, serialize=False)),
                ("events", models.BigIntegerField()),
                ("dropped_at", models.DateTimeField()),
                ("dropped_by", models.CharField(max_length=160)),
            ],
        ),
        *append_only("ledger_eventcorrection", "ledger_droppedmonth"),
        *(migrations.RunSQL(operation.reverse_sql, operation.sql) for operation in append_only("ledger_unreadvalue")),
    ]
