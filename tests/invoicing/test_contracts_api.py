"""Contracts and balances, read with the official SDK."""

from decimal import Decimal as D

import metronome
import pytest
from metronome.types.shared.commit import (
    LedgerPostpaidCommitAutomatedInvoiceDeductionLedgerEntry as Deduction,
)
from metronome.types.shared.commit import LedgerPostpaidCommitInitialBalanceLedgerEntry as Initial
from metronome.types.shared.commit import LedgerPostpaidCommitTrueupLedgerEntry as TrueUp

from billing_site.foundation import tokens
from billing_site.foundation.ids import uuid7
from contracts.models import Contract
from invoicing.services import finalize_due
from pricing.units import USD_ID
from tests.factories.contracts import CustomerFactory, EditFactory, OverrideFactory
from tests.factories.pricing import PricingUnitFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, commit_of, contract_for, sdk

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(acme, clock_at):
    """A commit of $100 and $20 used in October, $1 in November; it is 20 November."""
    commit_of(acme, D(10_000))
    acme.calls("2025-10-07T00", 1_000)
    acme.calls("2025-11-07T00", 50)
    clock_at("2025-11-20")
    return acme


@pytest.fixture
def ids(story):
    return {"customer_id": str(story.customer.pk), "contract_id": str(story.contract.pk)}


def balances(client, acme, **query):
    given = {"include_contract_balances": True, "include_balance": True, "include_ledgers": True} | query
    return list(client.v1.contracts.list_balances(customer_id=str(acme.customer.pk), **given))


def net(client, acme, **query):
    return client.v1.contracts.get_net_balance(customer_id=str(acme.customer.pk), **query).data.balance


def movements(balance):
    return [(type(entry), entry.amount, f"{entry.timestamp:%d %b}") for entry in balance.ledger]


# --- Balances ------------------------------------------------------------------------------------------------------


def test_a_commits_ledger_has_its_start_and_what_drafts_and_documents_took(client, story):
    [commit] = balances(client, story)
    pending = [(Initial, 10_000, "01 Oct"), (Deduction, -2_000, "01 Nov"), (Deduction, -100, "01 Dec")]
    assert movements(commit) == pending
    assert commit.balance == 7_900 == net(client, story)
    assert (commit.type, commit.product.name, commit.contract.id) == ("POSTPAID", "Commitment", str(story.contract.pk))

    finalize_due(story.customer.pk, at=at("2025-11-20"), by=ADA)
    [commit] = balances(client, story)
    assert movements(commit) == pending
    [october] = client.v1.customers.invoices.list(customer_id=str(story.customer.pk), status="FINALIZED").data
    assert commit.ledger[1].invoice_id == october.id
    assert commit.ledger[1].contract_id == str(story.contract.pk)


def test_a_true_up_closes_the_balance(client, story, clock_at):
    clock_at("2026-01-02")
    finalize_due(story.customer.pk, at=at("2026-01-02"), by=ADA)
    [commit] = balances(client, story)
    assert movements(commit) == [
        (Initial, 10_000, "01 Oct"),
        (Deduction, -2_000, "01 Nov"),
        (Deduction, -100, "01 Dec"),
        (TrueUp, -7_900, "01 Jan"),
    ]
    assert commit.balance == 0 == net(client, story)


def test_a_true_up_of_zero_moves_nothing(client, story, clock_at):
    story.calls("2025-12-07T00", 3_950)
    clock_at("2026-01-02")
    finalize_due(story.customer.pk, at=at("2026-01-02"), by=ADA)
    [commit] = balances(client, story)
    assert [type(entry) for entry in commit.ledger] == [Initial, Deduction, Deduction, Deduction]
    assert commit.balance == 0 == net(client, story)


def test_what_rounding_leaves_of_a_commitment_is_closed(client, acme, clock_at):
    """1,999.65 cents were used and billed as 2,000, so nothing is missing; the ledger says where the rest went."""
    commit_of(acme, D(2_000))
    acme.uses_tokens("2025-10-07T00", D("3999.3"), model="small")
    clock_at("2026-01-02")
    assert finalize_due(acme.customer.pk, at=at("2026-01-02"), by=ADA).finalized[0].total == 2_000
    [commit] = balances(client, acme)
    assert movements(commit)[1:] == [(Deduction, -1_999.65, "01 Nov"), (TrueUp, -0.35, "01 Jan")]
    assert commit.balance == 0 == net(client, acme)


