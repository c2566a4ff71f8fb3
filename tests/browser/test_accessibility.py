"""What keyboards and screen readers need of our pages: axe finds nothing serious on any of them, light or dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.urls import reverse

from tests.factories.contracts import CustomerLoginFactory
from tests.site.house import House, plain

pytestmark = pytest.mark.django_db(transaction=True)

# WCAG 2.2, levels A and AA. Minor and moderate findings are advice.
ASKED = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
REFUSED = {"serious", "critical"}


@pytest.fixture
def house(settings):
    settings.SANDBOX = True
    return House(plain).build()


def staff_pages(house: House) -> list[str]:
    return [
        reverse("admin:index"),
        reverse("first_invoice"),
        reverse("admin:invoicing_finance"),
        reverse("admin:invoicing_invoice_changelist"),
        reverse("admin:invoicing_invoice_change", args=[house.invoice.pk]),
        reverse("admin:invoicing_review_queue"),
        reverse("admin:contracts_contract_changelist"),
        reverse("admin:contracts_contract_add"),
        reverse("admin:contracts_contract_change", args=[house.contract]),
        reverse("admin:contracts_contract_edit", args=[house.contract]),
        reverse("admin:contracts_contract_grant", args=[house.contract]),
        reverse("admin:contracts_contract_subscribe", args=[house.contract]),
        reverse("admin:contracts_contract_why", args=[house.contract, house.draft, 0]),
        reverse("admin:contracts_contract_events", args=[house.contract, house.draft, 0]),
        reverse("admin:contracts_customer_balances", args=[house.customer]),
        reverse("admin:pricing_ratecard_change", args=[house.card]),
        reverse("admin:pricing_ratecard_raise", args=[house.card]),
        reverse("admin:ledger_unmatched"),
        reverse("admin:ledger_events"),
        reverse("admin:foundation_testclock_changelist"),
    ]


def customer_pages(house: House) -> list[str]:
    own = f"/portal/{house.customer}/"
    sections = ("", "spend/", "usage/", "balances/", "terms/", "invoices/", "tokens/")
    return [*(own + section for section in sections), f"{own}invoices/{house.invoice.pk}"]


def found(page) -> list[str]:
    """What is serious on a page: the rule, and where it is broken."""
    violations = Axe().run(page, options=ASKED).response["violations"]
    return [
        f"{each['id']}: {node['html'][:600]} {node['failureSummary']}"
        for each in violations
        if each["impact"] in REFUSED
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_is_found_in_the_back_office(house, visit, scheme):
    page = visit("/admin/", user=User.objects.create_superuser("grace"), scheme=scheme)
    findings = {}
    for address in staff_pages(house):
        page.goto(address)
        findings[address] = found(page)
    assert {address: broken for address, broken in findings.items() if broken} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_is_found_on_the_pages_of_customers(house, visit, scheme):
    login = CustomerLoginFactory(customer_id=house.customer)
    page = visit("/portal/", user=login.user, scheme=scheme)
    findings = {}
    for address in customer_pages(house):
        page.goto(address)
        findings[address] = found(page)
    assert {address: broken for address, broken in findings.items() if broken} == {}
