"""The page of jobs: one customer's trouble is seen there, is that customer's alone, and is tried again from there."""

from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from billing_site.foundation import jobs
from billing_site.foundation.models import Job
from invoicing import tasks
from invoicing.models import Invoice
from tests.factories.contracts import CustomerFactory, UserFactory
from tests.factories.pricing import RateFactory
from tests.invoicing.conftest import contract_for, use

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
    assert str(acme.customer.pk) in parked
    assert str(globex.pk) not in parked

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
