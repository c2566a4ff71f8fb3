"""Finalizers that are killed: between two documents, and in the midst of one. What they leave is gone on from.

The process is a real one and is ended by SIGKILL at a statement of its own; the database sees a client that is gone.
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

pytestmark = pytest.mark.django_db(transaction=True)

DUE = "2026-01-02"
# Does the job whose id is given, and ends itself at the n-th statement that contains a text.
FINALIZER = """
import os, signal, sys
import django
django.setup()
from django.conf import settings
from django.db import connection
settings.SANDBOX = True
connection.settings_dict["NAME"], job, text, left = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])

def die(execute, sql, params, many, context):
    global left
    if text and text in sql:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return execute(sql, params, many, context)

from billing_site.foundation import jobs
with connection.execute_wrapper(die):
    print(jobs.run(job))
"""
LOCK, NUMBER = '"money_version" = ', "give_entity_number"
ENTRIES, LINES = 'INSERT INTO "ledger_ledgerentry"', 'INSERT INTO "invoicing_invoiceline"'


def finalizer(row, text="", nth=0):
    """How a process ends that is to die at the n-th statement with `text`: its return code, and what it said."""
    done = subprocess.run(
        [sys.executable, "-c", FINALIZER, connection.settings_dict["NAME"], str(row.pk), text, str(nth)],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "billing_site.settings"},
        cwd=django_settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout.strip() or done.stderr[-2_000:]


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