@pytest.mark.parametrize(
    ("query", "balance"),
    [
        pytest.param({}, 7_900, id="drafts included"),
        pytest.param({"invoice_inclusion_mode": "FINALIZED_AND_DRAFT"}, 7_900, id="drafts asked for"),
        pytest.param({"invoice_inclusion_mode": "FINALIZED"}, 8_000, id="final documents alone"),
        pytest.param({"credit_type_id": str(USD_ID)}, 7_900, id="in dollars"),
        pytest.param({"access_type": "QUANTITY"}, 0, id="in quantities"),
        pytest.param({"filters": []}, 7_900, id="no filter"),
        pytest.param({"filters": [{"balance_types": ["CREDIT"]}]}, 0, id="credits"),
        pytest.param({"filters": [{"balance_types": ["CREDIT", "POSTPAID_COMMIT"]}]}, 7_900, id="or postpaid commits"),
        pytest.param({"filters": [{"ids": [str(uuid7())]}]}, 0, id="another commit"),
        pytest.param({"filters": [{"ids": [str(uuid7())]}, {}]}, 7_900, id="any of the filters"),
        pytest.param({"filters": [{"custom_fields": {"team": "ml"}}]}, 0, id="a custom field it has not"),
    ],
)
def test_the_net_balance_by_what_is_asked_for(client, story, query, balance):
    finalize_due(story.customer.pk, at=at("2025-11-20"), by=ADA)
    assert net(client, story, **query) == balance


def test_the_net_balance_says_its_unit(client, story):
    data = client.v1.contracts.get_net_balance(customer_id=str(story.customer.pk)).data
    assert data.credit_type_id == str(USD_ID)
    credits = PricingUnitFactory(name="Credits")
    data = client.v1.contracts.get_net_balance(customer_id=str(story.customer.pk), credit_type_id=str(credits.pk)).data
    assert (data.balance, data.credit_type_id) == (0, str(credits.pk))
    data = client.v1.contracts.get_net_balance(customer_id=str(story.customer.pk), access_type="QUANTITY").data
    assert data.credit_type_id == "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"credit_type_id": "00000000-0000-0000-0000-000000000009"}, "credit_type_id"),
        ({"credit_type_id": str(USD_ID), "access_type": "QUANTITY"}, "credit_type_id"),
        ({"invoice_inclusion_mode": "ALL"}, "invoice_inclusion_mode"),
    ],
)
def test_a_net_balance_that_cannot_be_told_is_refused(client, story, query, field):
    with pytest.raises(metronome.BadRequestError) as refused:
        net(client, story, **query)
    assert refused.value.body["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("query", "count"),
    [
        pytest.param({}, 2, id="all"),
        pytest.param({"include_contract_balances": False}, 0, id="the customer's own alone"),
        pytest.param({"covering_date": "2025-11-05T00:00:00Z"}, 2, id="with access in November"),
        pytest.param({"covering_date": "2026-01-01T00:00:00Z"}, 0, id="with access in January"),
        pytest.param({"starting_at": "2026-01-01T00:00:00Z"}, 0, id="with access from January on"),
        pytest.param({"effective_before": "2025-10-01T00:00:00Z"}, 0, id="with access before October"),
        pytest.param({"exclude_zero_balances": True}, 1, id="with something left"),
        pytest.param({"access_type": "QUANTITY"}, 0, id="in quantities"),
        pytest.param({"id": str(uuid7())}, 0, id="another"),
        pytest.param({"limit": 1}, 2, id="a page for each"),
    ],
)
def test_which_balances_are_listed(client, story, query, count):
    commit_of(story, D(100), priority=D(1))  # first in order, and used up
    found = balances(client, story, **query)
    assert len(found) == count
    assert len({balance.id for balance in found}) == count


def test_balances_and_ledgers_only_where_they_are_asked_for(client, story):
    [plain] = balances(client, story, include_balance=False, include_ledgers=False)
    assert (plain.balance, plain.ledger) == (None, None)
    [with_balance] = balances(client, story, include_ledgers=False)
    assert (with_balance.balance, with_balance.ledger) == (7_900, None)


def test_a_commit_whose_access_has_not_begun_has_nothing_yet(client, acme, clock_at):
    commit_of(acme, D(10_000))
    clock_at("2025-09-20")
    [commit] = balances(client, acme)
    assert (commit.balance, commit.ledger) == (0, [])


# --- Contracts -----------------------------------------------------------------------------------------------------


def test_a_contract_with_its_balances_and_ledgers(client, ids):
    contract = client.v2.contracts.retrieve(**ids, include_balance=True, include_ledgers=True).data
    assert (contract.id, contract.starting_at, contract.ending_before) == (ids["contract_id"], OCTOBER, JANUARY)
    [commit] = contract.commits
    assert commit.balance == sum(entry.amount for entry in commit.ledger) == 7_900
    plain = client.v2.contracts.retrieve(**ids).data
    assert (plain.commits[0].balance, plain.commits[0].ledger) == (None, None)


