"""What Salesforce calls a customer."""

from django.db import migrations, models

from billing_site.foundation.operations import AddField


class Migration(migrations.Migration):
    dependencies = [("contracts", "0023_what_other_systems_call_a_deal")]
    operations = [
        AddField(model, "salesforce_account_id", models.CharField(blank=True, default="", max_length=160))
        for model in ("customer", "historicalcustomer")
    ]
