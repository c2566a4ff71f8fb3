"""What falls due and when; one job a customer; one customer's trouble is nobody else's."""

import threading
from decimal import Decimal as D

import pytest
from django.db import connection
from django_q.models import OrmQ

from billing_site.foundation import jobs
from billing_site.foundation.models import Job
from contracts.models import Contract
from invoicing import tasks
from invoicing.models import Invoice
from invoicing.queries import due_customers, next_due
from invoicing.services import do_due_work, finalize_due, queue_due_work
from tests.factories.contracts import ContractTermsFactory, CustomerFactory, EditFactory, ScheduledChargeFactory
from tests.factories.pricing import RateFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, commit_of, contract_for, use

pytestmark = pytest.mark.django_db


def due_at(instant):
    return [due.instant for due in due_customers(at=instant)]


def walk(after, until):
    found = []
    while (instant := next_due(after, until)) is not None:
        found.append(instant)
        after = instant
    return found


# --- Dates ---------------------------------------------------------------------------------------------------------


def test_usage_falls_due_when_the_grace_of_a_period_is_over(acme):
    assert walk(OCTOBER, at("2026-06-01")) == [at("2025-11-02"), at("2025-12-02"), at("2026-01-02")]
    assert due_at(at("2025-11-01T23:59:59")) == []
    assert due_at(at("2025-11-02")) == [at("2025-11-02")]
    assert due_at(at("2025-12-24")) == [at("2025-12-02")]  # the last of two: one job does both


@pytest.mark.parametrize(
    ("fields", "instants"),
    [
        pytest.param({"terms__grace_hours": 0}, [NOVEMBER, DECEMBER, JANUARY], id="no grace"),
        pytest.param(
            {"terms__grace_hours": 0, "terms__ending_before": at("2025-11-05T10")},
            [NOVEMBER, at("2025-11-05T11")],
            id="no grace, ending inside a day",
        ),
        pytest.param(
            {"created_at": at("2025-11-20T10:30")},
            [at("2025-11-21T10:30"), at("2025-12-02"), at("2026-01-02")],
            id="created late",
        ),
        pytest.param(
            {"starting_at": at("2025-10-31T06"), "billing_anchor_at": at("2025-10-31T06"), "frequency": "MONTHLY"},
            [at("2025-12-01T06"), at("2026-01-01T06"), at("2026-01-02")],
            id="anchored to the 31st",
        ),
        pytest.param({"terms__ending_before": None}, [at(f"2025-{m}-02") for m in (11, 12)], id="open-ended"),
        pytest.param({"rate_card": None}, [], id="nothing is sold by usage"),
        pytest.param({"archived_at": OCTOBER}, [], id="archived"),
        pytest.param({"invoicing_starts_at": at("2025-12-15")}, [at("2026-01-02")], id="invoiced from December on"),
        pytest.param({"billed_through": DECEMBER}, [at("2026-01-02")], id="two months are billed"),
        pytest.param({"billed_through": JANUARY}, [], id="all is billed"),
    ],
)
def test_when_the_usage_of_a_contract_falls_due(price_list, fields, instants):
    contract_for(CustomerFactory(), price_list, **fields)
    until = at("2025-12-31") if "terms__ending_before" in fields else at("2026-06-01")
    assert walk(OCTOBER, until) == instants


def test_the_end_of_a_contract_is_that_of_its_standing_terms(acme):
    edit = EditFactory(customer=acme.customer, contract=acme.contract)
    acme.contract.terms.update(removed_by_edit=edit)
    ContractTermsFactory(contract=acme.contract, ending_before=at("2025-11-15"), added_by_edit=edit)
    assert walk(OCTOBER, at("2026-06-01")) == [at("2025-11-02"), at("2025-11-16")]


def test_charges_fall_due_on_their_dates_until_they_are_billed(acme):
    ScheduledChargeFactory(contract=acme.contract, item__issued_at=at("2025-10-15T12:34:56"))
    assert walk(OCTOBER, NOVEMBER) == [at("2025-10-15T12:34:56")]
    finalize_due(acme.customer.pk, at=NOVEMBER, by=ADA)
    assert walk(OCTOBER, NOVEMBER) == []


def test_a_charge_added_after_its_date_falls_due_when_it_is_added(acme):
    edit = EditFactory(customer=acme.customer, contract=acme.contract, created_at=at("2025-10-20"))
    ScheduledChargeFactory(contract=acme.contract, added_by_edit=edit, item__issued_at=at("2025-10-15"))
    assert walk(OCTOBER, NOVEMBER) == [at("2025-10-20")]


