"""Alerts, how customers stand with them, and the facts of who went into alarm and came back."""

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import billing_site.foundation.columns
import billing_site.foundation.ids
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import AddConstraint, AddIndex, CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("foundation", "0002_append_only_facts"),
        ("contracts", "0019_packages"),
        ("invoicing", "0015_drafts_with_tax"),
        ("pricing", "0012_formulas"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=160)),
                ("type", models.CharField(max_length=80)),
                ("threshold", models.DecimalField(decimal_places=12, max_digits=38)),
                ("access_type", models.CharField(blank=True, default="", max_length=16)),
                ("group_values", models.JSONField(blank=True, default=list)),
                ("custom_field_filters", models.JSONField(blank=True, default=list)),
                ("specifiers", models.JSONField(blank=True, default=list)),
                ("invoice_types", models.JSONField(blank=True, default=list)),
                ("credit_grant_types", models.JSONField(blank=True, default=list)),
                ("plan_id", models.UUIDField(blank=True, null=True)),
                ("evaluate_on_create", models.BooleanField(default=True)),
                ("uniqueness_key", models.CharField(blank=True, max_length=128, null=True)),
                ("created_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=160)),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alerts",
                        to="contracts.customer",
                    ),
                ),
                (
                    "metric",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="pricing.billablemetric",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="pricing.pricingunit",
                    ),
                ),
            ],
        ),
        CreateModel(
            name="AlertState",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                (
                    "status",
                    models.CharField(choices=[("OK", "Ok"), ("IN_ALARM", "In Alarm")], default="OK", max_length=16),
                ),
                ("figure", models.DecimalField(decimal_places=12, max_digits=38, null=True)),
                ("label", models.TextField(blank=True, default="")),
                ("alarms", models.JSONField(blank=True, default=dict)),
                ("since", models.DateTimeField(null=True)),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="states", to="invoicing.alert"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alert_states",
                        to="contracts.customer",
                    ),
                ),
            ],
        ),
        CreateModel(
            name="AlertTurn",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("is_alarm", models.BooleanField()),
                ("about", models.TextField(blank=True, default="")),
                ("label", models.TextField(blank=True, default="")),
                ("figure", models.DecimalField(decimal_places=12, max_digits=38, null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="turns", to="invoicing.alert"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="alert_turns", to="contracts.customer"
                    ),
                ),
            ],
        ),
        CreateModel(
            name="HistoricalAlert",
            fields=[
                ("actor_kind", models.CharField(default="", max_length=16)),
                ("actor_label", models.CharField(default="", max_length=160)),
                ("actor_id", models.CharField(default="", max_length=64)),
                ("source", models.CharField(default="", max_length=16)),
                ("request_id", models.CharField(default="", max_length=64)),
                ("id", models.UUIDField(db_index=True, default=billing_site.foundation.ids.uuid7, editable=False)),
                ("name", models.CharField(max_length=160)),
                ("type", models.CharField(max_length=80)),
                ("threshold", models.DecimalField(decimal_places=12, max_digits=38)),
                ("access_type", models.CharField(blank=True, default="", max_length=16)),
                ("group_values", models.JSONField(blank=True, default=list)),
                ("custom_field_filters", models.JSONField(blank=True, default=list)),
                ("specifiers", models.JSONField(blank=True, default=list)),
                ("invoice_types", models.JSONField(blank=True, default=list)),
                ("credit_grant_types", models.JSONField(blank=True, default=list)),
                ("plan_id", models.UUIDField(blank=True, null=True)),
                ("evaluate_on_create", models.BooleanField(default=True)),
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
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="contracts.customer",
                    ),
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
                (
                    "metric",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pricing.billablemetric",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pricing.pricingunit",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical alert",
                "verbose_name_plural": "historical alerts",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        AddConstraint(
            model_name="alert",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "type__in",
                        [
                            "SPEND_THRESHOLD_REACHED",
                            "USAGE_THRESHOLD_REACHED",
                            "INVOICE_TOTAL_REACHED",
                            "LOW_REMAINING_COMMIT_BALANCE_REACHED",
                            "LOW_REMAINING_COMMIT_PERCENTAGE_REACHED",
                            "LOW_REMAINING_CONTRACT_CREDIT_BALANCE_REACHED",
                            "LOW_REMAINING_CONTRACT_CREDIT_PERCENTAGE_REACHED",
                            "LOW_REMAINING_CONTRACT_CREDIT_AND_COMMIT_BALANCE_REACHED",
                            "LOW_REMAINING_CONTRACT_CREDIT_AND_COMMIT_PERCENTAGE_REACHED",
                            "LOW_REMAINING_DAYS_FOR_COMMIT_SEGMENT_REACHED",
                            "LOW_REMAINING_DAYS_FOR_CONTRACT_CREDIT_SEGMENT_REACHED",
                            "LOW_CREDIT_BALANCE_REACHED",
                            "LOW_REMAINING_CREDIT_PERCENTAGE_REACHED",
                            "LOW_REMAINING_DAYS_IN_PLAN_REACHED",
                            "MONTHLY_INVOICE_TOTAL_SPEND_THRESHOLD_REACHED",
                        ],
                    )
                ),
                name="what_an_alert_watches_is_known",
            ),
        ),
        AddConstraint(
            model_name="alert",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("threshold")))),
                name="alert_threshold_is_a_number",
                violation_error_message="threshold must be a number.",
            ),
        ),
        AddConstraint(
            model_name="alert",
            constraint=models.CheckConstraint(
                condition=models.Q(("threshold__gte", 0)), name="a_threshold_is_not_below_zero"
            ),
        ),
        AddConstraint(
            model_name="alert",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("type", "USAGE_THRESHOLD_REACHED"), _negated=True),
                    ("metric__isnull", False),
                    _connector="OR",
                ),
                name="an_alert_of_usage_names_its_metric",
            ),
        ),
        AddConstraint(
            model_name="alert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("uniqueness_key__isnull", False)),
                fields=("uniqueness_key",),
                name="an_alert_key_is_used_once",
            ),
        ),
        AddIndex(
            model_name="alertstate",
            index=models.Index(
                condition=models.Q(("status", "IN_ALARM")), fields=["customer", "alert"], name="customers_in_alarm"
            ),
        ),
        AddConstraint(
            model_name="alertstate",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["OK", "IN_ALARM"])),
                name="alertstate_status_is_known",
                violation_error_message="status must be one of OK, IN_ALARM.",
            ),
        ),
        AddConstraint(
            model_name="alertstate",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("figure")))),
                name="alertstate_figure_is_a_number",
                violation_error_message="figure must be a number.",
            ),
        ),
        AddIndex(
            model_name="alertturn",
            index=models.Index(fields=["customer", "alert", "created_at"], name="turns_of_a_customer"),
        ),
        AddConstraint(
            model_name="alertturn",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("figure")))),
                name="alertturn_figure_is_a_number",
                violation_error_message="figure must be a number.",
            ),
        ),
        AddConstraint(
            model_name="alertturn",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_alarm", False), ("figure__isnull", False), _connector="OR"),
                name="an_alarm_has_a_figure",
            ),
        ),
        AddIndex(
            model_name="historicalalert",
            index=models.Index(fields=["history_date", "id"], name="invoicing_h_history_2cfb06_idx"),
        ),
        *append_only("invoicing_alertturn", "invoicing_historicalalert"),
    ]
