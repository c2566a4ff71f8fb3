"""What happens at the end of a contract. The column is new, so every row passes."""

from django.db import migrations, models

from billing_site.foundation.operations import AddConstraint, AddField


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0019_packages"),
    ]

    operations = [
        AddField(
            model_name="contractterms",
            name="end_policy",
            field=models.CharField(
                choices=[("STOP", "it stops"), ("LIST_PRICE", "it goes on at list prices"), ("RENEW", "it renews")],
                default="STOP",
                max_length=16,
            ),
        ),
        AddConstraint(
            model_name="contractterms",
            constraint=models.CheckConstraint(
                condition=models.Q(("end_policy__in", ["STOP", "LIST_PRICE", "RENEW"])),
                name="contractterms_end_policy_is_known",
                violation_error_message="end_policy must be one of STOP, LIST_PRICE, RENEW.",
            ),
        ),
        AddConstraint(
            model_name="contractterms",
            constraint=models.CheckConstraint(
                condition=models.Q(("ending_before__isnull", False), ("end_policy", "STOP"), _connector="OR"),
                name="what_has_no_end_goes_on_by_itself",
            ),
        ),
    ]
