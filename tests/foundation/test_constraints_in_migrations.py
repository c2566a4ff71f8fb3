"""Migrations add and remove constraints by the operations that do not build related models anew."""

from django.contrib.postgres import operations as postgres
from django.db import migrations
from django.db.migrations.loader import MigrationLoader

OURS = {"foundation", "billing_site", "pricing", "contracts", "ledger", "invoicing"}
SLOW = {migrations.AddConstraint, migrations.RemoveConstraint, postgres.AddConstraintNotValid}


def test_no_migration_takes_djangos_own() -> None:
    found = [
        f"{app}.{name}: {operation.describe()}"
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
        if app in OURS
        for operation in migration.operations
        if type(operation) in SLOW
    ]
    assert not found, "take them from billing_site.foundation.constraints"
