"""Entries by hand on commits and credits, through the official SDK and by several people at once.

API calls cost 2 cents.
"""

from datetime import timedelta
from decimal import Decimal as D

import metronome
import pytest
from django.db import IntegrityError, transaction

from billing_site.foundation import tokens
from billing_site.foundation.ids import uuid7
from contracts import services
from contracts.inputs import EditInput
from contracts.queries import customer_terms
from invoicing.services import finalize_due
from ledger.models import LedgerEntry
from tests.factories.contracts import credit_input, prepaid_input
from tests.invoicing.conftest import ADA, JANUARY, OCTOBER, at, commit_of, sdk

pytestmark = pytest.mark.django_db


@pytest.fixture
def writer(db):
    _, secret = tokens.create_token("support", scope="admin", at=OCTOBER, by=ADA)
    return sdk(secret)


def granted(acme, *given):
    commits = tuple(each for each in given if each.type != "CREDIT")
    credits = tuple(each for each in given if each.type == "CREDIT")
    edit = EditInput(add_commits=commits, add_credits=credits)
    services.edit_contract(acme.customer, acme.contract.pk, edit, at=OCTOBER, by=ADA)
    [contract] = customer_terms(acme.customer.pk).contracts
    return contract.commits[0]


def whose(acme, commit):
    return {"customer_id": str(acme.customer.pk), "id": str(commit.id), "segment_id": str(commit.segments[0].id)}


def ledger(client, acme):
    [held] = client.v1.contracts.list_balances(
        customer_id=str(acme.customer.pk),
        include_contract_balances=True,
        include_balance=True,
        include_ledgers=True,
    ).data
    return held.balance, [(entry.type.removeprefix("PREPAID_COMMIT_"), entry.amount) for entry in held.ledger]


def test_what_is_added_and_taken_by_hand_is_drawn_like_the_rest(acme, writer, clock_at):
    """100, and 30 more, less 80: of 40 calls at 2 cents, 50 are covered and 30 to pay."""
    clock_at("2025-10-10")
    commit = granted(acme, prepaid_input(D(100), name="Pack"))
    add = writer.v1.contracts.add_manual_balance_entry
    add(**whose(acme, commit), amount=30, reason="Sorry for the outage", timestamp=at("2025-12-24"))
    add(**whose(acme, commit), amount=-80, reason="Granted by mistake", contract_id=str(acme.contract.pk))
    assert ledger(writer, acme) == (50, [("SEGMENT_START", 100), ("MANUAL", -80), ("MANUAL", 30)])

    acme.calls("2025-10-05T10", 40)
    balance, entries = ledger(writer, acme)
    assert (balance, dict(entries)["AUTOMATED_INVOICE_DEDUCTION"]) == (0, -50)
    [usage] = writer.v1.customers.invoices.list(customer_id=str(acme.customer.pk), type="USAGE").data
    assert usage.total == 30
    finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA)
    assert {entry.reason for entry in LedgerEntry.objects.all()} == {"Sorry for the outage", "Granted by mistake", ""}


def test_an_entry_says_its_reason_and_is_a_manual_one_to_the_client(acme, writer, clock_at):
    clock_at("2025-10-10")
    commit = granted(acme, credit_input(D(100)))
    writer.v1.contracts.add_manual_balance_entry(**whose(acme, commit), amount=1.5, reason="Goodwill")
    [held] = writer.v1.customers.credits.list(
        customer_id=str(acme.customer.pk), include_contract_credits=True, include_ledgers=True
    ).data
    entry = next(entry for entry in held.ledger if entry.type == "CREDIT_MANUAL")
    assert (entry.reason, entry.amount, entry.timestamp) == ("Goodwill", 1.5, OCTOBER)


def test_no_more_is_taken_than_drafts_leave(acme, writer, clock_at):
    clock_at("2025-10-10")
    commit = granted(acme, prepaid_input(D(100)))
    acme.calls("2025-10-05T10", 40)

    with pytest.raises(metronome.ConflictError, match="must not take more than the 20 left of it"):
        writer.v1.contracts.add_manual_balance_entry(**whose(acme, commit), amount=-21, reason="Too much")
    assert not LedgerEntry.objects.exists()
    writer.v1.contracts.add_manual_balance_entry(**whose(acme, commit), amount=-20, reason="All of it")
    assert ledger(writer, acme)[0] == 0


