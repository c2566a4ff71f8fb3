"""A sheet of customers and contracts: looked at, then made as a whole or not at all (`docs/customer_import.md`)."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from billing_site.foundation.models import TestClock
from billing_site.foundation.refusals import Refusal
from contracts import services
from contracts.models import Contract, ContractEdit, Customer
from contracts.queries import agreement, aliases_of
from contracts.services.imports import MOST_ROWS
from tests.factories.contracts import ContractFactory, CustomerFactory
from tests.factories.pricing import ADA, RateCardAliasFactory, RateCardFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2025, 12, 1, tzinfo=UTC)
TOLD = {"at": NOW, "by": ADA}
PAGE = reverse("admin:contracts_customer_import")
HEADER = "customer,aliases,contract,starting_at,ending_before,rate_card,net_payment_terms_days,end_policy,key"
SHEET = f"""{HEADER}
Acme,acme|acme-eu,Acme 2026,2026-01-01,2027-01-01,List prices,30,renew,crm-17
Globex,globex,,,,,,,
Acme,acme,Acme 2027,2027-01-01,,standard,,,crm-18
Initech,,Initech,2026-01-01T06:00Z,,List prices,,,
"""


@pytest.fixture(autouse=True)
def card():
    card = RateCardFactory(name="List prices")
    RateCardAliasFactory(rate_card=card, name="standard")
    return card


@pytest.fixture
def revops(settings):
    settings.SANDBOX = True
    TestClock.objects.create(instant=NOW)
    browser = Client()
    browser.force_login(User.objects.create_superuser("grace"))
    return browser


def text_of(response):
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def counts():
    return Customer.objects.count(), Contract.objects.count(), ContractEdit.objects.count()


def made(sheet):
    """Look, then make what was looked at."""
    looked_at = services.import_customers(sheet, **TOLD)
    return looked_at, services.import_customers(sheet, seen=looked_at.mark, **TOLD)


def errors_of(sheet):
    before = counts()
    found = services.import_customers(sheet, **TOLD)
    assert counts() == before
    return [(error.line, error.column, error.value, error.rule) for error in found.errors]


def test_a_look_writes_nothing_and_says_what_the_sheet_then_makes():
    looked_at = services.import_customers(SHEET, **TOLD)
    assert counts() == (0, 0, 0)
    assert [(row.line, row.customer, row.made) for row in looked_at.rows] == [
        (
            2,
            "Acme",
            "New customer, known as acme, acme-eu; New contract “Acme 2026” on List prices from 1 January 2026 up to "
            "1 January 2027",
        ),
        (3, "Globex", "New customer, known as globex"),
        (4, "Acme", "New contract “Acme 2027” on standard from 1 January 2027"),
        (5, "Initech", "New customer; New contract “Initech” on List prices from 1 January 2026, 06:00 UTC"),
    ]
    done = services.import_customers(SHEET, seen=looked_at.mark, **TOLD)
    assert (done.is_made, done.customers, done.contracts) == (True, 3, 3)
    acme = Customer.objects.get(name="Acme")
    assert aliases_of([acme.pk])[acme.pk] == ["acme", "acme-eu"]
    first = agreement(acme.pk, acme.contracts.get(uniqueness_key="crm-17").pk)
    assert (first.terms.name, first.terms.net_payment_terms_days, first.terms.end_policy) == ("Acme 2026", 30, "RENEW")


def test_sent_twice_a_sheet_with_keys_makes_everything_once():
    with_keys = "\n".join(SHEET.splitlines()[:4])
    made(with_keys)
    before = counts()
    looked_at, again = made(with_keys)
    assert counts() == before
    assert (again.customers, again.contracts) == (0, 0)
    assert {row.made for row in looked_at.rows} == {
        "Its contract with this key is there already and is left alone",
        "Nothing.",
    }


def test_what_is_not_what_was_looked_at_is_not_made():
    looked_at = services.import_customers(SHEET, **TOLD)
    CustomerFactory(name="Globex", aliases=["globex"])
    before = counts()
    again = services.import_customers(SHEET, seen=looked_at.mark, **TOLD)
    assert (again.is_made, again.errors, counts()) == (False, (), before)


def test_every_fault_is_said_by_line_and_column_and_nothing_is_made(card):
    other = CustomerFactory(name="Other", aliases=["taken"])
    ContractFactory(customer__name="Umbrella", customer__aliases=["umbrella"], rate_card=card)
    faults = errors_of(
        f"""{HEADER}