def test_a_true_up_falls_due_on_its_date_until_it_is_settled(acme):
    commit_of(acme, D(10_000))
    Contract.objects.filter(pk=acme.contract.pk).update(billed_through=JANUARY)
    assert walk(OCTOBER, at("2026-06-01")) == [JANUARY]
    finalize_due(acme.customer.pk, at=at("2026-01-02"), by=ADA)
    assert due_at(at("2026-06-01")) == []


def test_looking_costs_the_same_for_one_customer_and_for_three(acme, price_list, django_assert_num_queries):
    with django_assert_num_queries(9):
        due_customers(at=JANUARY)
    for _ in range(2):
        contract = contract_for(CustomerFactory(), price_list)
        ScheduledChargeFactory(contract=contract, item__issued_at=NOVEMBER)
    with django_assert_num_queries(9):
        assert len(due_customers(at=JANUARY)) == 3


# --- Jobs ----------------------------------------------------------------------------------------------------------


def run_all():
    return [jobs.run(str(row.pk)) for row in Job.objects.order_by("created_at")]


def test_every_minute_asks_once_for_each_customer_with_something_due(acme, price_list, clock_at):
    contract_for(CustomerFactory(), price_list)
    clock_at("2025-11-01T12:00")
    tasks.queue_due_work()
    assert Job.objects.count() == 0
    clock_at("2025-11-02T00:00")
    tasks.queue_due_work()
    tasks.queue_due_work()
    assert (Job.objects.count(), OrmQ.objects.count()) == (2, 2)
    assert run_all() == ["done", "done"]
    tasks.queue_due_work()
    assert Job.objects.count() == 2


def test_one_customers_findings_park_its_job_and_no_other(acme, price_list, clock_at):
    globex = CustomerFactory(name="Globex", aliases=["globex"])
    contract_for(globex, price_list)
    acme.uses_tokens("2025-10-03T05", 100, model="huge")
    use(price_list.calls_made, "2025-10-07T00", 3, {}, subject="globex")
    clock_at("2025-11-02")
    tasks.queue_due_work()
    assert sorted(run_all()) == ["done", "failed"]
    assert [invoice.customer for invoice in Invoice.objects.all()] == [globex]
    [parked] = Job.objects.filter(state="FAILED")
    assert parked.payload["customer_id"] == str(acme.customer.pk)
    assert "100 metered, and the rate card List prices has no rate for it" in parked.error

    tasks.queue_due_work()  # it stays parked until a person has acted, or the next thing falls due
    assert (Job.objects.count(), Job.objects.filter(state="FAILED").count()) == (2, 1)
    RateFactory(
        rate_card=price_list.card, product=price_list.tokens, pricing_group_values={"model": "huge"}, price=D(1)
    )
    jobs.try_again(parked)
    assert sorted(run_all()) == ["done", "left"]
    assert Invoice.objects.filter(customer=acme.customer).get().total == 100


def test_a_customer_that_fails_unforeseen_is_tried_again_and_harms_no_other(acme, price_list, clock_at):
    contract_for(CustomerFactory(), price_list)
    Job.objects.create(
        kind="finalize_due", key="broken", payload={"customer_id": "nobody"}, created_at=OCTOBER, heartbeat_at=OCTOBER
    )
    clock_at("2025-11-02")
    tasks.queue_due_work()
    assert run_all() == ["queued", "done", "done"]


def test_what_is_due_can_be_done_in_this_process_parked_jobs_too(acme):
    acme.uses_tokens("2025-10-03T05", 100, model="huge")
    [parked] = do_due_work(at=at("2025-11-02"))
    assert parked.state == "FAILED"
    RateFactory(
        rate_card=acme.prices.card, product=acme.prices.tokens, pricing_group_values={"model": "huge"}, price=D(1)
    )
    [done] = do_due_work(at=at("2025-11-02"))
    assert (done.pk, done.state) == (parked.pk, "DONE")
    assert do_due_work(at=at("2025-11-02")) == []
    assert OrmQ.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_jobs_delivered_twice_at_once_make_each_document_once(price_list, clock_at):
    customers = [CustomerFactory(aliases=[f"customer {number}"]) for number in range(6)]
    for number, customer in enumerate(customers):
        contract_for(customer, price_list)
        use(price_list.calls_made, "2025-10-07T00", number, {}, subject=f"customer {number}")
    clock_at("2025-11-02")
    rows = queue_due_work(at=at("2025-11-02"))
    assert len(rows) == 6
    outcomes = []

    def deliver_all():
        try:
            outcomes.extend(jobs.run(str(row.pk)) for row in rows)
        finally:
            connection.close()

    threads = [threading.Thread(target=deliver_all) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert outcomes.count("done") == 6
    assert sorted(invoice.total for invoice in Invoice.objects.all()) == [2 * number for number in range(6)]
