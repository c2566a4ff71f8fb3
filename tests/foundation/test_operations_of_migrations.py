"""Migrations change models by the operations that do not build related models anew."""

from django.contrib.postgres import operations as postgres
from django.db import migrations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from billing_site.foundation import operations

OURS = {"foundation", "billing_site", "pricing", "contracts", "ledger", "invoicing"}
SLOW = {
    base
    for ours in vars(operations).values()
    if isinstance(ours, type) and issubclass(ours, Operation)
    for base in ours.__bases__
    if base.__module__.startswith("django.")
}


def test_no_migration_takes_djangos_own() -> None:
    assert {migrations.AddConstraint, postgres.AddConstraintNotValid, migrations.AddField} <= SLOW
    found = [
        f"{app}.{name}: {operation.describe()}"
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
        if app in OURS
        for operation in _flat(migration.operations)
        if type(operation) in SLOW
    ]
    assert not found, "take them from billing_site.foundation.operations"


def _flat(listed: list) -> list:
    """Those that stand within `SeparateDatabaseAndState` too."""
    inner = [
        within
        for each in listed
        if isinstance(each, migrations.SeparateDatabaseAndState)
        for within in (*each.database_operations, *each.state_operations)
    ]
    return listed + inner
