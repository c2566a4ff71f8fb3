"""Concurrent twins: the retried write sees what the other has done, and a read sees one instant."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import connection, connections

from billing_site.foundation.models import TestClock
from billing_site.foundation.transactions import read_snapshot, repeatable_read

START = datetime(2025, 10, 1, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


def in_threads(count, work):
    """Run `work` in so many threads at once; whatever one raises is raised here."""
    errors = []

    def run():
        try:
            work()
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_read_then_write_loses_no_update():
    clock = TestClock.objects.create(instant=START)

    @repeatable_read
    def one_second_more():
        row = TestClock.objects.get()
        TestClock.objects.filter(pk=row.pk).update(instant=row.instant.replace(second=row.instant.second + 1))

    in_threads(4, lambda: [one_second_more() for _ in range(10)])
    clock.refresh_from_db()
    assert clock.instant.second == 40


def test_a_snapshot_does_not_see_what_is_committed_meanwhile():
    TestClock.objects.create(instant=START)
    later = START.replace(hour=1)
    with read_snapshot():
        before = TestClock.objects.get().instant
        in_threads(1, lambda: TestClock.objects.update(instant=later))
        assert TestClock.objects.get().instant == before == START
    assert TestClock.objects.get().instant == later


def test_a_snapshot_writes_nothing():
    with pytest.raises(Exception, match="read-only transaction"), read_snapshot():
        TestClock.objects.create(instant=START)
    assert connection.in_atomic_block is False
    assert TestClock.objects.count() == 0
