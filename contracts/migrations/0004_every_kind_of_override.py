"""Columns for tiers of multipliers, for whole tariffs instead of a price, and for what holds while a balance pays."""

from django.db import migrations, models

from billing_site.foundation.operations import AddField, AlterField, RemoveConstraint


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0003_customer_logins"),
        ("pricing", "0003_currencies"),
    ]

    operations = [
        RemoveConstraint(
            model_name="override",
            name="override_type_is_known",
        ),
        RemoveConstraint(
            model_name="override",
            name="an_override_says_what_its_type_needs",
        ),
        AddField(
            model_name="override",
            name="is_commit_specific",
            field=models.BooleanField(default=False, help_text="Holds only while a balance pays."),
        ),
        AddField(
            model_name="override",
            name="is_prorated",
            field=models.BooleanField(null=True),
        ),
        AddField(
            model_name="override",
            name="package_size",
            field=models.DecimalField(decimal_places=12, max_digits=38, null=True),
        ),
        AddField(
            model_name="override",
            name="quantity",
            field=models.DecimalField(decimal_places=12, max_digits=38, null=True),
        ),
        AddField(
            model_name="override",
            name="rate_tiers",
            field=models.JSONField(default=list),
        ),
        AddField(
            model_name="override",
            name="rate_type",
            field=models.CharField(blank=True, default="", max_length=24),
        ),
        AddField(
            model_name="override",
            name="target",
            field=models.CharField(
                choices=[("LIST_RATE", "List Rate"), ("COMMIT_RATE", "Commit Rate")], default="LIST_RATE", max_length=16
            ),
        ),
        AddField(
            model_name="override",
            name="tiers",
            field=models.JSONField(default=list),
        ),
        AlterField(
            model_name="override",
            name="type",
            field=models.CharField(
                blank=True,
                choices=[("MULTIPLIER", "Multiplier"), ("OVERWRITE", "Overwrite"), ("TIERED", "Tiered")],
                default="",
                help_text="Empty: entitlement only.",
                max_length=16,
            ),
        ),
    ]
