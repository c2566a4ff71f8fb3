"""What Salesforce calls a customer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contracts", "0023_what_other_systems_call_a_deal")]
    operations = [
        migrations.AddField(model, "salesforce_account_id", models.CharField(blank=True, default="", max_length=160))
        for model in ("customer", "historicalcustomer")
    ]
