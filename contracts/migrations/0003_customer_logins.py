"""Logins of customers: each sees one customer, and nothing else."""

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import billing_site.foundation.ids
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0002_append_only_terms"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModel(
            name="CustomerLogin",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="logins", to="contracts.customer"
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="customer_login",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        CreateModel(
            name="HistoricalCustomerLogin",
            fields=[
                ("actor_kind", models.CharField(default="", max_length=16)),
                ("actor_label", models.CharField(default="", max_length=160)),
                ("actor_id", models.CharField(default="", max_length=64)),
                ("source", models.CharField(default="", max_length=16)),
                ("request_id", models.CharField(default="", max_length=64)),
                ("id", models.UUIDField(db_index=True, default=billing_site.foundation.ids.uuid7, editable=False)),
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
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical customer login",
                "verbose_name_plural": "historical customer logins",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [models.Index(fields=["history_date", "id"], name="contracts_h_history_9ea320_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        *append_only("contracts_historicalcustomerlogin"),
    ]
