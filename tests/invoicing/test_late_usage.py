"""A final document stays as it is; what came into its period afterwards is told, with its hours and subjects."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from billing_site.foundation.periods import Period
from invoicing.engine.calendar import draft_id
from invoicing.models import Invoice
from invoicing.queries.lateness import MissedUsage, missed_usage
from invoicing.services.finalization import finalize_due, finalize_invoice
from ledger.queries.lateness import LateUsage
from ledger.services.corrections import void_event
from tests.factories.contracts import CustomerFactory
from tests.factories.ledger import event, post
from tests.invoicing.conftest import ADA, DECEMBER, NOVEMBER, OCTOBER, at, contract_for

pytestmark = pytest.mark.django_db(transaction=True)

GRACE_IS_OVER = at("2025-11-02")


def call(hour, subject="acme", name=None):
    return event(name, customer_id=subject, timestamp=f"{hour}:30:00Z")


def finalized(acme, month):
    draft = draft_id(acme.contract.pk, "USAGE", f"2025-{month:02d}-01T00:00:00+00:00")
    return finalize_invoice(acme.customer, draft, at=at(f"2025-{month + 1:02d}-02"), by=ADA)


def test_events_that_come_after_a_document_are_told_with_its_number(acme):
    post(call("2025-10-03T05", name="first"), at=at("2025-10-04"))
    invoice = finalized(acme, 10)
    assert missed_usage(acme.customer.pk) == []
    post(call("2025-10-03T05"), call("2025-10-07T12"), call("2025-11-01T00"), at=GRACE_IS_OVER)
    post(call("2025-10-07T12", subject="globex"), at=GRACE_IS_OVER)
    late = LateUsage(2, at("2025-10-03T05"), at("2025-10-07T12"), ("acme",))
    assert missed_usage(acme.customer.pk) == [MissedUsage(invoice, Period(OCTOBER, NOVEMBER), late)]
    void_event("first", reason="Sent by mistake", at=at("2025-11-05"), by=ADA)
    assert [missed.late.hours for missed in missed_usage(acme.customer.pk)] == [2]


def test_each_document_has_missed_its_own_and_each_contract_is_told_its_own(acme, django_assert_num_queries):
    other = CustomerFactory(aliases=["globex"])
    contract_for(other, acme.prices)
    for hour in ("2025-10-03T05", "2025-11-03T05"):
        post(call(hour), call(hour, subject="globex"), at=at(f"{hour}:45"))
    finalize_due(acme.customer.pk, at=at("2025-12-02"), by=ADA)
    finalize_due(other.pk, at=at("2025-12-02"), by=ADA)
    assert Invoice.objects.count() == 4
    post(call("2025-10-01T00"), call("2025-11-30T23", subject="globex"), at=at("2025-12-03"))
    with django_assert_num_queries(3):
        [october] = missed_usage(acme.customer.pk, contract_id=acme.contract.pk)
    assert (october.period, october.late.first) == (Period(OCTOBER, NOVEMBER), OCTOBER)
    [november] = missed_usage(other.pk)
    assert (november.period, november.late.first) == (Period(NOVEMBER, DECEMBER), at("2025-11-30T23"))
    assert missed_usage(other.pk, contract_id=acme.contract.pk) == []


def test_the_contract_opens_on_what_its_documents_have_missed(acme, clock_at):
    clock_at("2025-11-05")
    browser = Client()
    browser.force_login(User.objects.create_superuser("grace"))
    address = reverse("admin:contracts_contract_change", args=[acme.contract.pk])
    post(call("2025-10-03T05"), at=at("2025-10-04"))
    invoice = finalized(acme, 10)
    assert browser.get(address).context["screen"].late == ()
    post(call("2025-10-31T23"), at=GRACE_IS_OVER)
    response = browser.get(address)
    assert response.context["screen"].late == (
        f"{invoice.number}, 1–31 October 2025: since it became final, events of one hour between "
        "31 October 2025, 23:00 UTC and 1 November 2025, 00:00 UTC came in late or were corrected (acme).",
    )
    assert "Late usage" in response.content.decode()
