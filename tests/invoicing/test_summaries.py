"""Summaries of drafts and commitments: equal to what is computed, soon after anything has touched a customer."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import connection

from billing_site.foundation.models import TestClock, Touched
from billing_site.foundation.periods import parse_instant
from contracts import services as contracts_services
from contracts.inputs import EditInput, OverrideInput
from invoicing.models import CommitmentSummary, CustomerSummary, DraftSummary, Invoice
from invoicing.queries import compute
from invoicing.queries.balances import balances
from invoicing.queries.summaries import customers_to_refresh
from invoicing.services import finalize_due, summaries
from pricing import services as pricing_services
from pricing.models import PricingUnit
from tests.factories.contracts import CustomerFactory, ScheduledChargeFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, OCTOBER, at, commit_of, contract_for

pytestmark = pytest.mark.django_db

NOON = "2025-10-20T12"


@pytest.fixture(autouse=True)
def _noon(clock_at):
    clock_at(NOON)


def settle():
    """Refresh until there is nothing left to do."""
    for _ in range(10):
        if not summaries.refresh_what_is_due():
            return
    raise AssertionError("It never ends.")


def summarized(customer):
    rows = DraftSummary.objects.filter(customer=customer).order_by("finalizes_at", "id")
    return [
        (row.id, row.contract_id, row.kind, row.total, row.finalizes_at, row.waits, row.findings, row.blocking)
        for row in rows
    ]


def computed(customer):
    drafts = compute(customer.pk, at=TestClock.objects.get().instant).documents
    return sorted(
        (
            (
                draft.id,
                draft.contract_id,
                draft.kind,
                draft.total,
                draft.finalizes_at,
                bool(draft.waits_for),
                len(draft.findings),
                sum(finding.blocking for finding in draft.findings),
            )
            for draft in drafts
        ),
        key=lambda row: (row[4], row[0]),
    )


def test_summaries_equal_what_is_computed(acme):
    commit = commit_of(acme, D(10_000))
    acme.uses_tokens("2025-10-03T05", D("100.5"))
    acme.calls("2025-10-07T00", 3)
    acme.uses_tokens("2025-10-04T00", 7, model="unheard of")
    settle()
    assert summarized(acme.customer) == computed(acme.customer)
    assert [row[3] for row in summarized(acme.customer)] == [D(4_026), D(5_974)]
    assert [(row[6], row[7]) for row in summarized(acme.customer)] == [(1, 1), (0, 0)]
    [held] = CommitmentSummary.objects.all()
    [balance] = balances(acme.customer.pk, at=at(NOON))
    assert (held.id, held.amount, held.used) == (commit.pk, D(10_000), D(10_000) - balance.statement.left)
    state = CustomerSummary.objects.get()
    assert (state.as_of, state.error) == (at(NOON), "")


def test_an_event_moves_the_summary(acme):
    settle()
    assert [row[3] for row in summarized(acme.customer)] == [D(0)]
    acme.calls("2025-10-07T00", 3)
    assert summaries.refresh_what_is_due() == 1
    assert [row[3] for row in summarized(acme.customer)] == [D(6)]
    assert Touched.objects.count() == 0
    assert summaries.refresh_what_is_due() == 0


def test_an_edit_a_publication_and_a_withdrawal_move_the_summary(acme):
    acme.uses_tokens("2025-10-03T05", 100)
    settle()
    override = OverrideInput(OCTOBER, type="MULTIPLIER", multiplier=D("0.5"))
    contracts_services.edit_contract(
        acme.customer, acme.contract.pk, EditInput(add_overrides=(override,)), at=at(NOON), by=ADA
    )
    settle()
    assert [row[3] for row in summarized(acme.customer)] == [D(2_000)]
    rate = pricing_services.add_rate(
        acme.prices.card.pk,
        pricing_services.NewRate(
            acme.prices.tokens.pk, OCTOBER, True, "FLAT", D(10), pricing_group_values={"model": "xl"}
        ),
        at=at(NOON),
        by=ADA,
    )
    settle()
    assert [row[3] for row in summarized(acme.customer)] == [D(500)]
    pricing_services.withdraw_rates([rate.pk], at=at(NOON), by=ADA)
    settle()
    assert [row[3] for row in summarized(acme.customer)] == [D(2_000)]


def test_a_publication_touches_all_customers_on_the_card_and_nobody_else(acme, price_list):
    globex = contract_for(CustomerFactory(name="Globex"), price_list).customer
    CustomerFactory(name="Initech")
    settle()
    pricing_services.add_rate(
        price_list.card.pk,
        pricing_services.NewRate(price_list.calls.pk, DECEMBER, True, "FLAT", D(1)),
        at=at(NOON),
        by=ADA,
    )
    summaries.pass_signals_on()
    assert set(customers_to_refresh(at=at(NOON), limit=10)) == {acme.customer.pk, globex.pk}


def test_finalizing_takes_the_draft_out_and_time_brings_the_next(acme, clock_at):
    acme.calls("2025-10-07T00", 3)
    acme.calls("2025-11-07T00", 4)
    settle()
    clock_at("2025-11-02")
    settle()
    assert [row[3] for row in summarized(acme.customer)] == [D(6), D(8)] == [row[3] for row in computed(acme.customer)]
    finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA)
    assert Invoice.objects.count() == 1
    settle()
    assert [row[3] for row in summarized(acme.customer)] == [D(8)]


def test_a_pass_from_before_the_clock_was_moved_leaves_the_customer_to_the_next_one(acme, clock_at):
    """What is final by now may end after its instant, and then nothing of the contract would be open."""
    acme.calls("2025-11-07T00", 4)
    clock_at("2025-12-02")
    finalize_due(acme.customer.pk, at=at("2025-12-02"), by=ADA)
    CustomerSummary.objects.get_or_create(customer=acme.customer)
    assert summaries.refresh_summary(acme.customer.pk, at=at(NOON)) is False
    assert not DraftSummary.objects.exists()
    settle()
    assert CustomerSummary.objects.get().as_of == at("2025-12-02")


@pytest.mark.parametrize("now", ["2025-10-20T13", "2025-10-20T11:59"])
def test_another_hour_makes_every_summary_due(acme, clock_at, now):
    settle()
    clock_at("2025-10-20T12:59:59")
    assert customers_to_refresh(at=at("2025-10-20T12:59:59"), limit=10) == []
    clock_at(now)
    assert summaries.refresh_what_is_due() == 1
    assert CustomerSummary.objects.get().as_of == at(now if len(now) > 13 else f"{now}:00")


def test_a_lost_signal_heals(acme):
    settle()
    acme.calls("2025-10-07T00", 3)
    Touched.objects.all().delete()
    assert summaries.refresh_what_is_due() == 0  # everybody was looked at a moment ago
    CustomerSummary.objects.update(looked_at=TestClock.objects.get().instant - timedelta(days=400))
    assert summaries.refresh_what_is_due() == 1
    assert [row[3] for row in summarized(acme.customer)] == [D(6)]


def test_a_customer_that_cannot_be_computed_is_nobody_elses_trouble(acme, price_list):
    globex = contract_for(CustomerFactory(name="Globex", aliases=["globex"]), price_list).customer
    for code in ("USD", "EUR"):
        ScheduledChargeFactory(contract=acme.contract, unit=PricingUnit.objects.get(code=code))
    acme.calls("2025-10-07T00", 3)
    settle()
    broken = CustomerSummary.objects.get(customer=acme.customer)
    assert "One document cannot be in" in broken.error
    assert Touched.objects.count() == 0
    assert CustomerSummary.objects.get(customer=globex).error == ""


def test_a_customer_that_another_process_is_at_is_left_to_it(acme):
    settle()
    acme.calls("2025-10-07T00", 3)
    summaries.pass_signals_on()
    assert Touched.objects.filter(kind="CUSTOMER").count() == 1
    CustomerSummary.objects.all().delete()  # as if its row were locked: it is not seen
    assert summaries.refresh_summary(acme.customer.pk, at=at(NOON)) is False
    assert Touched.objects.filter(kind="CUSTOMER").count() == 1


def test_rows_that_are_right_are_not_written_again(acme):
    acme.calls("2025-10-07T00", 3)
    settle()

    def version():
        with connection.cursor() as cursor:
            cursor.execute("SELECT xmin::text, ctid::text FROM invoicing_draftsummary")
            return cursor.fetchall()

    before = version()
    summaries.refresh_summary(acme.customer.pk, at=at(NOON))
    assert version() == before


def test_a_call_signals_each_subject_once(acme):
    Touched.objects.all().delete()
    acme.calls("2025-10-07T00", 3)
    acme.calls("2025-10-08T00", 3, subject="nobody")
    assert sorted(Touched.objects.values_list("kind", "key")) == [("SUBJECT", "acme"), ("SUBJECT", "nobody")]
    assert parse_instant("2026-01-01") == JANUARY
