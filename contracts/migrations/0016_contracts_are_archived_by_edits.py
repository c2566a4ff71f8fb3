"""A contract is archived by an edit of its own kind, so that what was agreed before it can still be told."""

from django.db import migrations, models

from billing_site.foundation.operations import AddConstraint, AddConstraintNotValid, AlterField, RemoveConstraint

KINDS = ["CLAIMS", "CREATION", "EDIT", "ARCHIVE", "NAMED_SCHEDULE", "BALANCE"]


class Migration(migrations.Migration):
    dependencies = [("contracts", "0015_recurring_commits")]

    operations = [
        AlterField(
            model_name="contractedit",
            name="kind",
            field=models.CharField(
                choices=[
                    ("CLAIMS", "subjects claimed or released"),
                    ("CREATION", "contract created"),
                    ("EDIT", "contract edited"),
                    ("ARCHIVE", "contract archived"),
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
                    models.Q(("contract__isnull", False), ("kind__in", ["CREATION", "EDIT", "ARCHIVE"])),
                    ("kind", "NAMED_SCHEDULE"),
                    _connector="OR",
                ),
                name="what_is_agreed_is_edited_in_a_contract",
            ),
        ),
        AddConstraint(
            model_name="contractedit",
            constraint=models.UniqueConstraint(
                fields=["contract"], condition=models.Q(("kind", "ARCHIVE")), name="a_contract_is_archived_once"
            ),
        ),
    ]
