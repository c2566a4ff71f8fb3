"""An invoice of before is imported by click: looked at, made, refused beside its fields."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from billing_site.roles import Role
from invoicing.models import Invoice
from tests.factories.contracts import CustomerFactory
from tests.invoicing.conftest import NOVEMBER, OCTOBER, contract_for
from tests.invoicing.contract_page.deal_form import page, split, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def contract(price_list, revops, clock_at):
    """Usage is invoiced here from November on; today is the 20th."""
    clock_at("2025-11-20")
    return contract_for(CustomerFactory(), price_list, invoicing_starts_at=NOVEMBER)


def typed(price_list, **more):
    times = {"inclusive_start_date": OCTOBER, "exclusive_end_date": NOVEMBER, "issue_date": NOVEMBER}
    sent = {"line_0_product": price_list.calls.pk, "line_0_quantity": "1,000", "theirs": "R-7"}
    for name, instant in times.items():
        sent |= split(name, instant)
    return sent | more


def test_it_is_seen_first_and_then_imported_once(revops, contract, price_list):
    url = page("import_invoice", contract.pk)
    assert url in revops.get(page("change", contract.pk)).content.decode()
    assert revops.get(url).status_code == 200

    seen = revops.post(url, typed(price_list, preview="1"))
    assert "API calls 1–31 October 2025 1,000 $0.02 $20.00 Total $20.00" in text_of(seen)
    assert not Invoice.objects.exists()
    made = revops.post(url, typed(price_list, save="1", previewed=seen.context["previewed"]))
    assert made.status_code == 302
    invoice = Invoice.objects.get()
    assert (invoice.number, invoice.total, invoice.details["custom_fields"]) == (
        "HIST-000001",
        2_000,
        {"number": "R-7"},
    )
    shown = text_of(revops.get(page("change", contract.pk)))
    assert "HIST-000001 Usage invoiced elsewhere, October 2025" in shown
    assert "null" not in text_of(seen)
    again = revops.post(url, typed(price_list, preview="1"))
    assert "It is there already, word for word." in text_of(again)


@pytest.mark.parametrize(
    ("more", "field", "rule"),
    [
        ({"line_0_quantity": ""}, "line_0_quantity", "Needed."),
        ({"line_0_quantity": "0"}, "line_0_quantity", "must be above zero"),
        ({"line_0_pricing": '{"model": "xl"}'}, "line_0_product", "must have a price"),
        ({"issue_date_0": "", "issue_date_1": ""}, "issue_date", "Needed."),
        (split("exclusive_end_date", OCTOBER), "exclusive_end_date", "must be later"),
        (split("issue_date", OCTOBER.replace(year=2026)), "issue_date", "must not be later than now"),
        ({"line_0_product": "", "line_0_quantity": ""}, "__all__", "must be from 1 to 1000"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(revops, contract, price_list, more, field, rule):
    answer = revops.post(page("import_invoice", contract.pk), typed(price_list, preview="1", **more))
    errors = answer.context["form"].errors
    assert field in errors
    assert rule in errors[field][0]
    assert not Invoice.objects.exists()


def test_there_is_no_such_page_where_all_usage_is_invoiced_here(revops, acme):
    url = page("import_invoice", acme.contract.pk)
    assert revops.get(url).status_code == 404
    assert url not in revops.get(page("change", acme.contract.pk)).content.decode()


def test_finance_imports_and_editors_do_not(contract):
    browser = Client()
    for role, status in ((Role.FINANCE, 200), (Role.EDITOR, 403)):
        person = User.objects.create_user(role.name, is_staff=True)
        person.groups.add(Group.objects.get(name=role))
        browser.force_login(person)
        assert browser.get(page("import_invoice", contract.pk)).status_code == status
        shown = browser.get(page("change", contract.pk)).content.decode()
        assert (page("import_invoice", contract.pk) in shown) == (status == 200)
