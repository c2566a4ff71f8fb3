"""Documents of usage that was invoiced elsewhere. What was final before is of the other kinds: no row is looked at."""

from django.db import migrations, models

from billing_site.foundation.operations import AddConstraintNotValid, AlterField, RemoveConstraint

KINDS = ["USAGE", "CHARGES", "TRUE_UP", "ADJUSTMENT", "NOTE", "HISTORICAL"]
CHOICES = [
    ("USAGE", "usage of a billing period"),
    ("CHARGES", "scheduled charges of a date"),
    ("TRUE_UP", "true-up of a postpaid commit"),
    ("ADJUSTMENT", "late usage of a contract that is over"),
    ("NOTE", "credit or debit note"),
    ("HISTORICAL", "usage invoiced elsewhere"),
]


def kind_is_known(model):
    return models.CheckConstraint(
        condition=models.Q(("kind__in", KINDS)),
        name=f"{model}_kind_is_known",
        violation_error_message=f"kind must be one of {', '.join(KINDS)}.",
    )


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0019_what_drafts_sell")]

    operations = [
        RemoveConstraint(model_name="invoice", name="invoice_kind_is_known"),
        RemoveConstraint(model_name="invoice", name="a_usage_invoice_has_a_period"),
        RemoveConstraint(model_name="draftsummary", name="draftsummary_kind_is_known"),
        *(
            AlterField(model_name=model, name="kind", field=models.CharField(choices=CHOICES, max_length=16))
            for model in ("invoice", "draftsummary")
        ),
        AddConstraintNotValid(model_name="invoice", constraint=kind_is_known("invoice")),
        AddConstraintNotValid(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("ending_before__gt", models.F("starting_at")),
                        ("ending_before__isnull", False),
                        ("kind__in", ["USAGE", "ADJUSTMENT", "HISTORICAL"]),
                        ("starting_at__isnull", False),
                        ("type", "USAGE"),
                    ),
                    models.Q(
                        ("ending_before", None),
                        ("kind__in", ["CHARGES", "TRUE_UP", "NOTE"]),
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
