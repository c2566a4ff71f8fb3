"""Commits, credits and contracts that are archived: what goes, what stays, and how they are still read with the SDK.

API calls cost 2 cents.
"""

import metronome
import pytest

from billing_site.foundation import tokens
from contracts.models import ContractEdit
from contracts.queries import customer_terms
from contracts.wording import history_in_words
from invoicing.queries.due import due_customers
from invoicing.services import finalize_due
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, OCTOBER, at, contract_for, sdk

pytestmark = pytest.mark.django_db


@pytest.fixture
def writer(db):
    _, secret = tokens.create_token("deals", scope="admin", at=OCTOBER, by=ADA)
    return sdk(secret)


@pytest.fixture
def ids(acme):
    return {"customer_id": str(acme.customer.pk), "contract_id": str(acme.contract.pk)}


@pytest.fixture
def whose(acme):
    return {"customer_id": str(acme.customer.pk)}


def granted(amount=100, start=OCTOBER, end=JANUARY, **more):
    items = [{"amount": amount, "starting_at": start, "ending_before": end}]
    return {"product_id": str(FixedProductFactory().pk), "access_schedule": {"schedule_items": items}, **more}


def listed(client, whose, **asked):
    found = client.v1.contracts.list_balances(
        **whose, include_contract_balances=True, include_balance=True, include_ledgers=True, **asked
    )
    return {held.name: held for held in found.data}


def test_an_archived_commit_is_listed_only_where_it_is_asked_for(acme, writer, ids, whose, clock_at):
    clock_at("2025-10-10")
    credits = writer.v2.contracts.edit(**ids, add_credits=[granted(name="Kept"), granted(name="Gone")]).data.edit
    clock_at("2025-10-12")
    writer.v2.contracts.edit(**ids, archive_credits=[{"id": credits.add_credits[1].id}])

    clock_at("2025-10-20")
    assert list(listed(writer, whose)) == ["Kept"]
    found = listed(writer, whose, include_archived=True)
    gone = found["Gone"]
    assert (len(found), gone.balance) == (2, 0)
    assert [(entry.type, entry.amount, entry.timestamp) for entry in gone.ledger] == [
        ("CREDIT_SEGMENT_START", 100, OCTOBER),
        ("CREDIT_EXPIRATION", -100, at("2025-10-12")),
    ]
    assert gone.access_schedule.schedule_items[0].amount == 100
    assert gone.to_dict()["archived_at"].startswith("2025-10-12")
    credits_listed = writer.v1.customers.credits.list(**whose, include_contract_credits=True, include_archived=True)
    assert {held.name for held in credits_listed.data} == {"Kept", "Gone"}
    assert writer.v1.contracts.get_net_balance(**whose).data.balance == 100


def test_an_archived_contract_bills_nothing_more_and_keeps_what_is_final(acme, writer, ids, whose, clock_at):
    """October is final with 30 drawn; of 100, 70 expire when the contract is archived in November."""
    clock_at("2025-10-10")
    pack = granted(name="Pack", type="PREPAID", invoice_schedule={
        "schedule_items": [{"amount": 60, "timestamp": OCTOBER}, {"amount": 40, "timestamp": DECEMBER}]
    })  # fmt: skip
    writer.v2.contracts.edit(**ids, add_commits=[pack])
    acme.calls("2025-10-05T10", 15)
    finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA)
    acme.calls("2025-11-05T10", 50)
    clock_at("2025-11-10")
    assert len(writer.v1.customers.invoices.list(**whose, status="DRAFT").data) == 2

    for _ in range(2):  # again: nothing more happens
        assert writer.v1.contracts.archive(**ids, void_invoices=False).data.id == ids["contract_id"]

    assert ContractEdit.objects.filter(kind="ARCHIVE").count() == 1
    documents = writer.v1.customers.invoices.list(**whose).data
    assert sorted((document.status, document.total) for document in documents) == [("FINALIZED", 0), ("FINALIZED", 60)]
    assert due_customers(at=at("2026-02-01")) == []
    assert (customer_terms(acme.customer.pk).contracts, listed(writer, whose)) == ((), {})
    held = listed(writer, whose, include_archived=True)["Pack"]
    assert (held.balance, [entry.amount for entry in held.ledger]) == (0, [100, -30, -70])
    assert held.ledger[-1].timestamp == at("2025-11-10")

    assert writer.v2.contracts.list(**whose).data == []
    [shown] = writer.v2.contracts.list(**whose, include_archived=True).data
    assert shown.archived_at == at("2025-11-10")
    before = writer.v2.contracts.retrieve(**ids, as_of_date=at("2025-11-09"), include_balance=True).data
    assert before.commits[0].balance == 0
    with pytest.raises(metronome.BadRequestError, match="not archived"):
        writer.v2.contracts.edit(**ids, update_contract_name="Late")
    assert history_in_words(acme.contract)[0].changes == ("Contract archived.",)


def test_what_others_stand_on_is_not_archived(acme, writer, ids, whose, clock_at):
    clock_at("2025-10-10")
    other = contract_for(acme.customer, acme.prices, starting_at=JANUARY, terms__ending_before=None)
    payment = {"schedule_items": [{"amount": 60, "timestamp": DECEMBER}]}
    shared = writer.v1.customers.commits.create(
        **whose, **granted(type="PREPAID", priority=1, invoice_contract_id=ids["contract_id"], invoice_schedule=payment)
    ).data.id
    with pytest.raises(metronome.ConflictError, match="let another contract do so first"):
        writer.v1.contracts.archive(**ids, void_invoices=False)
    writer.v2.contracts.edit_commit(**whose, commit_id=shared, invoice_contract_id=str(other.pk))
    writer.v1.contracts.archive(**ids, void_invoices=True)  # there is nothing to void
    [draft] = writer.v1.customers.invoices.list(**whose, type="SCHEDULED").data
    assert (draft.contract_id, draft.total) == (str(other.pk), 60)