def test_an_obligation_is_met_earlier_by_hand_until_its_true_up_is_final(acme, writer, clock_at):
    """1,000 promised, 600 waived: with 100 used, 300 are still to come. After the true-up nothing is left to waive."""
    commit_of(acme, D(1_000))
    clock_at("2025-10-10")
    acme.calls("2025-10-05T10", 50)
    [contract] = customer_terms(acme.customer.pk).contracts
    writer.v1.contracts.add_manual_balance_entry(
        **whose(acme, contract.commits[0]), amount=-600, reason="Waived: the launch was ours to delay"
    )

    [true_up] = writer.v1.customers.invoices.list(customer_id=str(acme.customer.pk), type="SCHEDULED").data
    assert true_up.total == 300 == ledger(writer, acme)[0]
    finalize_due(acme.customer.pk, at=at("2026-01-02"), by=ADA)
    clock_at("2026-01-02")
    assert ledger(writer, acme)[0] == 0
    with pytest.raises(metronome.ConflictError, match="must be of a commit whose true-up is not final"):
        writer.v1.contracts.add_manual_balance_entry(
            **whose(acme, contract.commits[0]), amount=1, reason="Too late", timestamp=OCTOBER
        )


@pytest.mark.parametrize(
    ("given", "error", "field"),
    [
        ({"amount": 0}, metronome.BadRequestError, "amount"),
        ({"reason": " "}, metronome.BadRequestError, "reason"),
        ({"contract_id": str(uuid7())}, metronome.BadRequestError, "contract_id"),
        ({"timestamp": JANUARY}, metronome.BadRequestError, "timestamp"),
        ({"timestamp": OCTOBER - timedelta(seconds=1)}, metronome.BadRequestError, "timestamp"),
        ({"id": str(uuid7())}, metronome.NotFoundError, "id"),
        ({"segment_id": str(uuid7())}, metronome.NotFoundError, "segment_id"),
        ({"customer_id": str(uuid7())}, metronome.NotFoundError, "customer_id"),
        ({"per_group_amounts": {"ada": 1}}, metronome.BadRequestError, "per_group_amounts.ada"),
    ],
)
def test_an_entry_that_breaks_a_rule_is_refused(acme, writer, clock_at, given, error, field):
    clock_at("2025-10-10")
    commit = granted(acme, prepaid_input(D(100)))
    with pytest.raises(error) as refused:
        writer.v1.contracts.add_manual_balance_entry(
            **whose(acme, commit) | {"amount": 1, "reason": "Goodwill", "contract_id": str(acme.contract.pk)} | given
        )
    assert refused.value.body["errors"][0]["field"] == field
    assert not LedgerEntry.objects.exists()


def test_a_key_posts_once(acme, writer, clock_at):
    clock_at("2025-10-10")
    commit = granted(acme, prepaid_input(D(100)))
    once = whose(acme, commit) | {"amount": 1, "reason": "Goodwill", "uniqueness_key": "ticket 7"}
    writer.v1.contracts.add_manual_balance_entry(**once)
    with pytest.raises(metronome.ConflictError, match="was already used"):
        writer.v1.contracts.add_manual_balance_entry(**once)
    assert LedgerEntry.objects.count() == 1


@pytest.mark.parametrize("wrong", [{"reason": ""}, {"amount": D(0)}, {"billed_amount": D(1)}, {"segment_id": None}])
def test_the_database_refuses_an_entry_by_hand_that_says_not_why(acme, wrong):
    plain = {"segment_id": uuid7(), "amount": D(1), "billed_amount": D(0), "reason": "Goodwill"}
    with pytest.raises(IntegrityError, match="an_entry_by_hand_says_why_and_bills_nothing"), transaction.atomic():
        LedgerEntry.objects.create(
            customer=acme.customer,
            commit_id=uuid7(),
            type="CREDIT_MANUAL",
            timestamp=OCTOBER,
            created_at=OCTOBER,
            created_by="Ada",
            idempotency_key="by hand",
            **plain | wrong,
        )
