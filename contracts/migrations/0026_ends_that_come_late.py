"""A subscription that ends where usage documents were final before: its last fees have a document of their own."""

from django.db import migrations, models
from django.db.models import Q

from billing_site.foundation.operations import AddConstraint, AddField


class Migration(migrations.Migration):
    dependencies = [("contracts", "0025_start_of_invoicing")]
    operations = [
        AddField("subscriptionterms", "is_ended_late", models.BooleanField(default=False)),
        AddConstraint(
            "subscriptionterms",
            models.CheckConstraint(
                condition=Q(is_ended_late=False) | Q(ending_before__isnull=False),
                name="what_of_a_subscription_ended_late_ends",
            ),
        ),
    ]
