"""Billing providers, revenue systems and resellers by clicks: made on their page, given to contracts, told in words."""

import html
import re
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from contracts.models import Contract, ContractEdit, ProviderConfiguration
from contracts.queries import agreement
from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import RateCardAliasFactory, RateCardFactory
from tests.invoicing.conftest import OCTOBER

pytestmark = pytest.mark.django_db

DIRECT = "direct_to_billing_provider"
ADD = "/admin/contracts/providerconfiguration/add/"


@pytest.fixture
def browser(db, clock_at):
    clock_at("2025-10-16")
    browser = Client()
    browser.force_login(User.objects.create_superuser("ada"))
    return browser


def added(browser, customer, **typed):
    given = {
        "customer": str(customer.pk), "kind": "BILLING_PROVIDER", "provider": "stripe", "delivery_method": DIRECT,
        "configuration": '{"stripe_customer_id": "cus_1"}', "reason": "As Stripe has it",
    }  # fmt: skip
    return browser.post(ADD, given | typed)


def netsuite(browser, customer):
    of = {"kind": "REVENUE_SYSTEM", "provider": "netsuite", "configuration": '{"netsuite_customer_id": "42"}'}
    return added(browser, customer, **of)


def test_a_configuration_is_made_by_click_once_with_why(browser):
    customer = CustomerFactory(name="Acme")
    page = browser.get(reverse("admin:contracts_customer_change", args=[customer.pk])).content.decode()
    assert f"{ADD}?customer={customer.pk}" in page
    for _ in range(2):  # word for word the same: once
        assert added(browser, customer).status_code == 302
    assert netsuite(browser, customer).status_code == 302
    billing, revenue = ProviderConfiguration.objects.order_by("created_at", "id")
    assert (billing.configuration, billing.created_by) == ({"stripe_customer_id": "cus_1"}, "ada")
    assert billing.history.latest().history_change_reason == "As Stripe has it"
    assert revenue.kind == "REVENUE_SYSTEM"


