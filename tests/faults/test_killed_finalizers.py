"""Finalizers that are killed: between two documents, and in the midst of one. What they leave is gone on from. And two
that are at one customer at once, as a job was delivered twice, or one of them stood still until it was given up.

The processes are real ones, ended or stopped by a signal at a statement of their own; the database sees a client that
is gone, or one that keeps its locks and says nothing.
"""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.conf import settings as django_settings
from django.db import connection

from billing_site.foundation import clock, jobs
from billing_site.foundation.models import Job
from contracts.models import Contract
from invoicing.models import EntityNumber, Invoice, InvoiceLine
from invoicing.services import queue_due_work, verify_invoice
from ledger.models import LedgerEntry
from tests.factories.contracts import LegalEntityFactory
from tests.invoicing.conftest import JANUARY, acme, clock_at, commit_of, price_list  # noqa: F401  fixtures
from tests.site.running import until

pytestmark = pytest.mark.django_db(transaction=True)

DUE = "2026-01-02"
# Does the job whose id is given, and sends itself a signal at the n-th statement that contains a text.
FINALIZER = """
import os, signal, sys
import django
django.setup()
from django.conf import settings
from django.db import connection
settings.SANDBOX = True
connection.settings_dict["NAME"], job, text, left = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
sent = signal.Signals(int(sys.argv[5]))

def interrupted(execute, sql, params, many, context):
    global left
    if text and text in sql:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), sent)
    return execute(sql, params, many, context)

from billing_site.foundation import jobs
with connection.execute_wrapper(interrupted):
    print(jobs.run(job))
"""
LOCK, NUMBER = "SET money_version = ", "give_entity_number"
ENTRIES, LINES = 'INSERT INTO "ledger_ledgerentry"', 'INSERT INTO "invoicing_invoiceline"'


def begun(row, text="", nth=0, sent=signal.SIGKILL):
    """A process that does the job, and sends itself the signal at the n-th statement with `text`."""
    given = (connection.settings_dict["NAME"], str(row.pk), text, str(nth), str(int(sent)))
    return subprocess.Popen(
        [sys.executable, "-c", FINALIZER, *given],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "billing_site.settings"},
        cwd=django_settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process):
    """Its return code, and what it said."""
    said, complained = process.communicate(timeout=120)
    return process.returncode, said.strip() or complained[-2_000:]


def finalizer(row, text="", nth=0):
    return ended(begun(row, text, nth))


def taken_up_again(row):
    """As the next minute's sweep does once the heartbeat is old."""
    Job.objects.filter(pk=row.pk).update(heartbeat_at=clock.wall_time() - timedelta(minutes=5))
    jobs.sweep()


def test_a_finalizer_killed_again_and_again_makes_each_document_once(acme, clock_at):  # noqa: F811
    LegalEntityFactory(numbering="PER_LEGAL_ENTITY", number_prefix="DE")
    for month in (10, 11, 12):
        acme.calls(f"2025-{month}-07T00", month)
    commit_of(acme, D(10_000))
    clock_at(DUE)
    [row] = queue_due_work(at=JANUARY + timedelta(days=1))
    # Between October and November; then in the midst of November, of December, of the true-up.
    for text, nth, documents in ((LOCK, 2, 1), (LINES, 1, 1), (NUMBER, 2, 2), (ENTRIES, 2, 3)):
        assert finalizer(row, text, nth)[0] == -signal.SIGKILL, text
        assert Invoice.objects.count() == documents
        row.refresh_from_db()
        assert row.state == "RUNNING"
        taken_up_again(row)
    assert finalizer(row) == (0, "done")
    assert jobs.run(str(row.pk)) == "left"  # delivered once more

    invoices = list(Invoice.objects.order_by("number"))
    assert [invoice.number for invoice in invoices] == [f"DE-INV-{each:06d}" for each in (1, 2, 3, 4)]
    assert [str(given) for given in EntityNumber.objects.order_by("number")] == [each.number for each in invoices]
    assert len({(invoice.kind, invoice.slot) for invoice in invoices}) == 4
    assert sum(invoice.total for invoice in invoices) == 10_000
    assert sum(entry.billed_amount for entry in LedgerEntry.objects.all()) == -10_000
    assert InvoiceLine.objects.count() == sum(invoice.line_count for invoice in invoices)
    assert Contract.objects.get().billed_through == JANUARY
    assert [verify_invoice(invoice).differences for invoice in invoices] == [()] * 4


@pytest.fixture
def owed(acme, clock_at):  # noqa: F811
    """The job of three months that are due, of 10, 11 and 12 calls at 2 cents."""
    for month in (10, 11, 12):
        acme.calls(f"2025-{month}-07T00", month)
    clock_at(DUE)
    [row] = queue_due_work(at=JANUARY + timedelta(days=1))
    return row


def each_month_is_billed_once():
    invoices = list(Invoice.objects.order_by("number"))
    assert [(invoice.number, invoice.total) for invoice in invoices] == [
        ("INV-000001", 20),
        ("INV-000002", 22),
        ("INV-000003", 24),
    ]
    return [verify_invoice(invoice).differences for invoice in invoices] == [()] * 3


def test_a_job_delivered_to_two_processes_at_once_is_done_by_one(owed):
    outcomes = [ended(process) for process in [begun(owed), begun(owed)]]
    assert sorted(outcomes) == [(0, "done"), (0, "left")]
    assert each_month_is_billed_once()
    owed.refresh_from_db()
    assert (owed.state, owed.attempts, owed.progress) == ("DONE", 1, "3 of 3 documents, 0 held")


def test_who_stood_still_with_the_lock_and_was_given_up_bills_nothing_twice(owed):
    """It stops as it is about to write November, and goes on when another has waited for the customer's lock."""
    still = begun(owed, LINES, 2, signal.SIGSTOP)
    until(lambda: os.waitpid(still.pid, os.WUNTRACED | os.WNOHANG) != (0, 0))
    Job.objects.filter(pk=owed.pk).update(heartbeat_at=clock.wall_time() - timedelta(minutes=5))
    other = begun(owed)
    until(somebody_waits_for_a_lock)
    still.send_signal(signal.SIGCONT)
    assert {ended(still)[0], *ended(other)} == {0, "done"}
    assert each_month_is_billed_once()
    owed.refresh_from_db()
    assert (owed.state, owed.attempts) == ("DONE", 2)


def somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return cursor.fetchone()[0]
