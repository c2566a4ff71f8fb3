"""One group for each role; what it may do is written in billing_site/roles.py and given after the migrations."""

from typing import Any

from django.db import migrations

ROLES = ["RevOps editor", "Approver", "Finance", "Auditor", "Operator", "Customer viewer"]


def make(apps: Any, editor: Any) -> None:
    groups = apps.get_model("auth", "Group").objects.using(editor.connection.alias)
    for name in ROLES:
        groups.get_or_create(name=name)


def take_back(apps: Any, editor: Any) -> None:
    apps.get_model("auth", "Group").objects.using(editor.connection.alias).filter(name__in=ROLES).delete()


class Migration(migrations.Migration):
    initial = True
    dependencies = [("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.RunPython(make, take_back)]
