"""The constraints of the migration before, validated: rows are read, and nobody who writes has to wait."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("pricing", "0008_rates_suit_their_products")]
    operations = [
        ValidateConstraint(model_name="rate", name=name)
        for name in (
            "a_share_is_not_more_than_all",
            "a_quantity_is_not_negative",
            "a_subscription_is_prorated",
            "a_commit_rate_says_what_its_type_needs",
            "only_usage_has_a_commit_rate",
            "only_subscriptions_are_billed_by_frequency",
        )
    ]
