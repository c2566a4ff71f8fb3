"""What is for each one of a subscription may be a balance of each seat's own."""

from django.db import migrations, models

from billing_site.foundation.operations import AddConstraint, AlterField, RemoveConstraint


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0030_billing_providers"),
    ]

    operations = [
        RemoveConstraint(
            model_name="recurringcommit",
            name="an_allowance_by_the_seat_is_for_one_of_a_subscription",
        ),
        AlterField(
            model_name="recurringcommit",
            name="allocation",
            field=models.CharField(
                blank=True,
                choices=[("POOLED", "Pooled"), ("INDIVIDUAL", "Individual")],
                default="",
                max_length=16,
            ),
        ),
        AddConstraint(
            model_name="recurringcommit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("allocation", ""), ("is_increase_prorated", None), ("subscription", None)),
                    models.Q(
                        ("access_quantity", 1),
                        ("is_increase_prorated__isnull", False),
                        ("subscription__isnull", False),
                        ("allocation__in", ["POOLED", "INDIVIDUAL"]),
                        models.Q(("frequency", "DAILY"), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="an_allowance_by_the_seat_is_for_one_of_a_subscription",
            ),
        ),
        AddConstraint(
            model_name="recurringcommit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("allocation", "INDIVIDUAL"), _negated=True),
                    ("rollover_fraction", None),
                    _connector="OR",
                ),
                name="what_a_seat_has_of_its_own_does_not_roll_over",
            ),
        ),
    ]
