"""The customer's page and the list of balances say the same of every kind of commit and credit. A call costs 2 cents, a
token 40.

    on 10 November             granted   used                      left    besides
    pack of the contract       $1.00     $0.60 of calls, October   $0.70   $0.30 added by hand
    credit of the customer     $0.60     $0.20 of calls            $0.20   $0.20 is of December
    units, of the customer     7         7 of 9 tokens             0
    promise of the customer    $2.00     $0.80, the other two      $1.20
"""

from decimal import Decimal as D

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from billing_site.foundation import tokens
from billing_site.foundation.display import amount_text
from contracts import services
from contracts.inputs import AccessScheduleInput, EditInput, SegmentInput, SharedCommitInput
from contracts.queries import agreement
from invoicing.portal import page_of
from invoicing.queries.account import account
from invoicing.queries.balances import balances
from invoicing.services import finalize_due
from invoicing.services.manual_entries import ManualEntryInput, add_manual_entry
from tests.factories.contracts import commit_input, credit_input, prepaid_input
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, sdk

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(acme, clock_at):
    """One of each kind."""

    def shared(given, **more):
        services.create_shared_commit(acme.customer, SharedCommitInput(given, **more), at=OCTOBER, by=ADA)

    calls = (acme.prices.calls.pk,)
    pack = prepaid_input(
        D(100), OCTOBER, NOVEMBER.replace(day=30), name="Pack", priority=D(1), applicable_product_ids=calls
    )
    edit = EditInput(add_commits=(pack,))
    services.edit_contract(acme.customer, acme.contract.pk, edit, at=OCTOBER, by=ADA)
    shared(commit_input(D(200), due=JANUARY, name="Promise"), invoice_contract_id=acme.contract.pk)
    acme.calls("2025-10-05T10", 30)
    clock_at("2025-11-10")
    finalize_due(acme.customer.pk, at=at("2025-11-05"), by=ADA)
    [committed] = agreement(acme.customer.pk, acme.contract.pk).commits
    added = ManualEntryInput(committed.commit.pk, committed.segments[0].segment_id, D(30), "Sorry", acme.contract.pk)
    add_manual_entry(acme.customer.pk, added, at=at("2025-11-06"), by=ADA)
    stretches = (SegmentInput(D(40), OCTOBER, DECEMBER), SegmentInput(D(20), DECEMBER, JANUARY))
    schedule = AccessScheduleInput(stretches)
    shared(credit_input(access_schedule=schedule, name="Welcome", priority=D(0), applicable_product_ids=calls))
    units = AccessScheduleInput((SegmentInput(D(7), OCTOBER, JANUARY),), access_type="QUANTITY")
    shared(
        credit_input(
            access_schedule=units, name="Units", priority=D(-1), applicable_product_ids=(acme.prices.tokens.pk,)
        )
    )
    acme.calls("2025-11-05T10", 10)
    acme.uses_tokens("2025-11-06T10", 9)
    return acme


def held_in(acme):
    """By name."""
    commits = [each.committed.commit for each in balances(acme.customer.pk, at=at("2025-11-10"))]
    return {commit.name: commit.held_in for commit in commits}


def bars(acme, now):
    return {bar.title: bar for bar in page_of(account(acme.customer.pk, at=now)).bars}


def test_both_say_what_is_left_of_each(held):
    _, secret = tokens.create_token("deals", scope="admin", at=OCTOBER, by=ADA)
    whose = {"customer_id": str(held.customer.pk)}
    listed = sdk(secret).v1.contracts.list_balances(**whose, include_balance=True, include_contract_balances=True).data
    units = held_in(held)
    shown = bars(held, at("2025-11-10"))
    assert {each.name for each in listed} == set(shown) == {"Pack", "Promise", "Welcome", "Units"}
    for each in listed:
        left = amount_text(D(str(each.balance)), units[each.name])
        assert shown[each.name].standing.endswith(f", {left} left"), each.name


def test_the_page_says_it_in_these_words(held):
    shown = bars(held, at("2025-11-10"))
    assert {title: (bar.standing, bar.besides) for title, bar in shown.items()} == {
        "Pack": ("$0.60 of $1.00, $0.70 left", "$0.30 was added by hand"),
        "Welcome": ("$0.20 of $0.60, $0.20 left", "$0.20 can be used later"),
        "Units": ("7 units of 7 units, 0 units left", ""),
        "Promise": ("$0.80 of $2.00, $1.20 left", ""),
    }
    browser = Client()
    browser.force_login(User.objects.create_superuser("ada"))
    page = browser.get(reverse("portal_of_customer", args=[held.customer.pk])).content.decode()
    for bar in shown.values():
        assert bar.standing in page
    assert "$0.30 was added by hand." in page
    contract = browser.get(reverse("admin:contracts_contract_change", args=[held.contract.pk])).content.decode()
    assert "$0.70 left; $0.30 was added by hand" in contract


def test_what_is_over_has_expired(held):
    shown = bars(held, at("2025-12-10"))
    assert (shown["Welcome"].standing, shown["Welcome"].besides) == ("$0.20 of $0.60, $0.20 left", "$0.20 has expired")
