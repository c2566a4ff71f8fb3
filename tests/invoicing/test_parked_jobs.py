"""The page of jobs: one customer's trouble is seen there, is that customer's alone, and is tried again from there."""

from dataclasses import astuple
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from billing_site.foundation import jobs
from billing_site.foundation.models import ClockMove, Job
from invoicing import tasks
from invoicing.models import Invoice
from tests.factories.contracts import CustomerFactory, UserFactory
from tests.factories.pricing import RateFactory
from tests.invoicing.conftest import at, contract_for, use

pytestmark = pytest.mark.django_db
PAGE = "admin:foundation_job_changelist"


def staff(*permissions):
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def run_all():
    for row in Job.objects.filter(state="QUEUED"):
        jobs.run(str(row.pk))


def test_one_customer_is_parked_and_seen_and_no_other_waits(acme, price_list, clock_at):
    globex = CustomerFactory(name="Globex", aliases=["globex"])
    contract_for(globex, price_list)
    acme.uses_tokens("2025-10-03T05", 100, model="huge")
    use(price_list.calls_made, "2025-10-07T00", 3, {}, subject="globex")
    clock_at("2025-11-02")
    tasks.queue_due_work()
    run_all()
    assert {(row.state, row.progress) for row in Job.objects.all()} == {
        ("DONE", "1 of 1 documents, 0 held"),
        ("FAILED", "1 of 1 documents, 1 held"),
    }
    keeper = staff("view_job", "change_job")
    parked = keeper.get(reverse(PAGE), {"state__exact": "FAILED"}).content.decode()
    assert "has no rate for it" in parked
    assert "Finalize what is due" in parked
    assert "Acme, due 2 November 2025" in parked
    assert "Globex" not in parked

    RateFactory(
        rate_card=price_list.card, product=price_list.tokens, pricing_group_values={"model": "huge"}, price=D(1)
    )
    chosen = {"action": "try_again", "_selected_action": [str(row.pk) for row in Job.objects.all()]}
    assert "try_again" not in staff("view_job").get(reverse(PAGE)).content.decode()
    staff("view_job").post(reverse(PAGE), chosen)
    assert Job.objects.get(payload__customer_id=str(acme.customer.pk)).state == "FAILED"

    said = keeper.post(reverse(PAGE), chosen, follow=True).content.decode()
    assert "1 will be tried again. 1 not parked, and left alone." in said
    run_all()
    assert {(row.state, row.error) for row in Job.objects.all()} == {("DONE", "")}
    assert Invoice.objects.get(customer=acme.customer).total == 100


def test_jobs_of_every_kind_are_told_in_words_with_as_many_queries_for_many_as_for_one(
    acme, price_list, clock_at, django_assert_num_queries
):
    clock_at("2025-11-02")
    move = ClockMove.objects.create(began_at=at("2025-11-02"), goal_at=at("2025-12-24"), asked_at=at("2025-11-02"))
    payloads = {
        "finalize_due": {"customer_id": str(acme.customer.pk), "due_at": "2025-11-02T00:00:00Z"},
        "measure_back": {"metric_id": str(price_list.calls_made.pk)},
        "name_product": {"product_id": str(price_list.tokens.pk)},
        "drop_month": {"month": "2024-02-01"},
        "move_clock": {"move_id": str(move.pk), "chunk": 1},
    }
    for kind, payload in payloads.items():
        for number in range(3):
            jobs.enqueue(kind, f"{number}", payload)
    jobs.enqueue("of an older release", "its key", {})
    rows = list(Job.objects.all())
    with django_assert_num_queries(4):  # names of customers, metrics and products, and goals of moves
        words = jobs.told(rows)
    assert {(row.kind, *astuple(words[row.pk])) for row in rows} == {
        ("finalize_due", "Finalize what is due", "Acme, due 2 November 2025"),
        ("measure_back", "Measure a metric back", "API calls"),
        ("name_product", "Name a product as its definition does", "Tokens"),
        ("drop_month", "Drop the bodies of old events", "February 2024"),
        ("move_clock", "Move the test clock", "to 24 December 2025"),
        ("of an older release", "of an older release", "its key"),
    }
