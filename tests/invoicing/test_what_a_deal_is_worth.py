"""What a deal is worth and what other systems call it: kept and shown at each door, and billed by nothing."""

from decimal import Decimal as D

import metronome
import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from billing_site.foundation import tokens
from contracts.models import Contract
from contracts.queries import agreement
from contracts.services.copies import contract_like
from contracts.wording import history_in_words
from invoicing.services import finalize_due
from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, sdk

pytestmark = pytest.mark.django_db

DEAL = {
    "total_contract_value": 12_000_000.5,
    "salesforce_opportunity_id": "0065g00000XyZ",
    "netsuite_sales_order_id": "SO-4711",
}
AMENDED = {"total_contract_value": 500, "salesforce_opportunity_id": "0065g00000AbC"}


def said(shape):
    return {name: getattr(shape, name) for name in DEAL if getattr(shape, name, None) is not None}


@pytest.fixture
def client(clock_at):
    clock_at("2025-10-10")
    return sdk(tokens.create_token("deals", scope="admin", at=OCTOBER, by=ADA)[1])


def deal(client, customer, **more):
    fee = {
        "product_id": str(FixedProductFactory().pk),
        "schedule": {"schedule_items": [{"timestamp": NOVEMBER, "amount": 100}]},
    }
    whole = {"starting_at": OCTOBER, "ending_before": JANUARY, "scheduled_charges": [fee], **more}
    return client.v1.contracts.create(customer_id=str(customer.pk), **whole).data.id


def test_it_is_echoed_by_every_reply_and_on_documents(client):
    customer = CustomerFactory()
    ids = {"customer_id": str(customer.pk), "contract_id": deal(client, customer, **DEAL)}
    client.v1.contracts.amend(**ids, starting_at=NOVEMBER, **AMENDED)

    assert said(client.v2.contracts.retrieve(**ids).data) == DEAL
    [listed] = client.v2.contracts.list(customer_id=str(customer.pk)).data
    assert said(listed) == DEAL
    first = client.v1.contracts.retrieve(**ids).data
    assert [said(each) for each in (first.initial, first.current)] == [DEAL, DEAL]
    [amendment] = first.amendments
    assert amendment.salesforce_opportunity_id == AMENDED["salesforce_opportunity_id"]
    assert amendment.to_dict()["total_contract_value"] == 500

    [draft] = client.v1.customers.invoices.list(customer_id=str(customer.pk)).data
    finalize_due(customer.pk, at=NOVEMBER, by=ADA)
    [final] = client.v1.customers.invoices.list(customer_id=str(customer.pk), status="FINALIZED").data
    for invoice in (draft, final):
        ids_told = invoice.salesforce_opportunity_id, invoice.netsuite_sales_order_id
        assert (invoice.total, ids_told) == (100, ("0065g00000XyZ", "SO-4711"))
    plain = client.v2.contracts.retrieve(
        customer_id=str(customer.pk), contract_id=deal(client, customer, starting_at=DECEMBER)
    ).data
    assert said(plain) == {}

    contract = Contract.objects.get(pk=ids["contract_id"])
    assert history_in_words(contract)[0].changes == (
        "Amendment from 1 November 2025, 00:00 UTC.",
        "Salesforce opportunity 0065g00000AbC.",
        "Worth $5.00 in all; nothing is billed by that.",
    )
    like = contract_like(agreement(customer.pk, contract.pk), JANUARY)  # another deal
    assert (like.total_contract_value, like.salesforce_opportunity_id, like.netsuite_sales_order_id) == (None, "", "")
    with pytest.raises(IntegrityError, match="born with never changes"), transaction.atomic():
        Contract.objects.filter(pk=contract.pk).update(netsuite_sales_order_id="SO-4712")
    with connection.cursor() as cursor, pytest.raises(IntegrityError), transaction.atomic():
        cursor.execute("UPDATE contracts_contract SET total_contract_value = 'NaN' WHERE id = %s", [contract.pk])


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("total_contract_value", -1, "must not be negative"),
        ("total_contract_value", 1e-13, "must not have more than 12 decimals"),
        ("salesforce_opportunity_id", "x" * 161, "must not be longer than 160 characters"),
        ("netsuite_sales_order_id", "SO\x001", "must not contain the character U+0000"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(client, field, value, rule):
    with pytest.raises(metronome.BadRequestError) as refusal:
        deal(client, CustomerFactory(), **{field: value})

    [error] = refusal.value.body["errors"]
    assert (error["field"], rule in error["rule"]) == (field, True)
    assert not Contract.objects.exists()


def test_it_is_typed_with_a_new_contract_and_read_on_its_page(price_list, clock_at):
    clock_at("2025-10-10")
    browser, customer = Client(), CustomerFactory()
    browser.force_login(User.objects.create_superuser("grace"))
    typed = {
        "customer": customer.pk,
        "rate_card": price_list.card.pk,
        "starting_at_0": "2025-10-01",
        "starting_at_1": "00:00",
        "frequency": "MONTHLY",
        "day": "FIRST_OF_MONTH",
        "multiplier_override_prioritization": "LOWEST_MULTIPLIER",
        "net_payment_terms_days": "30",
        "total_contract_value": "$120,000",
        "salesforce_opportunity_id": "0065g00000XyZ",
        "netsuite_sales_order_id": "SO-4711",
    }

    made = browser.post(reverse("admin:contracts_contract_add"), typed)

    assert made.status_code == 302, made.context["adminform"].form.errors
    contract = Contract.objects.get()
    assert contract.total_contract_value == D(12_000_000)
    page = browser.get(reverse("admin:contracts_contract_change", args=[contract.pk])).content.decode()
    for words in ("Worth $120,000.00 in all", "Salesforce opportunity 0065g00000XyZ", "NetSuite sales order SO-4711"):
        assert words in page
    assert "Usage is billed monthly, counted from 1 October 2025. Payable within 30 days." in page
    found = browser.get(reverse("admin:contracts_contract_changelist"), {"q": "SO-4711"})
    assert str(contract.pk) in found.content.decode()
