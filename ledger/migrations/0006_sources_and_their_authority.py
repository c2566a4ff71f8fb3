"""Who may send what, and who sends it when. `ledger_ingestcall` gets a column without a default: no row is written.

An event type is told from others by a hash in the exclusion constraint, as ranges are all that a plain PostgreSQL can
exclude by: two types that met in its 64 bits would share an authority.

Longest write stall at a million rows: 0.77 s on two cores that were busy with other work, where a write took up to
0.10 s without it.
"""

import django.db.models.deletion
import django.db.models.lookups
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import billing_site.foundation.columns
import billing_site.foundation.ids
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import AddField, CreateModel

ONE_AUTHORITY = """
ALTER TABLE ledger_sourceauthority ADD CONSTRAINT an_event_type_has_one_authority_at_a_time EXCLUDE USING gist (
    numrange(hashtextextended(event_type, 0)::numeric, hashtextextended(event_type, 0)::numeric, '[]') WITH &&,
    tstzrange(starting_at, ending_before) WITH &&
)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0005_corrections_and_backfills"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModel(
            name="SourceActivity",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "source", "event_type", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("source", models.CharField(max_length=160)),
                ("event_type", models.CharField(max_length=256)),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("calls", models.BigIntegerField()),
                ("events", models.BigIntegerField()),
                ("usual_gap_seconds", models.FloatField(null=True)),
            ],
            options={
                "verbose_name_plural": "source activity",
            },
        ),
        AddField(
            model_name="ingestcall",
            name="event_types",
            field=models.JSONField(null=True),
        ),
        CreateModel(
            name="ActivityRead",
            fields=[
                ("id", models.BooleanField(default=True, primary_key=True, serialize=False)),
                ("through", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", True)), name="activity_is_read_to_one_place")
                ],
            },
        ),
        CreateModel(
            name="RefusedCall",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("source", models.CharField(max_length=160)),
                ("token_id", models.UUIDField(null=True)),
                ("event_type", models.CharField(max_length=256)),
                ("authority", models.CharField(max_length=160)),
                ("events", models.IntegerField()),
                ("refused_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["refused_at"], name="refused_calls_by_time")],
            },
        ),
        CreateModel(
            name="SourceAuthority",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("event_type", models.CharField(max_length=256)),
                ("source", models.CharField(max_length=160)),
                ("starting_at", models.DateTimeField(help_text="By the time of receipt, on the hour.")),
                ("ending_before", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(editable=False)),
                ("created_by", models.CharField(editable=False, max_length=160)),
            ],
            options={
                "verbose_name_plural": "source authorities",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starting_at__isnull", True),
                            django.db.models.lookups.Exact(
                                billing_site.foundation.columns._EpochHour(models.F("starting_at")), models.Value(0)
                            ),
                            _connector="OR",
                        ),
                        name="sourceauthority_starting_at_is_on_the_hour",
                        violation_error_message="starting_at must be on the hour (UTC).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ending_before__isnull", True),
                            django.db.models.lookups.Exact(
                                billing_site.foundation.columns._EpochHour(models.F("ending_before")), models.Value(0)
                            ),
                            _connector="OR",
                        ),
                        name="sourceauthority_ending_before_is_on_the_hour",
                        violation_error_message="ending_before must be on the hour (UTC).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ending_before__isnull", True),
                            ("starting_at__isnull", True),
                            ("ending_before__gt", models.F("starting_at")),
                            _connector="OR",
                        ),
                        name="sourceauthority_ends_after_it_starts",
                        violation_error_message="ending_before must be later than starting_at.",
                    ),
                ],
            },
        ),
        CreateModel(
            name="HistoricalSourceAuthority",
            fields=[
                ("actor_kind", models.CharField(default="", max_length=16)),
                ("actor_label", models.CharField(default="", max_length=160)),
                ("actor_id", models.CharField(default="", max_length=64)),
                ("request_id", models.CharField(default="", max_length=64)),
                ("id", models.UUIDField(db_index=True, default=billing_site.foundation.ids.uuid7, editable=False)),
                ("event_type", models.CharField(max_length=256)),
                ("source", models.CharField(max_length=160)),
                ("starting_at", models.DateTimeField(help_text="By the time of receipt, on the hour.")),
                ("ending_before", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(editable=False)),
                ("created_by", models.CharField(editable=False, max_length=160)),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "history_id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("history_date", models.DateTimeField()),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical source authority",
                "verbose_name_plural": "historical source authorities",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [models.Index(fields=["history_date", "id"], name="ledger_hist_history_4d9c4c_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.RunSQL(
            ONE_AUTHORITY,
            "ALTER TABLE ledger_sourceauthority DROP CONSTRAINT an_event_type_has_one_authority_at_a_time",
        ),
        *append_only("ledger_refusedcall", "ledger_historicalsourceauthority"),
    ]
