"""What a contract is worth, and what other systems call it."""

from django.db import migrations, models

from billing_site.foundation.columns import is_a_number
from billing_site.foundation.operations import AddConstraint, AddField


def fields(model: str) -> list[migrations.AddField]:
    return [
        AddField(
            model, "total_contract_value", models.DecimalField(blank=True, decimal_places=12, max_digits=38, null=True)
        ),
        *(
            AddField(model, name, models.CharField(blank=True, default="", max_length=160))
            for name in ("salesforce_opportunity_id", "netsuite_sales_order_id")
        ),
    ]


class Migration(migrations.Migration):
    dependencies = [("contracts", "0022_subscriptions")]
    operations = [
        *fields("contract"),
        *fields("historicalcontract"),
        AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=is_a_number("total_contract_value").condition,
                name="contract_total_contract_value_is_a_number",
                violation_error_message="total_contract_value must be a number.",
            ),
        ),
    ]
