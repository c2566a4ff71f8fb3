"""What voiding a document gives back. What was posted before is of the other types, so no row has to be looked at."""

from django.db import migrations, models

from billing_site.foundation.operations import AddConstraintNotValid, AlterField, RemoveConstraint

TYPES = [
    "PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION",
    "POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION",
    "CREDIT_AUTOMATED_INVOICE_DEDUCTION",
    "POSTPAID_COMMIT_TRUEUP",
    "PREPAID_COMMIT_MANUAL",
    "POSTPAID_COMMIT_MANUAL",
    "CREDIT_MANUAL",
    "PREPAID_COMMIT_ROLLOVER",
    "POSTPAID_COMMIT_ROLLOVER",
    "CREDIT_ROLLOVER",
    "PREPAID_COMMIT_CREDITED",
    "CREDIT_CREDITED",
]


class Migration(migrations.Migration):
    dependencies = [("ledger", "0014_what_is_taken_from_segments")]
    operations = [
        RemoveConstraint(model_name="ledgerentry", name="ledgerentry_type_is_known"),
        AlterField(
            model_name="ledgerentry",
            name="type",
            field=models.CharField(
                choices=[(name, name.replace("_", " ").title()) for name in TYPES],
                max_length=64,
            ),
        ),
        AddConstraintNotValid(
            model_name="ledgerentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("type__in", TYPES)),
                name="ledgerentry_type_is_known",
                violation_error_message=f"type must be one of {', '.join(TYPES)}.",
            ),
        ),
    ]
