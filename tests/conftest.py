"""The database of the tests: the embedded server, or the one DATABASE_URL names."""

import gc
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as examples
from pytest_django import DjangoDbBlocker

from billing_site.api import authentication
from billing_site.server import embedded
from billing_site.server.locks import Lock
from ledger.services import partitions
from tests.browser import chromium


def pytest_configure() -> None:
    """What costs time in tests and is not what they are about: passwords that take half a second to hash, and looking
    for garbage among all that was imported. And how long an example of a law takes says how loaded the machine is, not
    whether the law holds."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    examples.register_profile("whatever the load", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    examples.load_profile("whatever the load")
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says at the end, where it is read, that a part of the tests did not run."""
    skipped = terminalreporter.stats.get("skipped", [])
    if any(chromium.MISSING in str(report.longrepr) for report in skipped):
        terminalreporter.section("No browser", red=True, bold=True)
        terminalreporter.write_line(chromium.MISSING, red=True, bold=True)


@pytest.fixture(scope="session", autouse=True)
def _a_second_is_as_long_as_the_run() -> None:
    """A token that was looked up stays so, however slow the machine is: tests count queries."""
    authentication.REMEMBERED_SECONDS = float("inf")


@pytest.fixture(autouse=True)
def _partitions_are_looked_for_again() -> Iterator[None]:
    """A test that is rolled back takes back the partitions that it made, whatever this process has seen."""
    yield
    partitions.forget_all()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Called before the first test database is made, in each xdist worker: a copy of one that is migrated."""
    database = settings.DATABASES["default"]
    database["CONN_MAX_AGE"] = 0  # a live server's threads leave no connection behind
    database["OPTIONS"]["options"] += " -c synchronous_commit=off"  # no test pulls the plug on this database
    if settings.USES_EMBEDDED_DATABASE:
        embedded.ensure_running(settings.DATA_DIR)
    with Lock(settings.DATA_DIR / "tests.lock") as making, django_db_blocker.unblock():
        assert making.wait_exclusive(600), "another process has been migrating for ten minutes"
        database["TEST"]["TEMPLATE"] = _migrated()


def _migrated() -> str:
    """The name of a database with the migrations as they are now, made where there is none: to migrate an empty one
    takes much longer than to copy it."""
    stem = f"{settings.DATABASES['default']['NAME']}_migrated_"
    name = f"{stem}{_fingerprint()}"
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [stem])
        held = {found for (found,) in cursor.fetchall()}
        for found in held - {name}:
            cursor.execute(f'DROP DATABASE "{found}"')
        if name in held:
            return name
        cursor.execute(f'CREATE DATABASE "{name}_begun"')
    connection.settings_dict["NAME"], original = f"{name}_begun", connection.settings_dict["NAME"]
    try:
        call_command("migrate", verbosity=0)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = original
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{name}_begun" RENAME TO "{name}"')
    return name


def _fingerprint() -> str:
    """Of whatever migrations do: of theirs and of the foundation that they stand on, and of other people's."""
    root = Path(settings.BASE_DIR)
    files = sorted({*root.glob("*/migrations/*.py"), *root.glob("*/foundation/**/*.py"), root / "constraints.txt"})
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:8]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Keeps a copy of the rows that migrations brought, for tests that commit: see `_empty`."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS as_migrated CASCADE")
        cursor.execute("CREATE SCHEMA as_migrated")
        for table in _tables():
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}")')
            if cursor.fetchone() == (True,):
                cursor.execute(f'CREATE TABLE as_migrated."{table}" AS TABLE "{table}"')
    TransactionTestCase._fixture_teardown = _empty


def _empty(case: TransactionTestCase) -> None:
    """Return the database to what migrations made of it.

    Django's own way would be stopped by the triggers that keep facts, and would lose the migrations' rows. A test fills
    few of the tables, and to delete a few rows costs a quarter of what it costs to truncate a hundred tables.
    """
    filled = " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT FROM \"{table}\")" for table in _tables())
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(filled)
        for (table,) in cursor.fetchall():
            cursor.execute(f'DELETE FROM "{table}"')
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'as_migrated'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'INSERT INTO "{table}" SELECT * FROM as_migrated."{table}"')
        cursor.execute("RESET session_replication_role")


def _tables() -> list[str]:
    return [table for table in connection.introspection.table_names() if table != "django_migrations"]
