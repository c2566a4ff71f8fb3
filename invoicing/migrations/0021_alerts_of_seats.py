"""Alerts watch what each seat has of its own, too."""

from django.db import migrations, models

from billing_site.foundation.operations import AddConstraint, RemoveConstraint


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0036_professional_services"),
        ("invoicing", "0020_historical_invoices"),
        ("pricing", "0013_unique_custom_fields"),
    ]

    operations = [
        RemoveConstraint(
            model_name="alert",
            name="what_an_alert_watches_is_known",
        ),
        AddConstraint(
            model_name="alert",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "type__in",
                        [
                            "SPEND_THRESHOLD_REACHED",
                            "USAGE_THRESHOLD_REACHED",
                            "INVOICE_TOTAL_REACHED",
                            "LOW_REMAINING_COMMIT_BALANCE_REACHED",
                            "LOW_REMAINING_COMMIT_PERCENTAGE_REACHED",
                            "LOW_REMAINING_CONTRACT_CREDIT_BALANCE_REACHED",
                            "LOW_REMAINING_CONTRACT_CREDIT_PERCENTAGE_REACHED",
                            "LOW_REMAINING_CONTRACT_CREDIT_AND_COMMIT_BALANCE_REACHED",
                            "LOW_REMAINING_CONTRACT_CREDIT_AND_COMMIT_PERCENTAGE_REACHED",
                            "LOW_REMAINING_DAYS_FOR_COMMIT_SEGMENT_REACHED",
                            "LOW_REMAINING_DAYS_FOR_CONTRACT_CREDIT_SEGMENT_REACHED",
                            "LOW_REMAINING_SEAT_BALANCE_REACHED",
                            "LOW_CREDIT_BALANCE_REACHED",
                            "LOW_REMAINING_CREDIT_PERCENTAGE_REACHED",
                            "LOW_REMAINING_DAYS_IN_PLAN_REACHED",
                            "MONTHLY_INVOICE_TOTAL_SPEND_THRESHOLD_REACHED",
                        ],
                    )
                ),
                name="what_an_alert_watches_is_known",
            ),
        ),
        AddConstraint(
            model_name="alert",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("type", "LOW_REMAINING_SEAT_BALANCE_REACHED"), _negated=True),
                    models.Q(("group_values", []), _negated=True),
                    _connector="OR",
                ),
                name="an_alert_of_seats_says_what_tells_them_apart",
            ),
        ),
    ]
