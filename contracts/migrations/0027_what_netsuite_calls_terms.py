"""What NetSuite calls the order that a commit, a credit or a charge was sold by, and Salesforce one of the customer."""

from django.db import migrations, models
from django.db.models import Q

from billing_site.foundation.operations import AddConstraint, AddField


def text(model: str, name: str) -> migrations.AddField:
    return AddField(model, name, models.CharField(blank=True, default="", max_length=160))


class Migration(migrations.Migration):
    dependencies = [("contracts", "0026_ends_that_come_late")]
    operations = [
        *(
            text(model, "netsuite_sales_order_id")
            for model in ("commit", "commitversion", "recurringcommit", "scheduledcharge")
        ),
        text("commit", "salesforce_opportunity_id"),
        AddConstraint(
            model_name="commit",
            constraint=models.CheckConstraint(
                condition=Q(contract=None) | Q(salesforce_opportunity_id=""),
                name="what_is_a_contracts_belongs_to_its_opportunity",
            ),
        ),
    ]
