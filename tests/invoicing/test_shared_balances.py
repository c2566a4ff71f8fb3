"""Commits and credits of the customer: made with the official SDK, shared by contracts, listed, and ended earlier.

API calls cost 2 cents, an xl token 40.
"""

from datetime import timedelta
from decimal import Decimal as D

import metronome
import pytest

from billing_site.foundation import tokens
from billing_site.foundation.ids import uuid7
from contracts.models import Commit, Contract, ContractEdit
from contracts.queries import customer_terms
from invoicing.queries.due import due_customers
from invoicing.services import finalize_due
from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import FixedProductFactory, MetricFactory, ProductFactory, RateCardFactory, RateFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, contract_for, sdk, use

pytestmark = pytest.mark.django_db


@pytest.fixture
def writer(db):
    """The official SDK with a token that may write."""
    _, secret = tokens.create_token("deals", scope="admin", at=OCTOBER, by=ADA)
    return sdk(secret)


@pytest.fixture
def other(acme):
    """A second contract of Acme's, on which a minute costs 5 cents."""
    card = RateCardFactory()
    minutes = MetricFactory(name="Minutes", aggregation_type="SUM", aggregation_key="minutes",
                            event_type_filter={"in_values": ["minutes"]})  # fmt: skip
    RateFactory(rate_card=card, product=ProductFactory(name="Minutes", version__billable_metric=minutes), price=D(5))
    contract = contract_for(acme.customer, acme.prices, rate_card=card)
    contract.talks = lambda hour, quantity: use(minutes, hour, quantity, {})
    return contract


@pytest.fixture
def whose(acme):
    return {"customer_id": str(acme.customer.pk)}


@pytest.fixture
def given(whose):
    """The plainest commit of the customer: 100 over October to December."""

    def of(amount=100, start=OCTOBER, end=JANUARY, **more):
        items = [{"amount": amount, "starting_at": start, "ending_before": end}]
        plain = {
            "product_id": str(FixedProductFactory().pk),
            "priority": 1,
            "access_schedule": {"schedule_items": items},
        }
        return whose | plain | more

    return of


def invoiced(amount, *dates):
    return {"schedule_items": [{"amount": amount, "timestamp": date} for date in dates]}


def totals(client, whose, **query):
    return [invoice.total for invoice in client.v1.customers.invoices.list(**whose, **query)]


def test_two_contracts_draw_on_one_commit(acme, other, writer, whose, given, clock_at):
    """100: 80 of calls on one contract, and 80 of minutes on the other. 100 are covered, 60 to pay."""
    clock_at("2025-10-20")
    commit = writer.v1.customers.commits.create(**given(type="PREPAID", name="Shared")).data
    acme.calls("2025-10-05T10", 40)
    other.talks("2025-10-06T10", 16)

    [held] = writer.v1.contracts.list_balances(**whose, include_balance=True, include_ledgers=True).data
    assert (held.id, held.type, held.contract, held.balance) == (commit.id, "PREPAID", None, 0)
    assert sorted(entry.amount for entry in held.ledger) == [-80, -20, 100]
    assert sum(totals(writer, whose, type="USAGE", ending_before=NOVEMBER)) == 60
    finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA)
    assert sum(totals(writer, whose, status="FINALIZED")) == 60


def test_only_the_contracts_that_are_named_share_it(acme, other, writer, whose, given, clock_at):
    clock_at("2025-10-20")
    writer.v1.customers.credits.create(**given(applicable_contract_ids=[str(other.pk)], name="Talk"))
    acme.calls("2025-10-05T10", 40)
    other.talks("2025-10-06T10", 16)

    [credit] = writer.v1.customers.credits.list(**whose, include_balance=True).data
    assert (credit.type, credit.balance, credit.applicable_contract_ids) == ("CREDIT", 20, [str(other.pk)])
    assert writer.v1.contracts.get_net_balance(**whose, filters=[{"balance_types": ["CREDIT"]}]).data.balance == 20


def test_what_is_paid_for_it_is_billed_by_the_contract_that_is_named(acme, other, writer, whose, given, clock_at):
    clock_at("2025-10-20")
    schedule = invoiced(45, OCTOBER, DECEMBER)
    made = given(type="PREPAID", invoice_schedule=schedule, invoice_contract_id=str(other.pk), name="Paid")
    writer.v1.customers.commits.create(**made)

    scheduled = writer.v1.customers.invoices.list(**whose, type="SCHEDULED").data
    assert [(invoice.contract_id, invoice.total) for invoice in scheduled] == [(str(other.pk), 45)] * 2
    assert [due.instant for due in due_customers(at=at("2025-10-21"))] == [at("2025-10-20")]
    finalize_due(acme.customer.pk, at=at("2025-10-21"), by=ADA)
    assert due_customers(at=at("2025-10-21")) == []
    [listed] = writer.v1.customers.commits.list(**whose).data
    assert (listed.invoice_contract.id, listed.cost_basis) == (str(other.pk), 0.9)


