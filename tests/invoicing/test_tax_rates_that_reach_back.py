"""A tax rate that begins before final documents end: whoever enters it is told that they keep their tax."""

import pytest
from django.test import Client
from django.urls import reverse

from billing_site.foundation.periods import Period
from contracts.models import TaxRate
from invoicing.models import Invoice
from invoicing.queries.taxation import taxed_within
from invoicing.services import finalize_due, void_invoice
from tests.factories.contracts import BillingProfileFactory, LegalEntityFactory, TaxRateFactory, UserFactory
from tests.invoicing.conftest import ADA, DECEMBER, NOVEMBER, OCTOBER, at

pytestmark = pytest.mark.django_db

ADD = reverse("admin:contracts_taxrate_add")
TOLD = "1 final document in that time keeps its tax."


@pytest.fixture
def october(acme):
    """October is final, taxed with 19 %, for an address in Germany."""
    LegalEntityFactory(taxes="FIXED_RATES")
    BillingProfileFactory(customer=acme.customer, country="DE")
    TaxRateFactory()
    acme.calls("2025-10-05T07", 20)
    [final] = finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA).finalized
    return final


@pytest.fixture
def staff():
    staff = Client()
    staff.force_login(UserFactory(username="ada", is_staff=True, is_superuser=True))
    return staff


def rate(since, **more):
    return {"name": "VAT", "percent": "25", "starting_at_0": since, "starting_at_1": "00:00", "reason": "Law"} | more


def test_who_enters_it_sees_how_many_documents_keep_their_tax(october, staff):
    told = staff.post(ADD, rate("2025-10-01"))
    assert TOLD in told.content.decode()
    assert TaxRate.objects.count() == 1
    seen = told.context["adminform"].form["seen"].value()
    assert staff.post(ADD, rate("2025-10-01", seen=seen)).status_code == 302
    assert TaxRate.objects.filter(percent=25).count() == 1
    total = october.total
    assert Invoice.objects.get().total == total
    change = reverse("admin:contracts_taxrate_change", args=[TaxRate.objects.get(percent=25).pk])
    assert staff.post(change, rate("2025-10-01", reason="Why it is there")).status_code == 302
    assert TOLD in staff.post(change, rate("2025-10-01", percent="26")).content.decode()


@pytest.mark.parametrize(
    "given",
    [
        rate("2025-11-01"),
        rate("2025-10-01", country="FR"),
        rate("2025-09-01", ending_before_0="2025-10-31", ending_before_1="23:00"),
    ],
)
def test_a_rate_for_another_time_or_country_is_saved_at_once(october, staff, given):
    assert staff.post(ADD, given).status_code == 302


def test_which_documents_were_taxed_by_what_held_then(october):
    assert taxed_within(Period(OCTOBER, NOVEMBER), country="DE") == 1
    assert taxed_within(Period(at("2025-10-31T23"), None)) == 1
    assert taxed_within(Period(NOVEMBER, DECEMBER)) == 0
    assert taxed_within(Period(OCTOBER, at("2025-10-31T23"))) == 0
    void_invoice(october.customer_id, october.pk, reason="wrong", at=at("2025-11-05"), by=ADA)
    assert taxed_within(Period(OCTOBER, None)) == 0
