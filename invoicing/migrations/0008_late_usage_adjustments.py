"""Documents of late usage. What was finalized before is of the other kinds, so no row has to be looked at."""

from django.db import migrations, models

from billing_site.foundation.operations import AddConstraintNotValid, AlterField, RemoveConstraint

KINDS = ["USAGE", "CHARGES", "TRUE_UP", "ADJUSTMENT"]
CHOICES = [
    ("USAGE", "usage of a billing period"),
    ("CHARGES", "scheduled charges of a date"),
    ("TRUE_UP", "true-up of a postpaid commit"),
    ("ADJUSTMENT", "late usage of a contract that is over"),
]


def kind_is_known(model):
    return models.CheckConstraint(
        condition=models.Q(("kind__in", KINDS)),
        name=f"{model}_kind_is_known",
        violation_error_message=f"kind must be one of {', '.join(KINDS)}.",
    )


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0007_totals_with_tax")]

    operations = [
        RemoveConstraint(model_name="invoice", name="invoice_kind_is_known"),
        RemoveConstraint(model_name="invoice", name="a_usage_invoice_has_a_period"),
        RemoveConstraint(model_name="draftsummary", name="draftsummary_kind_is_known"),
        AlterField(model_name="invoice", name="kind", field=models.CharField(choices=CHOICES, max_length=16)),
        AlterField(model_name="draftsummary", name="kind", field=models.CharField(choices=CHOICES, max_length=16)),
        AddConstraintNotValid(model_name="invoice", constraint=kind_is_known("invoice")),
        AddConstraintNotValid(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("ending_before__gt", models.F("starting_at")),
                        ("ending_before__isnull", False),
                        ("kind__in", ["USAGE", "ADJUSTMENT"]),
                        ("starting_at__isnull", False),
                        ("type", "USAGE"),
                    ),
                    models.Q(
                        ("ending_before", None),
                        ("kind__in", ["CHARGES", "TRUE_UP"]),
                        ("starting_at", None),
                        ("type", "SCHEDULED"),
                    ),
                    _connector="OR",
                ),
                name="a_usage_invoice_has_a_period",
            ),
        ),
        AddConstraintNotValid(model_name="draftsummary", constraint=kind_is_known("draftsummary")),
    ]
