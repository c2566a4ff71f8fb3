"""What goes over to a renewal. What was posted before is of the other types, so no row has to be looked at."""

from django.db import migrations, models

from billing_site.foundation.operations import AddConstraintNotValid, AddField, AlterField, RemoveConstraint

ROLLOVER = ["PREPAID_COMMIT_ROLLOVER", "POSTPAID_COMMIT_ROLLOVER", "CREDIT_ROLLOVER"]
TYPES = [
    "PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION",
    "POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION",
    "CREDIT_AUTOMATED_INVOICE_DEDUCTION",
    "POSTPAID_COMMIT_TRUEUP",
    "PREPAID_COMMIT_MANUAL",
    "POSTPAID_COMMIT_MANUAL",
    "CREDIT_MANUAL",
    *ROLLOVER,
]


class Migration(migrations.Migration):
    dependencies = [("ledger", "0011_entries_by_hand")]

    operations = [
        AddField(
            model_name="ledgerentry",
            name="new_contract_id",
            field=models.UUIDField(null=True),
        ),
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
        AddConstraintNotValid(
            model_name="ledgerentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("amount__lt", 0),
                        ("billed_amount", 0),
                        ("new_contract_id__isnull", False),
                        ("type__in", ROLLOVER),
                    ),
                    models.Q(models.Q(("type__in", ROLLOVER), _negated=True), ("new_contract_id", None)),
                    _connector="OR",
                ),
                name="what_rolls_over_goes_to_a_renewal_and_bills_nothing",
            ),
        ),
    ]