@pytest.mark.parametrize(
    ("typed", "field", "rule"),
    [
        ({"configuration": "[1]"}, "configuration", "Write an object"),
        ({"configuration": '{"stripe_collection_method": "x"}'}, "configuration", "must be one of"),
        ({"tax_provider": "anrok", "provider": "netsuite"}, "tax_provider", "belongs to the provider stripe"),
        ({"kind": "REVENUE_SYSTEM", "provider": "netsuite"}, "configuration", "must say what NetSuite calls"),
        ({"delivery_method": ""}, "delivery_method", "required"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(browser, typed, field, rule):
    answer = added(browser, CustomerFactory(), **typed)
    errors = answer.context["adminform"].form.errors
    assert rule in errors[field][0], errors
    assert not ProviderConfiguration.objects.exists()


class Deal:
    def __init__(self, browser, contract):
        self.browser, self.contract = browser, contract
        self.url = reverse("admin:contracts_contract_edit", args=[contract.pk])

    def preview(self, **typed):
        form = self.browser.get(self.url).context["form"]
        sent = {"based_on_edit": form["based_on_edit"].value(), "reason": "Agreed by phone", "end_policy": "STOP"}
        sent |= {"initial-end_policy": "STOP"}
        for name in ("ending_before",):
            value = form[name].value()
            for start in ("", "initial-"):
                sent |= {f"{start}{name}_0": f"{value:%Y-%m-%d}", f"{start}{name}_1": f"{value:%H:%M}"}
        sent |= typed
        return sent, self.browser.post(self.url, {**sent, "preview": "1"})

    def save(self, **typed):
        sent, seen = self.preview(**typed)
        assert seen.context["preview"], seen.context["form"].errors
        self.browser.post(self.url, {**sent, "previewed": seen.context["previewed"], "save": "1"})
        return agreement(self.contract.customer_id, self.contract.pk)

    def errors(self, **typed):
        _, seen = self.preview(**typed)
        assert not ContractEdit.objects.filter(kind="EDIT").exists()
        return {name: list(each) for name, each in seen.context["form"].errors.items()}

    def said(self):
        page = self.browser.get(reverse("admin:contracts_contract_change", args=[self.contract.pk])).content.decode()
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


@pytest.fixture
def deal(browser, acme):
    added(browser, acme.customer)
    netsuite(browser, acme.customer)
    added(browser, CustomerFactory(name="Bolt"), configuration='{"stripe_customer_id": "cus_of_bolt"}')
    return Deal(browser, acme.contract)


def test_a_contract_gets_its_provider_and_revenue_system(deal):
    form = deal.browser.get(deal.url).context["form"]
    labels = [label for _, label in form.fields["provider_billing"].choices]
    assert labels == ["---------", "Stripe, directly (stripe customer id cus_1)"], "its own customer's alone"
    billing, revenue = ProviderConfiguration.objects.filter(customer=deal.contract.customer).order_by("kind")
    agreed = deal.save(provider_billing=str(billing.pk), provider_revenue=str(revenue.pk),
                       provider_revenue_from="START_OF_NEXT_PERIOD")  # fmt: skip
    assert [(each.configuration.pk, f"{each.effective_at:%-d %b}") for each in agreed.providers] == [
        (billing.pk, "1 Oct"),
        (revenue.pk, "1 Nov"),
    ]
    assert "Stripe" in deal.said()
    [again] = deal.preview(provider_billing=str(billing.pk))[1].context["form"].errors["provider_billing"]
    assert "archive that configuration before" in again


def test_a_reseller_gets_a_share(deal):
    products = [str(each.product_id) for each in deal.contract.rate_card.rates.all()][:1]
    assert deal.errors(royalty_type="AWS", royalty_fraction="101")["royalty_fraction"] == [
        "Must be from 0 to 100, in percent."
    ]
    missing = deal.errors(royalty_type="AWS", royalty_fraction="10")
    assert set(missing) == {"royalty_netsuite_id", "royalty_starting_at", "royalty_products"}
    assert "Needed, or leave the section empty." in deal.errors(royalty_fraction="10")["royalty_type"][0]
    agreed = deal.save(
        royalty_type="AWS", royalty_fraction="10", royalty_netsuite_id="7", royalty_starting_at_0="2025-10-01",
        royalty_products=products, royalty_aws_offer_id="offer-1",
    )  # fmt: skip
    [royalty] = agreed.terms.royalties
    assert (D(royalty["fraction"]), royalty["aws_offer_id"]) == (D("0.1"), "offer-1")
    agreed = deal.save(royalty_type="AWS", royalty_fraction="5", royalty_starting_at_0="2025-12-01")
    assert [(each["fraction"], each["netsuite_reseller_id"]) for each in agreed.terms.royalties] == [
        ("0.1", "7"), ("0.05", "7"),
    ]  # fmt: skip
    assert "A reseller on AWS Marketplace which NetSuite calls 7 has 5 %" in deal.said()


def test_a_new_contract_says_its_provider_its_usage_and_its_card_by_alias(deal):
    customer, card = deal.contract.customer, RateCardFactory(name="Of the spring")
    RateCardAliasFactory(rate_card=card, name="current")
    page = reverse("admin:contracts_contract_add")
    typed = {
        "customer": str(customer.pk), "rate_card_alias": "current", "starting_at_0": "2026-03-01",
        "starting_at_1": "00:00", "frequency": "MONTHLY", "day": "FIRST_OF_MONTH",
        "multiplier_override_prioritization": "LOWEST_MULTIPLIER", "filter_key": "region", "filter_values": "eu\nus",
        "billing_provider": f"stripe/{DIRECT}", "revenue_system": f"netsuite/{DIRECT}",
    }  # fmt: skip
    answer = deal.browser.post(page, typed)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    made = Contract.objects.exclude(pk=deal.contract.pk).get()
    agreed = agreement(customer.pk, made.pk)
    assert made.rate_card_id == card.pk
    assert [each.configuration.provider for each in agreed.providers] == ["stripe", "netsuite"]
    assert [(each["group_key"], each["group_values"]) for each in agreed.terms.usage_filters] == [
        ("region", ["eu", "us"])
    ]
    other = str(CustomerFactory().pk)
    errors = deal.browser.post(page, typed | {"customer": other}).context["adminform"].form.errors
    assert "must name exactly one configuration of the customer" in errors["billing_provider"][0]
    errors = deal.browser.post(page, typed | {"filter_key": "", "starting_at_0": "2027-03-01"}).context
    assert "filter_key" in errors["adminform"].form.errors
    assert made.starting_at > OCTOBER