,nobody,,,,,,,
Mine,taken,,,,,,,
Other,,,,,,,,
Other,taken|new,,,,,,,
A,a,,2026-13-01,,List prices,,,
B,b,,2026-01-01,2025-01-01,List prices,,,
C,c,,2026-01-01,,No such card,,,
D,d,,2026-01-01T00:30Z,,List prices,,,
E,e,E,,,,,,
F,f,,2026-01-01,,List prices,soon,,
G,g,,2026-01-01,,List prices,,RENEW,
H,taken|umbrella,,,,,,,
I,i,,2026-01-01,,List prices,,,
"""
    )
    assert [(line, column) for line, column, _, _ in faults] == [
        (2, "customer"),
        (3, "customer"),
        (4, "customer"),
        (5, "aliases"),
        (6, "starting_at"),
        (7, "ending_before"),
        (8, "rate_card"),
        (9, "starting_at"),
        (10, "starting_at"),
        (11, "net_payment_terms_days"),
        (12, "end_policy"),
        (13, "aliases"),
    ]
    assert faults[1][2:] == ("Mine", "must be what the customer is called: Other")
    assert faults[6][2:] == ("No such card", "must be a name or an alias at the contract's start")
    assert other.contracts.count() == 0


def test_a_formula_is_a_text_and_its_apostrophe_is_not_part_of_it():
    _, done = made("customer,aliases\n'=1+1,eq\n\"=cmd|' /C calc'!A0\",cmd\n")
    assert done.is_made
    assert set(Customer.objects.values_list("name", flat=True)) == {"=1+1", "=cmd|' /C calc'!A0"}


def test_what_cannot_be_read_is_refused_and_columns_are_named():
    assert errors_of("name,customer,customer\nA,B,C\n")[0][0] == 1
    assert errors_of("aliases\nacme\n") == [(1, "customer", "aliases", "must be among the columns")]
    assert errors_of("customer,aliases\nA\n")[0][3] == "must have 2 cells, as the header has"
    many = "customer\n" + "".join(f"C{number}\n" for number in range(MOST_ROWS + 1))
    with pytest.raises(Refusal, match="must not have more than 250 rows"):
        services.import_customers(many, **TOLD)


def test_by_clicks_a_file_is_looked_at_and_then_made(revops):
    assert PAGE in revops.get(reverse("admin:contracts_customer_changelist")).content.decode()
    file = SimpleUploadedFile("customers.csv", SHEET.encode())
    looked_at = revops.post(PAGE, {"file": file, "reason": "Migration", "action": "show"})
    shown = text_of(looked_at)
    assert "Make 3 customers and 3 contracts" in shown
    assert counts() == (0, 0, 0)
    form = looked_at.context["form"]
    carried = {name: form[name].value() for name in ("seen", "sheet", "reason")}
    answer = revops.post(PAGE, {**carried, "action": "make"}, follow=True)
    assert "Made: 3 customers and 3 contracts." in text_of(answer)
    assert Customer.objects.get(name="Acme").history.get().history_change_reason == "Migration"


def test_a_pasted_text_with_faults_stays_to_be_edited(revops):
    page = revops.post(PAGE, {"pasted": "customer,starting_at\nAcme,soon\n", "action": "show"})
    assert "1 place has to be put right" in text_of(page)
    assert page.context["form"]["pasted"].value() == "customer,starting_at\nAcme,soon\n"
    too_large = SimpleUploadedFile("customers.csv", b"customer\n" + b"x" * 1_500_001)
    assert "must not be larger than" in text_of(revops.post(PAGE, {"file": too_large, "action": "show"})).lower()


def test_who_may_not_make_contracts_imports_none(settings):
    settings.SANDBOX = True
    user = User.objects.create_user("reader", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="add_customer"))
    browser = Client()
    browser.force_login(user)
    assert browser.post(PAGE, {"pasted": SHEET, "action": "show"}).status_code == 403
