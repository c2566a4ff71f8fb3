"""Entries that people post, with why. What was posted before is of the other types, so no row has to be looked at."""

from django.db import migrations, models

from billing_site.foundation.operations import AddConstraintNotValid, AddField, AlterField, RemoveConstraint

TYPES = [
    "PREPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION",
    "POSTPAID_COMMIT_AUTOMATED_INVOICE_DEDUCTION",
    "CREDIT_AUTOMATED_INVOICE_DEDUCTION",
    "POSTPAID_COMMIT_TRUEUP",
    "PREPAID_COMMIT_MANUAL",
    "POSTPAID_COMMIT_MANUAL",
    "CREDIT_MANUAL",
]
MANUAL = TYPES[4:]


class Migration(migrations.Migration):
    dependencies = [("ledger", "0010_event_bodies_by_time")]

    operations = [
        AddField(
            model_name="ledgerentry",
            name="reason",
            field=models.TextField(blank=True, default=""),
        ),
        RemoveConstraint(model_name="ledgerentry", name="ledgerentry_type_is_known"),
        RemoveConstraint(model_name="ledgerentry", name="deductions_name_their_invoice"),
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
                    models.Q(("invoice_id__isnull", False), ("segment_id__isnull", False)),
                    ("type", "POSTPAID_COMMIT_TRUEUP"),
                    ("type__in", MANUAL),
                    _connector="OR",
                ),
                name="deductions_name_their_invoice",
            ),
        ),
        AddConstraintNotValid(
            model_name="ledgerentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("type__in", MANUAL), _negated=True),
                    models.Q(
                        ("billed_amount", 0),
                        ("invoice_id", None),
                        ("segment_id__isnull", False),
                        models.Q(("reason", ""), _negated=True),
                        models.Q(("amount", 0), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="an_entry_by_hand_says_why_and_bills_nothing",
            ),
        ),
    ]
