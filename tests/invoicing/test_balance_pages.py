"""Balances in the back office: the table of a customer, one as it burns down, entries by hand. A call costs 2 cents."""

from decimal import Decimal as D

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contracts import services
from contracts.inputs import AccessScheduleInput, EditInput, SegmentInput, SharedCommitInput
from invoicing.services import finalize_due
from ledger.models import LedgerEntry
from tests.factories.contracts import CustomerFactory, credit_input, prepaid_input
from tests.invoicing.conftest import ADA, JANUARY, NOVEMBER, OCTOBER, at

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser():
    browser = Client()
    browser.force_login(User.objects.create_superuser("ada"))
    return browser


@pytest.fixture
def packs(acme):
    """A pack of the contract until the year's end, and one of the customer in October; 60 used in October."""
    edit = EditInput(add_commits=(prepaid_input(D(100), OCTOBER, JANUARY, name="Pack"),))
    services.edit_contract(acme.customer, acme.contract.pk, edit, at=OCTOBER, by=ADA)
    window = AccessScheduleInput((SegmentInput(D(50), OCTOBER, NOVEMBER),))
    october = credit_input(access_schedule=window, name="<b>October</b>", priority=D(200))
    services.create_shared_commit(acme.customer, SharedCommitInput(october), at=OCTOBER, by=ADA)
    acme.calls("2025-10-05T10", 30)


def page_of(browser, acme, *commit_ids):
    name = "admin:contracts_customer_balance" if commit_ids else "admin:contracts_customer_balances"
    return browser.get(reverse(name, args=[acme.customer.pk, *commit_ids]))


def rows(browser, acme):
    shown = page_of(browser, acme)
    names = [column.lower() for column in shown.context["columns"]]
    return {
        row.name: {name: amount for name, amount in zip(names, row.amounts, strict=True) if amount}
        for row in shown.context["rows"]
    }


def test_the_table_says_what_became_of_each_balance(browser, acme, packs, clock_at):
    clock_at("2025-10-20")
    assert rows(browser, acme) == {
        "Pack": {"granted": "$1.00", "pending": "$0.60", "left": "$0.40"},
        "<b>October</b>": {"granted": "$0.50", "left": "$0.50"},
    }
    clock_at("2025-11-03")
    finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA)
    assert rows(browser, acme) == {
        "Pack": {"granted": "$1.00", "used": "$0.60", "left": "$0.40"},
        "<b>October</b>": {"granted": "$0.50", "expired": "$0.50", "left": "$0.00"},
    }
    assert "&lt;b&gt;October&lt;/b&gt;" in page_of(browser, acme).content.decode()


def test_a_column_is_there_where_it_says_anything_and_contracts_go_by_their_names(browser, acme, packs, clock_at):
    clock_at("2025-10-20")
    shown = page_of(browser, acme).context
    assert shown["columns"] == ("Granted", "Left", "Pending")
    assert {len(row.amounts) for row in shown["rows"]} == {3}
    services.edit_contract(acme.customer, acme.contract.pk, EditInput(update_contract_name="Deal"), at=OCTOBER, by=ADA)
    assert {row.contract for row in page_of(browser, acme).context["rows"]} == {
        "Deal",
        "All of the customer's",
    }


def test_one_burns_down_from_its_grant_to_now(browser, acme, packs, clock_at):
    clock_at("2025-10-21")
    [pack] = [row for row in page_of(browser, acme).context["rows"] if row.name == "Pack"]
    screen = page_of(browser, acme, pack.commit_id).context["screen"]
    assert [(entry.when, entry.what, entry.amount, entry.left) for entry in screen.ledger] == [
        ("1 October 2025, 00:00 UTC", "Granted", "$1.00", "$1.00"),
        ("1 November 2025, 00:00 UTC", "Drawn, pending in a draft", "-$0.60", "$0.40"),
    ]
    corners = screen.chart.points.split()
    assert (corners[:5], corners[5], corners[-1]) == (
        ["0.0,0", "30.0,0", "60.0,0", "90.0,0", "120.0,0"], "150.0,72", "600.0,72"  # used on the fifth day
    )  # fmt: skip
    clock_at("2025-11-11")
    finalize_due(acme.customer.pk, at=at("2025-11-11"), by=ADA)
    screen = page_of(browser, acme, pack.commit_id).context["screen"]
    assert screen.ledger[1].what.startswith("Drawn, invoice ")
    assert screen.chart.summary == "$1.00 at the most, $0.40 left on 11 November 2025"