def test_a_contract_as_it_stood(client, story, ids):
    edit = EditFactory(customer=story.customer, contract=story.contract, created_at=at("2025-11-10"))
    OverrideFactory(contract=story.contract, added_by_edit=edit, starting_at=OCTOBER)
    assert len(client.v2.contracts.retrieve(**ids).data.overrides) == 1
    assert client.v2.contracts.retrieve(**ids, as_of_date=at("2025-11-09")).data.overrides == []
    before = client.v2.contracts.retrieve(**ids, as_of_date=at("2025-11-09"), include_balance=True).data
    assert before.commits[0].balance == 7_900
    assert client.v2.contracts.retrieve(**ids, include_balance=True).data.commits[0].balance == 10_000 - 1_050
    with pytest.raises(metronome.NotFoundError):
        client.v2.contracts.retrieve(**ids, as_of_date=at("2024-01-01"))
    with pytest.raises(metronome.BadRequestError, match="as_of_date"):
        client.v2.contracts.retrieve(**ids, as_of_date=at("2025-11-09"), include_ledgers=True)


def test_contracts_of_others_and_unknown_ones_are_not_found(client, ids):
    other = CustomerFactory(name="Globex")
    for wrong in ({"customer_id": str(other.pk)}, {"customer_id": str(uuid7())}, {"contract_id": str(uuid7())}):
        with pytest.raises(metronome.NotFoundError):
            client.v2.contracts.retrieve(**ids | wrong)
    with pytest.raises(metronome.NotFoundError):
        client.v2.contracts.list(customer_id=str(uuid7()))


@pytest.mark.parametrize(
    ("query", "starts"),
    [
        pytest.param({}, ["2025-02", "2025-10", "2026-03"], id="all that are not archived"),
        pytest.param({"include_archived": True}, ["2025-01", "2025-02", "2025-10", "2026-03"], id="archived too"),
        pytest.param({"covering_date": NOVEMBER}, ["2025-10"], id="in force on a date"),
        pytest.param({"covering_date": JANUARY}, [], id="an end is not covered"),
        pytest.param({"starting_at": DECEMBER}, ["2026-03"], id="beginning from a date on"),
        pytest.param({"limit": 1}, ["2025-02", "2025-10", "2026-03"], id="pages"),
    ],
)
def test_which_contracts_are_listed(client, story, query, starts):
    for start, end in [("2025-01-01", "2025-01-20"), ("2025-02-01", "2025-03-01"), ("2026-03-01", None)]:
        contract_for(story.customer, story.prices, starting_at=at(start), terms__ending_before=at(end) if end else None)
    Contract.objects.filter(starting_at=at("2025-01-01")).update(archived_at=OCTOBER)
    found = list(client.v2.contracts.list(customer_id=str(story.customer.pk), **query))
    assert [f"{contract.starting_at:%Y-%m}" for contract in found] == starts


def test_a_list_can_carry_balances(client, story):
    [contract] = client.v2.contracts.list(
        customer_id=str(story.customer.pk), include_balance=True, include_ledgers=True
    ).data
    assert contract.commits[0].balance == 7_900
    with pytest.raises(metronome.BadRequestError, match="covering_date"):
        client.v2.contracts.list(customer_id=str(story.customer.pk), covering_date=OCTOBER, starting_at=OCTOBER)
    with pytest.raises(metronome.BadRequestError, match="limit"):
        client.v2.contracts.list(customer_id=str(story.customer.pk), limit=21)
    with pytest.raises(metronome.BadRequestError, match="cursor"):
        client.v2.contracts.list(customer_id=str(story.customer.pk), cursor="WyJhIl0")


def test_a_token_of_one_customer_sees_no_other(story, ids):
    other = CustomerFactory(name="Globex")
    _, secret = tokens.create_token("acme", scope="read", customer_id=story.customer.pk, at=OCTOBER, by=ADA)
    mine = sdk(secret)
    assert mine.v2.contracts.retrieve(**ids).data.id == ids["contract_id"]
    assert net(mine, story) == 7_900
    for call in (
        lambda: mine.v2.contracts.list(customer_id=str(other.pk)),
        lambda: mine.v1.contracts.list_balances(customer_id=str(other.pk)),
        lambda: mine.v1.contracts.get_net_balance(customer_id=str(other.pk)),
        lambda: mine.v2.contracts.retrieve(customer_id=str(other.pk), contract_id=ids["contract_id"]),
    ):
        with pytest.raises(metronome.NotFoundError):
            call()
