"""A contract archived with what was billed under it, with the SDK: all of it or nothing. A call costs 2 cents."""

import metronome
import pytest

from billing_site.foundation import tokens
from contracts.models import Contract
from invoicing.models import Invoice, InvoiceVoid
from invoicing.queries.due import due_customers
from invoicing.services import NothingToRegenerate, finalize_due, regenerate_invoice, void_invoice
from ledger.models import LedgerEntry
from ledger.queries.segment_sums import segment_sums_differ
from tests.factories.contracts import ScheduledChargeFactory
from tests.invoicing.conftest import ADA, JANUARY, OCTOBER, at, commit_of, contract_for, sdk
from tests.invoicing.test_archiving import granted, listed

pytestmark = pytest.mark.django_db


@pytest.fixture
def writer(clock_at):
    clock_at("2026-01-10")
    _, secret = tokens.create_token("deals", scope="admin", at=OCTOBER, by=ADA)
    return sdk(secret)


@pytest.fixture
def ids(acme):
    return {"customer_id": str(acme.customer.pk), "contract_id": str(acme.contract.pk)}


def final_at(acme, text):
    return finalize_due(acme.customer.pk, at=at(text), by=ADA).finalized


def test_everything_is_void_and_all_that_was_drawn_is_given_back(acme, writer, ids):
    """A pack of 20, a promise of 1,000, a charge of 500; October used 60, and the true-up asked for 960."""
    commit_of(acme, 1_000)
    ScheduledChargeFactory(contract=acme.contract, item__issued_at=at("2025-10-15"), item__amount=500)
    writer.v2.contracts.edit(**ids, add_commits=[granted(20, name="Pack", type="PREPAID")])
    acme.calls("2025-10-05T10", 30)
    documents = final_at(acme, "2026-01-10")
    assert [invoice.total for invoice in documents if invoice.total] == [500, 40, 960]

    for _ in range(2):  # again: nothing more happens
        assert writer.v1.contracts.archive(**ids, void_invoices=True).data.id == ids["contract_id"]
    assert {void.reason for void in InvoiceVoid.objects.all()} == {"The contract was archived"}
    shown = writer.v1.customers.invoices.list(customer_id=ids["customer_id"]).data
    assert {invoice.status for invoice in shown} == {"VOID"}
    assert len(shown) == len(documents) == InvoiceVoid.objects.count()
    assert sum(LedgerEntry.objects.values_list("amount", flat=True)) == 0
    assert segment_sums_differ() == []
    pack = listed(writer, {"customer_id": ids["customer_id"]}, include_archived=True)["Pack"]
    assert (pack.balance, [entry.amount for entry in pack.ledger]) == (0, [20, -20, 20, -20])

    assert not InvoiceVoid.objects.waiting().exists()
    assert due_customers(at=at("2026-06-01")) == []
    with pytest.raises(NothingToRegenerate, match="was billed under is archived"):
        regenerate_invoice(acme.customer, documents[0].pk, at=at("2026-01-11"), by=ADA)


def test_it_is_all_or_nothing(acme, writer, ids):
    """A promise of the other contract, which counts this one's usage too, is trued up already."""
    other = contract_for(acme.customer, acme.prices, starting_at=JANUARY, terms__ending_before=None)
    items = [{"amount": 1_000, "starting_at": OCTOBER, "ending_before": JANUARY}]
    shared = granted(type="POSTPAID", priority=1, invoice_contract_id=str(other.pk)) | {
        "access_schedule": {"schedule_items": items},
        "invoice_schedule": {"schedule_items": [{"amount": 1_000, "timestamp": JANUARY}]},
    }
    writer.v1.customers.commits.create(customer_id=ids["customer_id"], **shared)
    acme.calls("2025-10-05T10", 30)
    *_, true_up = final_at(acme, "2026-01-10")
    assert (true_up.contract_id, true_up.total) == (other.pk, 940)
    with pytest.raises(metronome.ConflictError, match=f"The true-up {true_up} counted what"):
        writer.v1.contracts.archive(**ids, void_invoices=True)
    assert not InvoiceVoid.objects.exists()
    assert Contract.objects.get(pk=acme.contract.pk).archived_at is None

    void_invoice(acme.customer, true_up.pk, reason="Wrong", at=at("2026-01-10"), by=ADA)
    writer.v1.contracts.archive(**ids, void_invoices=True)
    assert not Invoice.objects.filter(void=None).exists()


def test_a_contract_of_somebody_else_is_missing(ids, writer):
    with pytest.raises(metronome.NotFoundError):
        writer.v1.contracts.archive(**ids | {"contract_id": ids["customer_id"]}, void_invoices=True)
