"""Which billing provider and revenue system a contract is for, and what resellers get."""

from django.db import migrations, models

import billing_site.foundation.columns
from billing_site.foundation.operations import AddConstraint, AddField


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0032_custom_fields_may_change"),
    ]

    operations = [
        AddField(
            model_name="contractterms",
            name="providers",
            field=models.JSONField(default=list),
        ),
        AddField(
            model_name="contractterms",
            name="royalties",
            field=models.JSONField(default=list),
        ),
        AddConstraint(
            model_name="contractterms",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(billing_site.foundation.columns._NumbersAreText(models.F("royalties"), key="fraction")),
                    models.Q(
                        billing_site.foundation.columns._NumbersAreText(
                            models.F("royalties"), key="reseller_contract_value"
                        )
                    ),
                ),
                name="contractterms_royalties_keep_numbers_as_text",
                violation_error_message="royalties must be a list with its numbers as text.",
            ),
        ),
    ]
