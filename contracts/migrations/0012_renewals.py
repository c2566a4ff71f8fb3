"""What a renewal takes over of the contract that it renews. Both columns are new, so every row passes."""

import django.db.models.deletion
from django.db import migrations, models

import billing_site.foundation.columns
from billing_site.foundation.operations import AddConstraint, AddField


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0011_legal_entity_and_billing_profiles"),
        ("pricing", "0012_formulas"),
    ]

    operations = [
        AddField(
            model_name="commit",
            name="rollover_fraction",
            field=models.DecimalField(decimal_places=12, max_digits=28, null=True),
        ),
        AddField(
            model_name="contract",
            name="renews",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="contracts.contract",
            ),
        ),
        AddField(
            model_name="historicalcontract",
            name="renews",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="contracts.contract",
            ),
        ),
        AddConstraint(
            model_name="commit",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(billing_site.foundation.columns._IsNotNaN(models.F("rollover_fraction")))),
                name="commit_rollover_fraction_is_a_number",
                violation_error_message="rollover_fraction must be a number.",
            ),
        ),
        AddConstraint(
            model_name="commit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("rollover_fraction", None),
                    models.Q(("rollover_fraction__gte", 0), ("rollover_fraction__lte", 1)),
                    _connector="OR",
                ),
                name="no_more_than_all_of_a_commit_rolls_over",
            ),
        ),
        AddConstraint(
            model_name="commit",
            constraint=models.CheckConstraint(
                condition=models.Q(("contract__isnull", False), ("rollover_fraction", None), _connector="OR"),
                name="what_is_the_customers_stays_and_does_not_roll_over",
            ),
        ),
        AddConstraint(
            model_name="contract",
            constraint=models.UniqueConstraint(
                condition=models.Q(("renews__isnull", False)),
                fields=("customer", "renews"),
                name="a_contract_is_renewed_once",
            ),
        ),
        AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(("renews", models.F("id")), _negated=True), name="no_contract_renews_itself"
            ),
        ),
    ]
