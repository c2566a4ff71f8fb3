"""Heads of proposed notes, so that their queue computes nothing, and what they were last made from."""

import django.db.models.deletion
from django.db import migrations, models

import billing_site.foundation.columns
from billing_site.foundation.operations import AddField, CreateModel


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0017_numbers_over_all_customers"),
        ("invoicing", "0013_notes_by_hand"),
        ("pricing", "0012_formulas"),
    ]
    operations = [
        AddField(
            model_name="customersummary",
            name="notes_money_version",
            field=models.BigIntegerField(null=True),
        ),
        AddField(
            model_name="customersummary",
            name="notes_publication",
            field=models.BigIntegerField(null=True),
        ),
        CreateModel(
            name="NoteSummary",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("total", models.DecimalField(decimal_places=12, max_digits=38)),
                ("because", models.JSONField()),
                ("findings", models.IntegerField()),
                (
                    "about",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="invoicing.invoice"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contracts.customer"
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
                "verbose_name": "proposed note",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("total")))),
                        name="notesummary_total_is_a_number",
                        violation_error_message="total must be a number.",
                    )
                ],
            },
        ),
    ]