def test_usage_of_all_contracts_counts_toward_one_obligation(acme, other, writer, whose, given, clock_at):
    """100 promised: 80 and 15 are used; the true-up on one of the contracts asks for the 5 that are missing."""
    clock_at("2025-10-20")
    made = given(type="POSTPAID", invoice_schedule=invoiced(100, JANUARY), invoice_contract_id=str(acme.contract.pk))
    writer.v1.customers.commits.create(**made)
    acme.calls("2025-10-05T10", 40)
    other.talks("2025-10-06T10", 3)

    assert totals(writer, whose, type="SCHEDULED") == [5]
    for month in ("2025-11-02", "2025-12-02", "2026-01-02"):
        finalize_due(acme.customer.pk, at=at(month), by=ADA)
    assert sorted(totals(writer, whose, status="FINALIZED"))[-3:] == [5, 15, 80]
    clock_at("2026-01-03")
    [held] = writer.v1.customers.commits.list(**whose, include_balance=True).data
    assert held.balance == 0


def test_lists_keep_to_their_kind_and_to_the_customers_own_unless_asked(acme, writer, whose, given, clock_at):
    clock_at("2025-10-20")
    writer.v1.customers.commits.create(**given(type="PREPAID", name="own commit"))
    writer.v1.customers.credits.create(**given(name="own credit"))
    items = {"schedule_items": [{"amount": 5, "starting_at": OCTOBER, "ending_before": NOVEMBER}]}
    plain = {"product_id": str(FixedProductFactory().pk), "access_schedule": items}
    writer.v2.contracts.edit(
        **whose,
        contract_id=str(acme.contract.pk),
        add_commits=[plain | {"type": "PREPAID", "name": "its commit"}],
        add_credits=[plain | {"name": "its credit"}],
    )

    def names(page):
        return [each.name for each in page]

    lists = writer.v1.customers
    assert names(lists.commits.list(**whose)) == ["own commit"]
    assert names(lists.credits.list(**whose)) == ["own credit"]
    assert names(lists.commits.list(**whose, include_contract_commits=True)) == ["own commit", "its commit"]
    assert names(lists.credits.list(**whose, include_contract_credits=True)) == ["own credit", "its credit"]
    assert names(writer.v1.contracts.list_balances(**whose)) == ["own commit", "own credit"]
    both = lists.credits.list(**whose, include_contract_credits=True, limit=1)
    assert names(both) == ["own credit", "its credit"]
    [credit] = lists.credits.list(**whose).data
    assert names(lists.credits.list(**whose, credit_id=credit.id)) == ["own credit"]
    assert names(lists.commits.list(**whose, commit_id=credit.id)) == []
    at_the_end = {"covering_date": JANUARY - timedelta(hours=1), "include_contract_commits": True}
    assert names(lists.commits.list(**whose, **at_the_end)) == ["own commit"]


@pytest.mark.parametrize(
    ("more", "field", "rule"),
    [
        pytest.param(
            {"applicable_contract_ids": [str(uuid7())]},
            "applicable_contract_ids[0]",
            "must be the id of a contract of this customer",
            id="a contract of somebody else",
        ),
        pytest.param(
            {"invoice_schedule": invoiced(1, OCTOBER)},
            "invoice_contract_id",
            "is required: say which contract bills it, or do_not_invoice",
            id="nobody to bill it",
        ),
        pytest.param(
            {"invoice_contract_id": str(uuid7()), "invoice_schedule": invoiced(1, OCTOBER)},
            "invoice_contract_id",
            "must be the id of a contract of this customer",
            id="billed by somebody else",
        ),
        pytest.param({"priority": None}, "priority", "This field may not be null", id="without a priority"),
    ],
)
def test_a_commit_of_the_customer_that_breaks_a_rule_is_refused(writer, given, more, field, rule):
    with pytest.raises(metronome.BadRequestError) as refused:
        writer.v1.customers.commits.create(**given(type="PREPAID", **more))
    assert [(error["field"], error["rule"]) for error in refused.value.body["errors"]] == [(field, rule)]
    assert not Commit.objects.exists()


def test_a_key_is_used_once_for_commits_and_credits_alike(writer, given):
    writer.v1.customers.commits.create(**given(type="PREPAID", uniqueness_key="welcome"))
    with pytest.raises(metronome.ConflictError):
        writer.v1.customers.credits.create(**given(uniqueness_key="welcome"))
    assert Commit.objects.count() == 1


# --- An earlier end ------------------------------------------------------------------------------------------------


