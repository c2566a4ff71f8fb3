"""A product that had a tax code of its own is taxed at the standard rate again."""

from django.db import migrations, models

from billing_site.foundation.operations import AlterField, RemoveConstraint

# Taken back: a row that is empty says no more than no row.
NOTHING = migrations.RunSQL.noop
WITHOUT_EMPTY_ROWS = "DELETE FROM contracts_producttaxcode WHERE tax_code = ''"


def code_field() -> models.CharField:
    help_text = "As in Tax rates; empty: taxed at the standard rate."
    return models.CharField(blank=True, default="", help_text=help_text, max_length=64)


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0033_providers_and_royalties_of_contracts"),
    ]

    operations = [
        RemoveConstraint(
            model_name="producttaxcode",
            name="a_tax_code_is_not_empty",
        ),
        migrations.RunSQL(NOTHING, WITHOUT_EMPTY_ROWS),
        AlterField(
            model_name="historicalproducttaxcode",
            name="tax_code",
            field=code_field(),
        ),
        AlterField(
            model_name="producttaxcode",
            name="tax_code",
            field=code_field(),
        ),
    ]
