"""Renewing a contract by clicks: its page leads to a new contract that is filled in with what is agreed."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from contracts.models import Contract
from contracts.queries import agreement
from contracts.services import archive_contract
from tests.factories.contracts import ContractFactory
from tests.factories.pricing import ADA

pytestmark = pytest.mark.django_db

OCTOBER, DECEMBER, NEXT_YEAR = (datetime(*day, 1, tzinfo=UTC) for day in ((2025, 10), (2025, 12), (2026, 1)))
ADD = reverse("admin:contracts_contract_add")


@pytest.fixture
def browser():
    browser = Client()
    browser.force_login(User.objects.create_superuser("grace"))
    return browser


@pytest.fixture
def old():
    terms = {"terms__name": "Year one", "terms__ending_before": NEXT_YEAR, "terms__net_payment_terms_days": 45}
    return ContractFactory(starting_at=OCTOBER, **terms)


def filled(browser, old, **typed):
    """What a browser sends of the page to which the contract leads."""
    page = reverse("admin:contracts_contract_change", args=[old.pk])
    assert f"{ADD}?renewal_of={old.pk}" in browser.get(page).content.decode()
    form = browser.get(ADD, {"renewal_of": str(old.pk)}).context["adminform"].form
    sent = {}
    for field in form:
        value = field.value()
        if isinstance(value, datetime):
            sent |= {f"{field.html_name}_0": f"{value:%Y-%m-%d}", f"{field.html_name}_1": f"{value:%H:%M:%S}"}
        elif value is not None:
            sent[field.html_name] = str(getattr(value, "pk", value))
    return sent | {"ending_before_0": "2027-01-01", "ending_before_1": "00:00"} | typed


def test_what_is_agreed_fills_the_renewal_in_and_true_ups_stay_or_not(browser, old):
    saved = browser.post(ADD, filled(browser, old, true_ups="REMOVE", reason="Another year"))
    assert saved.status_code == 302, saved.context["adminform"].form.errors
    renewal = Contract.objects.get(renews=old)
    assert saved["Location"] == reverse("admin:contracts_contract_change", args=[renewal.pk])
    for each, other, is_offered, said in ((renewal, old, True, "Renews"), (old, renewal, False, "Renewed by")):
        shown = browser.get(reverse("admin:contracts_contract_change", args=[each.pk])).content.decode()
        assert (f"?renewal_of={each.pk}" in shown) == is_offered
        assert f'{said} <a href="{reverse("admin:contracts_contract_change", args=[other.pk])}">Year one</a>.' in shown
    assert (renewal.customer, renewal.rate_card, renewal.starting_at) == (old.customer, old.rate_card, NEXT_YEAR)
    terms = agreement(renewal.customer_id, renewal.pk).terms
    assert (terms.name, terms.net_payment_terms_days, terms.ending_before.year) == ("Year one", 45, 2027)


def test_an_earlier_start_ends_the_renewed_contract(browser, old):
    sent = filled(browser, old, starting_at_0="2025-12-01")
    assert browser.post(ADD, sent).status_code == 302
    assert agreement(old.customer_id, old.pk).terms.ending_before == DECEMBER


@pytest.mark.parametrize(
    ("typed", "rule"),
    [
        ({"starting_at_0": "2025-09-01"}, "starts before its renewal"),
        ({"starting_at_0": "2026-02-01"}, "runs up to its renewal"),
    ],
)
def test_what_is_refused_stands_beside_the_contract_that_is_renewed(browser, old, typed, rule):
    refused = browser.post(ADD, filled(browser, old, **typed))
    assert rule in refused.context["adminform"].form.errors["renewal_of"][0]
    assert Contract.objects.count() == 1


def test_an_archived_contract_and_no_contract_are_not_renewed(browser, old):
    for named in ("", "no id", str(old.customer_id)):
        form = browser.get(ADD, {"renewal_of": named}).context["adminform"].form
        assert list(form.fields["renewal_of"].queryset) == []
    sent = filled(browser, old)
    archive_contract(old.customer, old.pk, at=OCTOBER, by=ADA)
    assert (
        f"?renewal_of={old.pk}"
        not in browser.get(reverse("admin:contracts_contract_change", args=[old.pk])).content.decode()
    )
    refused = browser.post(ADD, sent)
    assert "renewal_of" in refused.context["adminform"].form.errors
    assert Contract.objects.count() == 1
