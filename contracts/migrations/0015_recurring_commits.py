"""Commits and credits that are granted anew each period; like all terms, never overwritten."""

import django.db.models.deletion
import django.db.models.lookups
from django.db import migrations, models

import billing_site.foundation.columns
import billing_site.foundation.ids
from billing_site.foundation.operations import CreateModel

NEVER_OVERWRITTEN = """
CREATE TRIGGER contracts_recurringcommit_never_overwritten BEFORE UPDATE OR DELETE ON contracts_recurringcommit
FOR EACH ROW EXECUTE FUNCTION refuse_change_of_a_term();
CREATE TRIGGER contracts_recurringcommit_no_truncate BEFORE TRUNCATE ON contracts_recurringcommit
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_a_term()
"""
OVERWRITTEN = """
DROP TRIGGER contracts_recurringcommit_no_truncate ON contracts_recurringcommit;
DROP TRIGGER contracts_recurringcommit_never_overwritten ON contracts_recurringcommit
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0014_edits_of_commits"),
        ("pricing", "0012_formulas"),
    ]

    operations = [
        CreateModel(
            name="RecurringCommit",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.IntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("name", models.CharField(blank=True, default="", max_length=160)),
                ("description", models.TextField(blank=True, default="")),
                ("priority", models.DecimalField(decimal_places=12, default=100, max_digits=28)),
                ("rate_type", models.CharField(default="LIST_RATE", max_length=16)),
                ("rollover_fraction", models.DecimalField(decimal_places=12, max_digits=28, null=True)),
                ("applicable_product_ids", models.JSONField(default=list)),
                ("applicable_product_tags", models.JSONField(default=list)),
                ("specifiers", models.JSONField(default=list)),
                ("contract_ended_at", models.DateTimeField(null=True)),
                ("type", models.CharField(choices=[("PREPAID", "Prepaid"), ("CREDIT", "Credit")], max_length=16)),
                ("access_type", models.CharField(default="SPEND", max_length=16)),
                ("access_unit_price", models.DecimalField(decimal_places=12, max_digits=38)),
                ("access_quantity", models.DecimalField(decimal_places=12, max_digits=38)),
                ("invoice_unit_price", models.DecimalField(decimal_places=12, max_digits=38, null=True)),
                ("invoice_quantity", models.DecimalField(decimal_places=12, max_digits=38, null=True)),
                ("starting_at", models.DateTimeField()),
                ("ending_before", models.DateTimeField(null=True)),
                (
                    "duration",
                    models.PositiveIntegerField(
                        default=1, help_text="For so many periods can each instance be drawn on."
                    ),
                ),
                (
                    "frequency",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("DAILY", "Daily"),
                            ("WEEKLY", "Weekly"),
                            ("MONTHLY", "Monthly"),
                            ("QUARTERLY", "Quarterly"),
                            ("ANNUAL", "Annual"),
                        ],
                        default="",
                        help_text="Empty: with each usage document.",
                        max_length=16,
                    ),
                ),
                (
                    "proration",
                    models.CharField(
                        choices=[
                            ("NONE", "None"),
                            ("FIRST", "First"),
                            ("LAST", "Last"),
                            ("FIRST_AND_LAST", "First And Last"),
                        ],
                        default="FIRST_AND_LAST",
                        max_length=16,
                    ),
                ),
                ("access_decimal_places", models.SmallIntegerField(null=True)),
                ("access_rounding_method", models.CharField(blank=True, default="", max_length=16)),
                ("invoice_decimal_places", models.SmallIntegerField(null=True)),
                ("invoice_rounding_method", models.CharField(blank=True, default="", max_length=16)),
                (
                    "added_by_edit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="added_%(class)ss",
                        to="contracts.contractedit",
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="recurring", to="contracts.contract"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.customer"
                    ),
                ),
                (
                    "first_row",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="later_rows",
                        to="contracts.recurringcommit",
                    ),
                ),
                (
                    "invoice_unit",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="pricing.pricingunit",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="pricing.product"
                    ),
                ),
                (
                    "removed_by_edit",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="removed_%(class)ss",
                        to="contracts.contractedit",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="pricing.pricingunit"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("rate_type__in", ["LIST_RATE", "COMMIT_RATE"])),
                        name="recurringcommit_rate_type_is_known",
                        violation_error_message="rate_type must be one of LIST_RATE, COMMIT_RATE.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("priority")))),
                        name="recurringcommit_priority_is_a_number",
                        violation_error_message="priority must be a number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(billing_site.foundation.columns._IsNotNaN(models.F("rollover_fraction")))
                        ),
                        name="recurringcommit_rollover_fraction_is_a_number",
                        violation_error_message="rollover_fraction must be a number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("rollover_fraction", None),
                            models.Q(("rollover_fraction__gte", 0), ("rollover_fraction__lte", 1)),
                            _connector="OR",
                        ),
                        name="no_more_than_all_of_a_recurringcommit_rolls_over",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starting_at__isnull", True),
                            django.db.models.lookups.Exact(
                                billing_site.foundation.columns._EpochHour(models.F("starting_at")), models.Value(0)
                            ),
                            _connector="OR",
                        ),
                        name="recurringcommit_starting_at_is_on_the_hour",
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
                        name="recurringcommit_ending_before_is_on_the_hour",
                        violation_error_message="ending_before must be on the hour (UTC).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("contract_ended_at__isnull", True),
                            django.db.models.lookups.Exact(
                                billing_site.foundation.columns._EpochHour(models.F("contract_ended_at")),
                                models.Value(0),
                            ),
                            _connector="OR",
                        ),
                        name="recurringcommit_contract_ended_at_is_on_the_hour",
                        violation_error_message="contract_ended_at must be on the hour (UTC).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ending_before__isnull", True),
                            ("starting_at__isnull", True),
                            ("ending_before__gt", models.F("starting_at")),
                            _connector="OR",
                        ),
                        name="recurringcommit_ends_after_it_starts",
                        violation_error_message="ending_before must be later than starting_at.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("type__in", ["PREPAID", "CREDIT"])),
                        name="recurringcommit_type_is_known",
                        violation_error_message="type must be one of PREPAID, CREDIT.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("access_type__in", ["SPEND", "QUANTITY"])),
                        name="recurringcommit_access_type_is_known",
                        violation_error_message="access_type must be one of SPEND, QUANTITY.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("frequency__in", ["", "DAILY", "WEEKLY", "MONTHLY", "QUARTERLY", "ANNUAL"])
                        ),
                        name="recurringcommit_frequency_is_known",
                        violation_error_message="frequency must be one of , DAILY, WEEKLY, MONTHLY, QUARTERLY, ANNUAL.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("proration__in", ["NONE", "FIRST", "LAST", "FIRST_AND_LAST"])),
                        name="recurringcommit_proration_is_known",
                        violation_error_message="proration must be one of NONE, FIRST, LAST, FIRST_AND_LAST.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(billing_site.foundation.columns._IsNotNaN(models.F("access_unit_price")))
                        ),
                        name="recurringcommit_access_unit_price_is_a_number",
                        violation_error_message="access_unit_price must be a number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(billing_site.foundation.columns._IsNotNaN(models.F("access_quantity")))
                        ),
                        name="recurringcommit_access_quantity_is_a_number",
                        violation_error_message="access_quantity must be a number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(billing_site.foundation.columns._IsNotNaN(models.F("invoice_unit_price")))
                        ),
                        name="recurringcommit_invoice_unit_price_is_a_number",
                        violation_error_message="invoice_unit_price must be a number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(billing_site.foundation.columns._IsNotNaN(models.F("invoice_quantity")))
                        ),
                        name="recurringcommit_invoice_quantity_is_a_number",
                        violation_error_message="invoice_quantity must be a number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("access_quantity__gt", 0), ("access_unit_price__gt", 0)),
                        name="what_recurs_grants_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("invoice_quantity", None), ("invoice_unit", None), ("invoice_unit_price", None)),
                            models.Q(
                                ("invoice_quantity__isnull", False),
                                ("invoice_unit_price__isnull", False),
                                ("invoice_quantity__gte", 0),
                                ("invoice_unit_price__gte", 0),
                                ("type", "PREPAID"),
                            ),
                            _connector="OR",
                        ),
                        name="what_is_paid_for_what_recurs_is_a_price_and_a_quantity",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("duration__gte", 1)), name="an_instance_lasts_for_a_period"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                models.Q(("access_decimal_places", None), ("access_rounding_method", "")),
                                models.Q(
                                    ("access_decimal_places__isnull", False),
                                    ("access_rounding_method__in", ["HALF_UP", "FLOOR", "CEILING"]),
                                ),
                                _connector="OR",
                            ),
                            models.Q(
                                models.Q(("invoice_decimal_places", None), ("invoice_rounding_method", "")),
                                models.Q(
                                    ("invoice_decimal_places__isnull", False),
                                    ("invoice_rounding_method__in", ["HALF_UP", "FLOOR", "CEILING"]),
                                ),
                                _connector="OR",
                            ),
                        ),
                        name="what_is_rounded_says_how_and_where_to",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("contract_ended_at", None), ("first_row__isnull", False), _connector="OR"),
                        name="only_what_takes_over_knows_an_earlier_end",
                    ),
                ],
            },
        ),
        migrations.RunSQL(NEVER_OVERWRITTEN, OVERWRITTEN),
    ]