def test_access_and_payments_end_earlier(acme, writer, whose, given, clock_at):
    """Three months; ended on 15 November: what is left of November expires, December is gone, and its payment."""
    clock_at("2025-11-10")
    months = [(OCTOBER, NOVEMBER), (NOVEMBER, DECEMBER), (DECEMBER, JANUARY)]
    items = [{"amount": 100, "starting_at": start, "ending_before": end} for start, end in months]
    made = given(type="PREPAID", invoice_contract_id=str(acme.contract.pk), name="Pack")
    made |= {"access_schedule": {"schedule_items": items}, "invoice_schedule": invoiced(90, OCTOBER, DECEMBER)}
    commit = writer.v1.customers.commits.create(**made).data
    acme.calls("2025-11-05T10", 20)
    before = [segment.id for segment in customer_terms(acme.customer.pk).commits[0].segments]
    ends = {"access_ending_before": at("2025-11-15"), "invoices_ending_before": DECEMBER}

    for _ in range(2):  # again: nothing more happens
        assert writer.v1.customers.commits.update_end_date(**whose, commit_id=commit.id, **ends).data.id == commit.id
    assert ContractEdit.objects.filter(kind="BALANCE").count() == 2

    clock_at("2025-11-20")
    [held] = writer.v1.customers.commits.list(**whose, include_balance=True, include_ledgers=True).data
    assert [segment.id for segment in held.access_schedule.schedule_items] == [str(each) for each in before[:2]]
    assert held.access_schedule.schedule_items[1].ending_before == at("2025-11-15")
    assert [item.timestamp for item in held.invoice_schedule.schedule_items] == [OCTOBER]
    expired = [entry.amount for entry in held.ledger if entry.type == "PREPAID_COMMIT_EXPIRATION"]
    assert (held.balance, expired) == (0, [-100, -60])
    assert totals(writer, whose, type="SCHEDULED") == [90]


def test_what_a_final_document_has_drawn_stays_drawn(acme, writer, whose, given, clock_at):
    clock_at("2025-11-10")
    commit = writer.v1.customers.commits.create(**given(type="PREPAID", name="Pack")).data
    acme.calls("2025-10-05T10", 20)
    finalize_due(acme.customer.pk, at=at("2025-11-10"), by=ADA)
    assert Contract.objects.get().billed_through == NOVEMBER

    with pytest.raises(metronome.BadRequestError, match="must not change what holds before 2025-11-01"):
        writer.v1.customers.commits.update_end_date(**whose, commit_id=commit.id, access_ending_before=at("2025-10-31"))
    writer.v1.customers.commits.update_end_date(**whose, commit_id=commit.id, access_ending_before=NOVEMBER)
    [held] = writer.v1.customers.commits.list(**whose, include_balance=True, include_ledgers=True).data
    assert [entry.amount for entry in held.ledger] == [100, -40, -60]


@pytest.mark.parametrize(
    ("ends", "rule"),
    [
        ({"access_ending_before": JANUARY + timedelta(hours=1)}, "must not be later than the end of access"),
        ({"access_ending_before": OCTOBER}, "must be later than the start of access"),
        ({"access_ending_before": at("2025-11-15T00:30")}, "must be on the hour"),
        ({"invoices_ending_before": OCTOBER}, "what has fallen due is billed"),
        ({}, "is required"),
    ],
)
def test_an_end_that_breaks_a_rule_is_refused(acme, writer, whose, given, clock_at, ends, rule):
    clock_at("2025-11-10")
    made = given(type="PREPAID", invoice_schedule=invoiced(1, OCTOBER), invoice_contract_id=str(acme.contract.pk))
    commit = writer.v1.customers.commits.create(**made).data

    with pytest.raises(metronome.BadRequestError, match=rule):
        writer.v1.customers.commits.update_end_date(**whose, commit_id=commit.id, **ends)
    assert ContractEdit.objects.filter(kind="BALANCE").count() == 1


def test_a_credit_of_a_contract_ends_earlier_by_an_edit_of_the_contract(acme, writer, whose, clock_at):
    clock_at("2025-11-10")
    items = {"schedule_items": [{"amount": 5, "starting_at": OCTOBER, "ending_before": JANUARY}]}
    ids = whose | {"contract_id": str(acme.contract.pk)}
    added = {"product_id": str(FixedProductFactory().pk), "access_schedule": items}
    [credit] = writer.v2.contracts.edit(**ids, add_credits=[added]).data.edit.add_credits

    writer.v1.customers.credits.update_end_date(**whose, credit_id=credit.id, access_ending_before=DECEMBER)

    [_, told] = writer.v2.contracts.get_edit_history(**ids).data
    [change] = told.update_credits
    assert (change.id, change.access_schedule.update_schedule_items[0].ending_before) == (credit.id, DECEMBER)
    with pytest.raises(metronome.NotFoundError):
        writer.v1.customers.commits.update_end_date(**whose, commit_id=credit.id, access_ending_before=DECEMBER)
    foreign = {"customer_id": str(CustomerFactory().pk)}
    with pytest.raises(metronome.NotFoundError):
        writer.v1.customers.credits.update_end_date(**foreign, credit_id=credit.id, access_ending_before=DECEMBER)