def test_an_entry_by_hand_is_posted_once_and_never_for_more_than_is_left(browser, acme, packs, clock_at):
    clock_at("2025-10-20")
    [pack] = [row for row in page_of(browser, acme).context["rows"] if row.name == "Pack"]
    shown = page_of(browser, acme, pack.commit_id)
    form, url = shown.context["form"], shown.request["PATH_INFO"]
    sent = {
        "key": form["key"].value(),
        "segment": form.fields["segment"].choices[0][0],
        "amount": "-0.30",
        "reason": "Agreed by phone",
    }
    too_much = browser.post(url, sent | {"amount": "-0.41"})
    assert "must not take more than the $0.40 left" in too_much.content.decode()
    assert browser.post(url, sent | {"reason": ""}).context["form"].errors["reason"]
    assert not LedgerEntry.objects.exists()
    assert browser.post(url, sent).status_code == 302
    assert "was already used for this customer" in browser.post(url, sent).content.decode()
    assert [(entry.type, entry.amount, entry.reason) for entry in LedgerEntry.objects.all()] == [
        ("PREPAID_COMMIT_MANUAL", -30, "Agreed by phone")
    ]
    assert rows(browser, acme)["Pack"] == {
        "granted": "$1.00", "by hand": "-$0.30", "pending": "$0.60", "left": "$0.10"
    }  # fmt: skip


def test_without_balances_it_says_where_they_come_from(browser, acme, clock_at):
    clock_at("2025-10-20")
    assert "is granted on the page of that contract" in page_of(browser, acme).content.decode()
    stranger = reverse("admin:contracts_customer_balance", args=[CustomerFactory().pk, acme.customer.pk])
    assert browser.get(stranger).status_code == 404


def test_who_may_not_see_contracts_sees_no_balances(acme, packs, clock_at):
    clock_at("2025-10-20")
    stranger = Client()
    stranger.force_login(User.objects.create_user("stranger", is_staff=True))
    assert page_of(stranger, acme).status_code == 403


def test_more_balances_cost_no_more_statements(browser, acme, packs, clock_at):
    clock_at("2025-10-20")

    def statements():
        page_of(browser, acme)  # what is remembered of terms and prices
        with CaptureQueriesContext(connection) as counted:
            page_of(browser, acme)
        return len(counted)

    few = statements()
    edit = EditInput(add_commits=tuple(prepaid_input(D(5), OCTOBER, JANUARY, name=f"Pack {n}") for n in range(5)))
    services.edit_contract(acme.customer, acme.contract.pk, edit, at=OCTOBER, by=ADA)
    assert statements() == few


def test_the_rows_of_a_contract_and_what_balances_pay_add_up_to_its_total(browser, acme, packs, clock_at):
    clock_at("2025-10-20")
    shown = browser.get(reverse("admin:contracts_contract_change", args=[acme.contract.pk]))
    [table] = shown.context["screen"].page.tables
    assert ([row.amount for row in table.rows], table.rest, table.total) == (["$0.60"], "-$0.60", "$0.00")
    assert "Balances drawn on, and other lines" in shown.content.decode()
    browser.force_login(User.objects.create_superuser("eve"))
    portal = browser.get(reverse("portal_of_customer", args=[acme.customer.pk]), follow=True)
    assert "Balances drawn on, and other lines" in portal.content.decode()
