"""What Salesforce calls a customer: said by the API and by click, with history, and a filter of the list."""

import metronome
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from billing_site.foundation import tokens
from contracts.models import Customer
from tests.factories.contracts import CustomerFactory
from tests.invoicing.conftest import ADA, OCTOBER, sdk

pytestmark = pytest.mark.django_db


@pytest.fixture
def client():
    return sdk(tokens.create_token("crm", scope="admin", at=OCTOBER, by=ADA)[1])


def test_it_is_said_listed_by_and_cleared(client):
    acme, other = CustomerFactory(name="Acme"), CustomerFactory(name="Other")
    config = client.v1.customers.update_config

    config(customer_id=str(acme.pk), salesforce_account_id="001A")
    config(customer_id=str(acme.pk), salesforce_account_id="001A")
    config(customer_id=str(acme.pk))  # says nothing, changes nothing

    assert client.v1.customers.retrieve(customer_id=str(acme.pk)).data.customer_config.salesforce_account_id == "001A"
    assert [each.id for each in client.v1.customers.list(salesforce_account_ids=["001A", "001B"])] == [str(acme.pk)]
    assert list(client.v1.customers.list(salesforce_account_ids=["001B"])) == []
    assert {each.id for each in client.v1.customers.list()} == {str(acme.pk), str(other.pk)}
    assert [row.salesforce_account_id for row in Customer.history.filter(id=acme.pk)] == ["001A", ""]
    config(customer_id=str(acme.pk), salesforce_account_id=None)
    assert client.v1.customers.retrieve(customer_id=str(acme.pk)).data.customer_config.salesforce_account_id is None
    with pytest.raises(metronome.BadRequestError, match="must not be longer than 160"):
        config(customer_id=str(acme.pk), salesforce_account_id="x" * 161)
    with pytest.raises(metronome.APIStatusError, match="leave_stripe_invoices_in_draft: is not supported"):
        config(customer_id=str(acme.pk), salesforce_account_id="001C", leave_stripe_invoices_in_draft=True)
    assert Customer.objects.get(pk=acme.pk).salesforce_account_id == ""


def test_it_is_typed_on_the_customers_page(client):
    browser, acme = Client(), CustomerFactory(name="Acme")
    browser.force_login(User.objects.create_superuser("grace"))
    page = reverse("admin:contracts_customer_change", args=[acme.pk])
    typed = {
        "name": "Acme",
        "ingest_aliases": "",
        "salesforce_account_id": "001A",
        "contracts-TOTAL_FORMS": "0",
        "contracts-INITIAL_FORMS": "0",
    }

    assert browser.post(page, typed).status_code == 302
    assert Customer.objects.get().salesforce_account_id == "001A"
    shown = browser.get(page).content.decode()
    assert "Salesforce account" in shown
    assert "001A" in shown
