"""Commits and credits that belong to no contract but to the customer; segments that an edit changes keep their id."""

import django.db.models.deletion
from django.db import migrations, models

from billing_site.foundation.operations import (
    AddConstraint,
    AddConstraintNotValid,
    AddField,
    AlterField,
    RemoveConstraint,
)

KINDS = ["CLAIMS", "CREATION", "EDIT", "NAMED_SCHEDULE", "BALANCE"]


class Migration(migrations.Migration):
    dependencies = [("contracts", "0009_prepaid_commits_and_credits")]

    operations = [
        AlterField(
            model_name="contractedit",
            name="kind",
            field=models.CharField(
                choices=[
                    ("CLAIMS", "subjects claimed or released"),
                    ("CREATION", "contract created"),
                    ("EDIT", "contract edited"),
                    ("NAMED_SCHEDULE", "named schedule written"),
                    ("BALANCE", "commit or credit of the customer"),
                ],
                max_length=16,
            ),
        ),
        RemoveConstraint(model_name="contractedit", name="contractedit_kind_is_known"),
        RemoveConstraint(model_name="contractedit", name="what_is_agreed_is_edited_in_a_contract"),
        # Edits may be many, and those made before are of fewer kinds: no row has to be looked at.
        AddConstraintNotValid(
            model_name="contractedit",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", KINDS)),
                name="contractedit_kind_is_known",
                violation_error_message=f"kind must be one of {', '.join(KINDS)}.",
            ),
        ),
        AddConstraintNotValid(
            model_name="contractedit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("contract__isnull", True), ("kind__in", ["CLAIMS", "BALANCE"])),
                    models.Q(("contract__isnull", False), ("kind__in", ["CREATION", "EDIT"])),
                    ("kind", "NAMED_SCHEDULE"),
                    _connector="OR",
                ),
                name="what_is_agreed_is_edited_in_a_contract",
            ),
        ),
        AddField(
            model_name="commit",
            name="applicable_contract_ids",
            field=models.JSONField(default=list),
        ),
        AddField(
            model_name="commit",
            name="invoice_contract",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="contracts.contract",
            ),
        ),
        AddField(
            model_name="commit",
            name="uniqueness_key",
            field=models.CharField(max_length=128, null=True),
        ),
        AddField(
            model_name="accesssegment",
            name="first_row",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="contracts.accesssegment",
            ),
        ),
        AddConstraint(
            model_name="commit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("contract", None),
                    models.Q(("applicable_contract_ids", []), ("invoice_contract", None), ("uniqueness_key", None)),
                    _connector="OR",
                ),
                name="only_what_is_the_customers_names_contracts",
            ),
        ),
        AddConstraint(
            model_name="commit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("type", "POSTPAID"), _negated=True),
                    ("contract__isnull", False),
                    ("invoice_contract__isnull", False),
                    _connector="OR",
                ),
                name="what_is_postpaid_has_a_contract_that_bills_it",
            ),
        ),
        AddConstraint(
            model_name="commit",
            constraint=models.UniqueConstraint(
                condition=models.Q(("uniqueness_key__isnull", False)),
                fields=("customer", "uniqueness_key"),
                name="a_balance_key_is_used_once",
            ),
        ),
        AddConstraint(
            model_name="accesssegment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("first_row__isnull", False), ("removed_by_edit", None)),
                fields=("first_row",),
                name="a_segment_stands_once",
            ),
        ),
    ]
