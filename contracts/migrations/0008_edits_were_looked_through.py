"""The constraints of the migration before, validated: rows are read, and nobody who edits has to wait."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("contracts", "0007_named_schedules")]
    operations = [
        ValidateConstraint(model_name="contractedit", name=name)
        for name in ("contractedit_kind_is_known", "what_is_agreed_is_edited_in_a_contract")
    ]
