"""Two finalizers of one customer, and one that is killed midway."""

import threading
from decimal import Decimal as D

import pytest
from django.db import connection

from invoicing.models import Invoice, NumberSeries
from invoicing.services.finalization import finalize_due
from ledger.models import LedgerEntry
from tests.invoicing.conftest import ADA, at, commit_of
from tests.invoicing.test_finalization import finalize, usage_draft


def run_at_once(*calls):
    """Each call in a thread of its own, all started together; what they returned or raised."""
    barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(index, call):
        try:
            barrier.wait(10)
            results[index] = call()
        except Exception as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


@pytest.mark.django_db(transaction=True)
def test_two_finalizers_at_once_make_one_document(acme):
    commit_of(acme, D(10_000))
    acme.calls("2025-10-07T00", 3)
    results = run_at_once(*[lambda: finalize(acme, usage_draft(acme))] * 4)
    assert sorted(type(result).__name__ for result in results) == ["Invoice", *["NothingToFinalize"] * 3]
    assert (Invoice.objects.count(), LedgerEntry.objects.count()) == (1, 1)
    assert NumberSeries.objects.get().last_number == 1


@pytest.mark.django_db(transaction=True)
def test_two_runs_over_everything_due_make_each_document_once(acme):
    for month in (10, 11, 12):
        acme.calls(f"2025-{month}-07T00", month)
    commit_of(acme, D(10_000))
    late = at("2026-01-02")
    outcomes = run_at_once(*[lambda: finalize_due(acme.customer.pk, at=late, by=ADA)] * 2)
    assert sum(len(outcome.finalized) for outcome in outcomes) == 4
    numbers = Invoice.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == [f"INV-00000{number}" for number in (1, 2, 3, 4)]
    assert Invoice.objects.get(kind="TRUE_UP").total == 10_000 - 2 * (10 + 11 + 12)


@pytest.mark.django_db(transaction=True)
def test_a_finalizer_killed_midway_leaves_nothing_behind(acme):
    acme.calls("2025-10-07T00", 3)
    commit_of(acme, D(10_000))

    class Killed(BaseException):
        pass

    def die_at_the_entries(execute, sql, params, many, context):
        if sql.startswith('INSERT INTO "ledger_ledgerentry"'):
            raise Killed
        return execute(sql, params, many, context)

    with pytest.raises(Killed), connection.execute_wrapper(die_at_the_entries):
        finalize(acme, usage_draft(acme))
    acme.contract.refresh_from_db()
    assert (Invoice.objects.count(), NumberSeries.objects.count(), acme.contract.billed_through) == (0, 0, None)
    assert finalize(acme, usage_draft(acme)).number == "INV-000001"
