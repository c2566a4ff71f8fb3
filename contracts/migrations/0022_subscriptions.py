"""Subscriptions, what of them may be edited, and their quantities; like all terms, never overwritten."""

import django.db.models.deletion
import django.db.models.lookups
from django.db import migrations, models

import billing_site.foundation.columns
import billing_site.foundation.ids
from billing_site.foundation.operations import AddConstraint, CreateModel

TABLES = ("contracts_subscription", "contracts_subscriptionterms", "contracts_subscriptionquantity")
NEVER_OVERWRITTEN = """
CREATE TRIGGER {0}_never_overwritten BEFORE UPDATE OR DELETE ON {0}
FOR EACH ROW EXECUTE FUNCTION refuse_change_of_a_term();
CREATE TRIGGER {0}_no_truncate BEFORE TRUNCATE ON {0}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_a_term()
"""
OVERWRITTEN = """
DROP TRIGGER {0}_no_truncate ON {0};
DROP TRIGGER {0}_never_overwritten ON {0}
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0021_scheduled_charges_are_changed"),
        ("pricing", "0012_formulas"),
    ]

    operations = [
        CreateModel(
            name="Subscription",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.IntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                (
                    "frequency",
                    models.CharField(
                        choices=[
                            ("WEEKLY", "Weekly"),
                            ("MONTHLY", "Monthly"),
                            ("QUARTERLY", "Quarterly"),
                            ("ANNUAL", "Annual"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "collection_schedule",
                    models.CharField(choices=[("ADVANCE", "Advance"), ("ARREARS", "Arrears")], max_length=16),
                ),
                ("is_prorated", models.BooleanField(default=True)),
                (
                    "invoice_behavior",
                    models.CharField(
                        choices=[
                            ("BILL_IMMEDIATELY", "Bill Immediately"),
                            ("BILL_ON_NEXT_COLLECTION_DATE", "Bill On Next Collection Date"),
                        ],
                        max_length=32,
                    ),
                ),
                (
                    "invoice_placement",
                    models.CharField(
                        choices=[
                            ("ON_USAGE_INVOICE", "On Usage Invoice"),
                            ("ON_SCHEDULED_INVOICE", "On Scheduled Invoice"),
                        ],
                        default="ON_USAGE_INVOICE",
                        max_length=24,
                    ),
                ),
                ("anchor_at", models.DateTimeField(null=True)),
                ("starting_at", models.DateTimeField()),
                ("description", models.TextField(blank=True, default="")),
                ("custom_fields", models.JSONField(default=dict)),
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscriptions",
                        to="contracts.contract",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.customer"
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
            ],
        ),
        CreateModel(
            name="SubscriptionQuantity",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=billing_site.foundation.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.IntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("starting_at", models.DateTimeField()),
                ("quantity", models.DecimalField(decimal_places=12, max_digits=38)),
                ("assigned_seat_ids", models.JSONField(default=list)),
                ("is_initial", models.BooleanField(default=False)),
                ("billed_through", models.DateTimeField(null=True)),
                (
                    "added_by_edit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="added_%(class)ss",
                        to="contracts.contractedit",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.customer"
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
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="quantities",
                        to="contracts.subscription",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "quantities of subscriptions",
            },
        ),
        CreateModel(
            name="SubscriptionTerms",
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
                ("ending_before", models.DateTimeField(null=True)),
                ("decimal_places", models.SmallIntegerField(null=True)),
                ("rounding_method", models.CharField(blank=True, default="", max_length=16)),
                (
                    "mode",
                    models.CharField(
                        choices=[("QUANTITY_ONLY", "Quantity Only"), ("SEAT_BASED", "Seat Based")],
                        default="QUANTITY_ONLY",
                        max_length=16,
                    ),
                ),
                ("seat_group_key", models.CharField(blank=True, default="", max_length=256)),
                (
                    "added_by_edit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="added_%(class)ss",
                        to="contracts.contractedit",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.customer"
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
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="terms", to="contracts.subscription"
                    ),
                ),
            ],
            options={
                "verbose_name": "terms of subscriptions",
                "verbose_name_plural": "terms of subscriptions",
            },
        ),
        AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("starting_at__isnull", True),
                    django.db.models.lookups.Exact(
                        billing_site.foundation.columns._EpochHour(models.F("starting_at")), models.Value(0)
                    ),
                    _connector="OR",
                ),
                name="subscription_starting_at_is_on_the_hour",
                violation_error_message="starting_at must be on the hour (UTC).",
            ),
        ),
        AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("anchor_at__isnull", True),
                    django.db.models.lookups.Exact(
                        billing_site.foundation.columns._EpochHour(models.F("anchor_at")), models.Value(0)
                    ),
                    _connector="OR",
                ),
                name="subscription_anchor_at_is_on_the_hour",
                violation_error_message="anchor_at must be on the hour (UTC).",
            ),
        ),
        AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(("frequency__in", ["WEEKLY", "MONTHLY", "QUARTERLY", "ANNUAL"])),
                name="subscription_frequency_is_known",
                violation_error_message="frequency must be one of WEEKLY, MONTHLY, QUARTERLY, ANNUAL.",
            ),
        ),
        AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(("collection_schedule__in", ["ADVANCE", "ARREARS"])),
                name="subscription_collection_schedule_is_known",
                violation_error_message="collection_schedule must be one of ADVANCE, ARREARS.",
            ),
        ),
        AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(("invoice_behavior__in", ["BILL_IMMEDIATELY", "BILL_ON_NEXT_COLLECTION_DATE"])),
                name="subscription_invoice_behavior_is_known",
                violation_error_message="invoice_behavior must be one of BILL_IMMEDIATELY, "
                "BILL_ON_NEXT_COLLECTION_DATE.",
            ),
        ),
        AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(("invoice_placement__in", ["ON_USAGE_INVOICE", "ON_SCHEDULED_INVOICE"])),
                name="subscription_invoice_placement_is_known",
                violation_error_message="invoice_placement must be one of ON_USAGE_INVOICE, ON_SCHEDULED_INVOICE.",
            ),
        ),
        AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("collection_schedule", "ADVANCE"),
                    ("invoice_behavior", "BILL_ON_NEXT_COLLECTION_DATE"),
                    _connector="OR",
                ),
                name="only_in_advance_is_an_increase_billed_at_once",
            ),
        ),
        AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("anchor_at", None),
                    models.Q(("anchor_at__lte", models.F("starting_at")), ("collection_schedule", "ADVANCE")),
                    _connector="OR",
                ),
                name="a_subscription_starts_after_its_own_anchor",
            ),
        ),
        AddConstraint(
            model_name="subscriptionquantity",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("starting_at__isnull", True),
                    django.db.models.lookups.Exact(
                        billing_site.foundation.columns._EpochHour(models.F("starting_at")), models.Value(0)
                    ),
                    _connector="OR",
                ),
                name="subscriptionquantity_starting_at_is_on_the_hour",
                violation_error_message="starting_at must be on the hour (UTC).",
            ),
        ),
        AddConstraint(
            model_name="subscriptionquantity",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("billed_through__isnull", True),
                    django.db.models.lookups.Exact(
                        billing_site.foundation.columns._EpochHour(models.F("billed_through")), models.Value(0)
                    ),
                    _connector="OR",
                ),
                name="subscriptionquantity_billed_through_is_on_the_hour",
                violation_error_message="billed_through must be on the hour (UTC).",
            ),
        ),
        AddConstraint(
            model_name="subscriptionquantity",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("quantity")))),
                name="subscriptionquantity_quantity_is_a_number",
                violation_error_message="quantity must be a number.",
            ),
        ),
        AddConstraint(
            model_name="subscriptionquantity",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gte", 0)), name="a_subscription_is_not_to_less_than_nothing"
            ),
        ),
        AddConstraint(
            model_name="subscriptionterms",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ending_before__isnull", True),
                    django.db.models.lookups.Exact(
                        billing_site.foundation.columns._EpochHour(models.F("ending_before")), models.Value(0)
                    ),
                    _connector="OR",
                ),
                name="subscriptionterms_ending_before_is_on_the_hour",
                violation_error_message="ending_before must be on the hour (UTC).",
            ),
        ),
        AddConstraint(
            model_name="subscriptionterms",
            constraint=models.CheckConstraint(
                condition=models.Q(("mode__in", ["QUANTITY_ONLY", "SEAT_BASED"])),
                name="subscriptionterms_mode_is_known",
                violation_error_message="mode must be one of QUANTITY_ONLY, SEAT_BASED.",
            ),
        ),
        AddConstraint(
            model_name="subscriptionterms",
            constraint=models.UniqueConstraint(
                condition=models.Q(("removed_by_edit__isnull", True)),
                fields=("customer", "subscription"),
                name="one_set_of_terms_of_a_subscription_stands",
            ),
        ),
        AddConstraint(
            model_name="subscriptionterms",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decimal_places", None), ("rounding_method", "")),
                    models.Q(
                        ("decimal_places__isnull", False), ("rounding_method__in", ["HALF_UP", "FLOOR", "CEILING"])
                    ),
                    _connector="OR",
                ),
                name="what_a_subscription_rounds_says_how_and_where_to",
            ),
        ),
        AddConstraint(
            model_name="subscriptionterms",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("mode", "QUANTITY_ONLY"), ("seat_group_key", "")),
                    models.Q(("mode", "SEAT_BASED"), models.Q(("seat_group_key", ""), _negated=True)),
                    _connector="OR",
                ),
                name="seats_are_told_apart_by_a_property",
            ),
        ),
        *(migrations.RunSQL(NEVER_OVERWRITTEN.format(table), OVERWRITTEN.format(table)) for table in TABLES),
    ]
