"""Summaries of balances that count units of what is sold have no pricing unit."""

import django.db.models.deletion
from django.db import migrations, models

from billing_site.foundation.operations import AlterField


class Migration(migrations.Migration):
    dependencies = [
        ("invoicing", "0003_summaries"),
        ("pricing", "0008_rates_suit_their_products"),
    ]

    operations = [
        AlterField(
            model_name="commitmentsummary",
            name="unit",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="pricing.pricingunit",
            ),
        ),
    ]
