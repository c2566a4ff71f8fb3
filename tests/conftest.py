"""The database of the tests: the embedded server, or the one DATABASE_URL names."""

import gc
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

from billing_site.server import embedded
from ledger.services import partitions
from tests.browser import chromium


def pytest_configure() -> None:
    """What costs time in tests and is not what they are about: passwords that take half a second to hash, and looking
    for garbage among all that was imported."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says at the end, where it is read, that a part of the tests did not run."""
    skipped = terminalreporter.stats.get("skipped", [])
    if any(chromium.MISSING in str(report.longrepr) for report in skipped):
        terminalreporter.section("No browser", red=True, bold=True)
        terminalreporter.write_line(chromium.MISSING, red=True, bold=True)


@pytest.fixture(autouse=True)
def _partitions_are_looked_for_again() -> Iterator[None]:
    """A test that is rolled back takes back the partitions that it made, whatever this process has seen."""
    yield
    partitions.forget_all()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Called before the first test database is made, in each xdist worker."""
    settings.DATABASES["default"]["CONN_MAX_AGE"] = 0  # a live server's threads leave no connection behind
    if settings.USES_EMBEDDED_DATABASE:
        embedded.ensure_running(settings.DATA_DIR)


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

    Django's own way would be stopped by the triggers that keep facts, and would lose the migrations' rows.
    """
    tables = _tables()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("TRUNCATE " + ", ".join(f'"{table}"' for table in tables))
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'as_migrated'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'INSERT INTO "{table}" SELECT * FROM as_migrated."{table}"')
        cursor.execute("RESET session_replication_role")


def _tables() -> list[str]:
    return [table for table in connection.introspection.table_names() if table != "django_migrations"]
