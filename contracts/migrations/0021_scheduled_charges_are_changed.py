"""The dates of a scheduled charge change by rows that stand in for others, as those of a commit do."""

import django.db.models.deletion
from django.db import migrations, models

from billing_site.foundation.operations import AddConstraint, AddField


class Migration(migrations.Migration):
    dependencies = [("contracts", "0020_end_policies")]
    operations = [
        AddField(
            model_name="scheduledchargeitem",
            name="first_row",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="contracts.scheduledchargeitem",
            ),
        ),
        AddConstraint(
            model_name="scheduledchargeitem",
            constraint=models.UniqueConstraint(
                condition=models.Q(("first_row__isnull", False), ("removed_by_edit", None)),
                fields=("first_row",),
                name="a_charge_item_stands_once",
            ),
        ),
    ]
