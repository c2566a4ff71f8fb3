"""Fixed tax rates, and products with a tax code of their own."""

import django.db.models.deletion
import django.db.models.lookups
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import billing_site.foundation.columns
import billing_site.foundation.ids
from billing_site.foundation.facts import append_only
from billing_site.foundation.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0012_renewals"),
        ("pricing", "0012_formulas"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModel(
            name="TaxRate",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(help_text="As printed: VAT.", max_length=80)),
                (
                    "tax_code",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Empty: for products without a code of their own.",
                        max_length=64,
                    ),
                ),
                (
                    "country",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Of the buyer, in two letters: DE. Empty: for buyers of any country without a rate.",
                        max_length=2,
                    ),
                ),
                (
                    "percent",
                    models.DecimalField(decimal_places=6, help_text="Of a hundred: 19, 8.875, 0.", max_digits=9),
                ),
                ("starting_at", models.DateTimeField(help_text="UTC, on the hour.")),
                ("ending_before", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starting_at__isnull", True),
                            django.db.models.lookups.Exact(
                                billing_site.foundation.columns._EpochHour(models.F("starting_at")), models.Value(0)
                            ),
                            _connector="OR",
                        ),
                        name="taxrate_starting_at_is_on_the_hour",
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
                        name="taxrate_ending_before_is_on_the_hour",
                        violation_error_message="ending_before must be on the hour (UTC).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ending_before__isnull", True),
                            ("starting_at__isnull", True),
                            ("ending_before__gt", models.F("starting_at")),
                            _connector="OR",
                        ),
                        name="taxrate_ends_after_it_starts",
                        violation_error_message="ending_before must be later than starting_at.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("country", ""), ("country__regex", "^[A-Z]{2}$"), _connector="OR"),
                        name="taxrate_country_is_a_code",
                        violation_error_message="A country is two capital letters, as in DE.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("percent")))),
                        name="taxrate_percent_is_a_number",
                        violation_error_message="percent must be a number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("percent__gte", 0), ("percent__lte", 100)),
                        name="a_tax_takes_no_more_than_all",
                        violation_error_message="A percentage is from 0 to 100.",
                    ),
                    models.UniqueConstraint(
                        fields=("tax_code", "country", "starting_at"),
                        name="one_tax_rate_begins_at_a_time",
                        violation_error_message="Another rate for this code and country begins at the same time.",
                    ),
                ],
            },
        ),
        CreateModel(
            name="HistoricalProductTaxCode",
            fields=[
                ("actor_kind", models.CharField(default="", max_length=16)),
                ("actor_label", models.CharField(default="", max_length=160)),
                ("actor_id", models.CharField(default="", max_length=64)),
                ("source", models.CharField(default="", max_length=16)),
                ("request_id", models.CharField(default="", max_length=64)),
                ("id", models.UUIDField(db_index=True, default=billing_site.foundation.ids.uuid7, editable=False)),
                ("tax_code", models.CharField(help_text="As in Tax rates.", max_length=64)),
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
                (
                    "product",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pricing.product",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical product tax code",
                "verbose_name_plural": "historical product tax codes",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [models.Index(fields=["history_date", "id"], name="contracts_h_history_d82f52_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        CreateModel(
            name="HistoricalTaxRate",
            fields=[
                ("actor_kind", models.CharField(default="", max_length=16)),
                ("actor_label", models.CharField(default="", max_length=160)),
                ("actor_id", models.CharField(default="", max_length=64)),
                ("source", models.CharField(default="", max_length=16)),
                ("request_id", models.CharField(default="", max_length=64)),
                ("id", models.UUIDField(db_index=True, default=billing_site.foundation.ids.uuid7, editable=False)),
                ("name", models.CharField(help_text="As printed: VAT.", max_length=80)),
                (
                    "tax_code",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Empty: for products without a code of their own.",
                        max_length=64,
                    ),
                ),
                (
                    "country",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Of the buyer, in two letters: DE. Empty: for buyers of any country without a rate.",
                        max_length=2,
                    ),
                ),
                (
                    "percent",
                    models.DecimalField(decimal_places=6, help_text="Of a hundred: 19, 8.875, 0.", max_digits=9),
                ),
                ("starting_at", models.DateTimeField(help_text="UTC, on the hour.")),
                ("ending_before", models.DateTimeField(blank=True, null=True)),
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
                "verbose_name": "historical tax rate",
                "verbose_name_plural": "historical tax rates",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "indexes": [models.Index(fields=["history_date", "id"], name="contracts_h_history_9a9971_idx")],
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        CreateModel(
            name="ProductTaxCode",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("tax_code", models.CharField(help_text="As in Tax rates.", max_length=64)),
                (
                    "product",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="tax_code", to="pricing.product"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("tax_code", ""), _negated=True), name="a_tax_code_is_not_empty"
                    )
                ],
            },
        ),
        *append_only("contracts_historicaltaxrate", "contracts_historicalproducttaxcode"),
    ]
