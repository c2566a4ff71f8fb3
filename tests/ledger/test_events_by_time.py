"""Every month of event bodies is indexed by time, those that were there before and those to come."""

from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.db import connection

from ledger.services.partitions import ensure_partition

migration = import_module("ledger.migrations.0010_event_bodies_by_time")
JUNE, JULY = datetime(2019, 6, 1, tzinfo=UTC), datetime(2019, 7, 1, tzinfo=UTC)


def indexed():
    """Whether the index as a whole is valid, and the months that have their part of it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT indisvalid FROM pg_index WHERE indexrelid = 'ledger_eventbody_by_time'::regclass), "
            "array_agg(indrelid::regclass::text ORDER BY indrelid::regclass::text) "
            "FROM pg_inherits JOIN pg_index ON indexrelid = inhrelid "
            "WHERE inhparent = 'ledger_eventbody_by_time'::regclass AND indisvalid "
            "AND indrelid::regclass::text ~ '_2019_'"
        )
        is_valid, months = cursor.fetchone()
    return is_valid, months or []


def run(function):
    with connection.schema_editor(atomic=False) as editor:
        function(None, editor)


@pytest.fixture
def months(transactional_db):
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS ledger_eventbody_2019_06, ledger_eventbody_2019_07")


@pytest.mark.usefixtures("months")
def test_months_that_are_there_get_theirs_and_a_second_run_changes_nothing():
    run(migration.drop)
    ensure_partition(JUNE)
    run(migration.create)
    assert indexed() == (True, ["ledger_eventbody_2019_06"])
    ensure_partition(JULY)
    run(migration.create)
    assert indexed() == (True, ["ledger_eventbody_2019_06", "ledger_eventbody_2019_07"])


@pytest.mark.usefixtures("months")
def test_it_goes_on_where_it_was_stopped():
    run(migration.drop)
    ensure_partition(JUNE)
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX ledger_eventbody_by_time ON ONLY ledger_eventbody " + migration.INDEX)
        cursor.execute("CREATE INDEX ledger_eventbody_2019_06_by_time ON ledger_eventbody_2019_06 (timestamp)")
    assert indexed() == (False, [])
    run(migration.create)
    assert indexed() == (True, ["ledger_eventbody_2019_06"])
