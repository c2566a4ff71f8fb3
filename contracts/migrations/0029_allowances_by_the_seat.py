"""Recurring commits and credits may be for each one of a subscription."""

import django.db.models.deletion
from django.db import migrations, models

from billing_site.foundation.operations import AddConstraint, AddField


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0028_charges_on_usage_invoices"),
    ]

    operations = [
        AddField(
            model_name="recurringcommit",
            name="allocation",
            field=models.CharField(blank=True, choices=[("POOLED", "Pooled")], default="", max_length=16),
        ),
        AddField(
            model_name="recurringcommit",
            name="is_increase_prorated",
            field=models.BooleanField(null=True),
        ),
        AddField(
            model_name="recurringcommit",
            name="subscription",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="allowances",
                to="contracts.subscription",
            ),
        ),
        AddConstraint(
            model_name="recurringcommit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("allocation", ""), ("is_increase_prorated", None), ("subscription", None)),
                    models.Q(
                        ("allocation", "POOLED"),
                        ("is_increase_prorated__isnull", False),
                        ("subscription__isnull", False),
                        ("access_quantity", 1),
                        models.Q(("frequency", "DAILY"), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="an_allowance_by_the_seat_is_for_one_of_a_subscription",
            ),
        ),
    ]
