"""Terms of a contract say which usage is the contract's."""

from django.db import migrations, models

from billing_site.foundation.operations import AddField


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0017_numbers_over_all_customers"),
    ]

    operations = [
        AddField(
            model_name="contractterms",
            name="usage_filters",
            field=models.JSONField(default=list),
        ),
    ]
