"""A commit that waits for its payment, by click: granted, seen to wait, and recorded as paid or failed."""

import re

import pytest
from django.urls import reverse

from contracts.models import Commit, ContractEdit, PaymentGate, PaymentOutcome
from invoicing.models import Invoice
from invoicing.portal.balances import cards_of
from invoicing.portal.page import page_of
from invoicing.queries.account import account
from invoicing.queries.account_balances import burnt_balances
from invoicing.services import finalize_due
from tests.invoicing.conftest import ADA, at
from tests.invoicing.test_granting_to_a_contract import ANEW, Page, segment, split

pytestmark = pytest.mark.django_db
GATED = {"payment_gate_type": "EXTERNAL", "name": "Top-up", **segment(0, "$90.00")}
BILLED = {"item_0_amount": "$80.00", **split("item_0_timestamp", at("2025-10-20"))}


@pytest.fixture
def page(acme, clock_at):
    clock_at("2025-10-20")
    return Page(acme)


@pytest.fixture
def commit(page):
    page.save(**GATED, **BILLED)
    return Commit.objects.get()


def text_of(page, name, *args):
    return re.sub(r"\s+", " ", page.browser.get(reverse(f"admin:{name}", args=args)).content.decode())


def record(page, commit, outcome, reason="Wire 4711"):
    address = reverse("admin:contracts_commit_payment", args=[commit.pk])
    return page.browser.post(address, {"outcome": outcome, "reason": reason}, follow=True)


def outlook(page, now):
    found = burnt_balances(page.acme.customer.pk, at=at(now))
    [card] = cards_of(found.held, found.burnt, found.numbers, found.contract_names, at(now))
    return card.outlook


def test_it_is_granted_waits_everywhere_and_is_paid(page, commit, clock_at):
    assert PaymentGate.objects.get().commit == commit
    finalize_due(commit.customer_id, at=at("2025-10-20T01"), by=ADA)
    clock_at("2025-10-22T09:30")
    link = reverse("admin:contracts_commit_payment", args=[commit.pk])
    waits = "has waited for its payment since 20 October 2025"
    for name, ids in (
        ("contracts_contract_change", [commit.contract_id]),
        ("contracts_customer_balance", [commit.customer_id, commit.pk]),
    ):
        shown = text_of(page, name, *ids)
        assert f"It {waits}." in shown
        assert link in shown
    assert "$90.00, waits for its payment" in text_of(page, "contracts_contract_change", commit.contract_id)
    assert waits in text_of(page, "contracts_customer_balances", commit.customer_id)
    assert outlook(page, "2025-10-22") == (
        "It has waited for your payment since 20 October 2025, and can be used once that has come."
    )

    overview = page_of(account(commit.customer_id, at=at("2025-10-22T09:30")))
    assert overview.no_bars == "Waiting for your payment: Top-up. Until then you pay for what you use."

    asked = text_of(page, "contracts_commit_payment", commit.pk)
    number = Invoice.objects.get().number
    assert "Payment for the commit “Top-up” of Acme" in asked
    assert f"Invoice {number}: $80.00" in asked
    assert "$90.00 can be used from 22 October 2025, 09:00 UTC on." in asked
    assert f"{number} is voided, none is made in its place" in asked

    done = record(page, commit, "PAID").content.decode()
    assert "The payment for “Top-up” was made: it is usable from 22 October 2025, 09:00 UTC on." in done
    assert ContractEdit.objects.get(kind="PAYMENT").reason == "Wire 4711"
    assert link not in text_of(page, "contracts_contract_change", commit.contract_id)
    assert "Record payment" not in text_of(page, "contracts_commit_payment", commit.pk)


def test_a_failed_one_says_so(page, commit):
    finalize_due(commit.customer_id, at=at("2025-10-20T01"), by=ADA)
    assert record(page, commit, "FAILED", reason="").context["form"].errors["reason"]
    record(page, commit, "FAILED", reason="Card declined")
    assert Invoice.objects.get().void.reason == "Card declined"
    assert "can never be used: its payment failed on 20 October 2025" in text_of(
        page, "contracts_customer_balances", commit.customer_id
    )
    assert outlook(page, "2025-10-22") == "Its payment has failed, so it cannot be used."
    drawn = text_of(page, "contracts_contract_change", commit.contract_id)
    assert "$90.00, never usable: its payment failed" in drawn
    assert "The payment was recorded as FAILED" in record(page, commit, "PAID").content.decode()
    assert PaymentOutcome.objects.get().outcome == "FAILED"


def test_what_is_wrong_with_a_gate_stands_beside_it(page):
    assert "one item above zero" in page.errors(**GATED)["payment_gate_type"][0]
    assert page.errors(**ANEW, payment_gate_type="EXTERNAL") == {
        "payment_gate_type": ["What is granted anew can be used as soon as its access begins."]
    }
