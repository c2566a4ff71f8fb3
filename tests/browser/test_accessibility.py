"""What keyboards and screen readers need of our pages: axe finds nothing serious, at a desk or on a phone."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.contrib.auth.models import User
from django.urls import reverse

from tests.browser.dress import dress
from tests.factories.contracts import CustomerLoginFactory
from tests.site.house import House, plain

pytestmark = pytest.mark.django_db(transaction=True)

# WCAG 2.2, levels A and AA. Minor and moderate findings are advice.
ASKED = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
REFUSED = {"serious", "critical"}
DRESSES = {"a desk, light": (1440, "light"), "a phone, dark": (390, "dark")}


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
        reverse("admin:auth_user_change", args=[User.objects.get(username="grace").pk]),
    ]


def customer_pages(house: House) -> list[str]:
    own = f"/portal/{house.customer}/"
    sections = ("", "spend/", "usage/", "balances/", "terms/", "invoices/", "tokens/")
    return [*(own + section for section in sections), f"{own}invoices/{house.invoice.pk}"]


def found(page) -> list[str]:
    """What is serious on a page: the rule, and where it is broken."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    violations = page.evaluate("(asked) => axe.run(asked).then((results) => results.violations)", ASKED)
    return [
        f"{each['id']}: {node['html'][:600]} {node['failureSummary']}"
        for each in violations
        if each["impact"] in REFUSED
        for node in each["nodes"]
    ]


def found_in_each_dress(page) -> dict[str, list[str]]:
    findings = {}
    for name, (width, scheme) in DRESSES.items():
        dress(page, width, scheme)
        if broken := found(page):
            findings[name] = broken
    return findings


def found_on(page, addresses: list[str]) -> dict[str, dict[str, list[str]]]:
    findings = {}
    for address in addresses:
        page.goto(address)
        if broken := found_in_each_dress(page):
            findings[address] = broken
    return findings


def test_nothing_serious_is_found_in_the_back_office(house, visit):
    page = visit("/admin/", user=User.objects.create_superuser("grace"))
    assert found_on(page, staff_pages(house)) == {}
    dress(page, *DRESSES["a desk, light"])
    page.get_by_role("button", name="Find anything").click()
    page.locator("#search-input-command").press_sequentially("acme")
    page.locator("#command-results-list").wait_for()
    assert found_in_each_dress(page) == {}


def test_nothing_serious_is_found_on_the_pages_of_customers(house, visit):
    login = CustomerLoginFactory(customer_id=house.customer)
    page = visit("/portal/", user=login.user)
    assert found_on(page, customer_pages(house)) == {}
