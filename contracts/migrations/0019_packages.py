"""Packages: templates that contracts are made from. Their names are facts, and so is what they say."""

import django.db.models.deletion
import django.db.models.lookups
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import billing_site.foundation.columns
import billing_site.foundation.ids
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import AddField, CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0018_usage_filters"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModel(
            name="Package",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=160)),
                ("template", models.JSONField()),
                ("uniqueness_key", models.CharField(blank=True, max_length=128, null=True)),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=160)),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("uniqueness_key__isnull", False)),
                        fields=("uniqueness_key",),
                        name="a_package_key_is_used_once",
                    )
                ],
            },
        ),
        AddField(
            model_name="contract",
            name="package",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contracts",
                to="contracts.package",
            ),
        ),
        AddField(
            model_name="historicalcontract",
            name="package",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="contracts.package",
            ),
        ),
        CreateModel(
            name="HistoricalPackage",
            fields=[
                ("actor_kind", models.CharField(default="", max_length=16)),
                ("actor_label", models.CharField(default="", max_length=160)),
                ("actor_id", models.CharField(default="", max_length=64)),
                ("source", models.CharField(default="", max_length=16)),
                ("request_id", models.CharField(default="", max_length=64)),
                ("id", models.UUIDField(db_index=True, default=billing_site.foundation.ids.uuid7, editable=False)),
                ("name", models.CharField(max_length=160)),
                ("template", models.JSONField()),
                ("uniqueness_key", models.CharField(blank=True, max_length=128, null=True)),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=160)),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
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
                "verbose_name": "historical package",
                "verbose_name_plural": "historical packages",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [models.Index(fields=["history_date", "id"], name="contracts_h_history_f82630_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        CreateModel(
            name="PackageAlias",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=160)),
                ("starting_at", models.DateTimeField(null=True)),
                ("ending_before", models.DateTimeField(null=True)),
                (
                    "package",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="aliases", to="contracts.package"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "package aliases",
                "indexes": [models.Index(fields=["name"], name="packages_by_alias")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starting_at__isnull", True),
                            django.db.models.lookups.Exact(
                                billing_site.foundation.columns._EpochHour(models.F("starting_at")), models.Value(0)
                            ),
                            _connector="OR",
                        ),
                        name="packagealias_starting_at_is_on_the_hour",
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
                        name="packagealias_ending_before_is_on_the_hour",
                        violation_error_message="ending_before must be on the hour (UTC).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ending_before__isnull", True),
                            ("starting_at__isnull", True),
                            ("ending_before__gt", models.F("starting_at")),
                            _connector="OR",
                        ),
                        name="packagealias_ends_after_it_starts",
                        violation_error_message="ending_before must be later than starting_at.",
                    ),
                ],
            },
        ),
        *append_only("contracts_packagealias", "contracts_historicalpackage"),
        migrations.RunSQL(
            "CREATE TRIGGER contracts_package_template_stays BEFORE UPDATE ON contracts_package FOR EACH ROW "
            "WHEN (OLD.template IS DISTINCT FROM NEW.template) EXECUTE FUNCTION refuse_change_of_a_fact()",
            "DROP TRIGGER contracts_package_template_stays ON contracts_package",
        ),
    ]
