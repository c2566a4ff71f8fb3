"""Changing a commit or credit in the back office: previewed in money, then made; what is refused stands beside its
field. API calls cost 2 cents.
"""

import re
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from contracts import services
from contracts.inputs import EditInput, SharedCommitInput
from contracts.models import ContractEdit
from contracts.queries import agreement, shared_commits
from invoicing.services import finalize_due
from tests.factories.contracts import credit_input, prepaid_input
from tests.invoicing.commit_page import Page, granted
from tests.invoicing.conftest import ADA, DECEMBER, JANUARY, NOVEMBER, OCTOBER, at, commit_of

pytestmark = pytest.mark.django_db


def test_a_credit_is_lowered_and_shortened_after_its_effect_was_seen(acme, clock_at):
    """$1.00, $0.80 of it used; lowered to $0.60, 20 cents are to pay."""
    clock_at("2025-10-10")
    acme.calls("2025-10-05T10", 40)
    page = Page(granted(acme, credit_input(D(100), name="Bonus")))
    typed = {"segment_0_amount": "$0.60", "segment_0_ending_before_0": "2025-12-01", "priority": "7", "name": "Start"}

    _, seen = page.preview(**typed)
    text = re.sub(r"<[^>]+>", " ", seen.content.decode())
    assert "$0.20" in text
    assert ContractEdit.objects.filter(kind="EDIT").count() == 1
    assert page.save(**typed).status_code == 302

    [committed] = agreement(acme.customer.pk, acme.contract.pk).commits
    [segment] = committed.segments
    assert (segment.amount, segment.ending_before) == (60, DECEMBER)
    assert (committed.commit.priority, committed.commit.name) == (7, "Start")
    shown = page.browser.get(reverse("admin:contracts_contract_change", args=[acme.contract.pk])).content.decode()
    assert page.url in shown
    assert "Credit “Bonus”: $1.00 (1 October – 31 December 2025) is now $0.60 (1 October – 30 November 2025)" in shown
    assert "As agreed by phone" in shown


def test_a_payment_is_moved_and_another_taken_out(acme, clock_at):
    clock_at("2025-10-10")
    pack = prepaid_input(D(100), OCTOBER, JANUARY, (OCTOBER, D(50)), (NOVEMBER, D(25)), (DECEMBER, D(25)))
    page = Page(granted(acme, commits=(pack,)))
    assert "item_2_amount" not in page.shown()  # what has fallen due is not offered

    page.save(item_0_timestamp_0="2025-11-15", item_0_amount="0.30", item_1_gone="on")
    [committed] = agreement(acme.customer.pk, acme.contract.pk).commits
    assert [(item.issued_at, item.amount) for item in committed.invoice_items] == [
        (OCTOBER, 50),
        (at("2025-11-15"), 30),
    ]


def test_a_promise_is_lowered_with_its_true_up(acme, clock_at):
    clock_at("2025-10-10")
    page = Page(commit_of(acme, D(1_000)))
    page.save(segment_0_amount="6.00")
    [committed] = agreement(acme.customer.pk, acme.contract.pk).commits
    assert (committed.segments[0].amount, committed.invoice_items[0].amount) == (600, 600)


def test_what_the_customers_contracts_share_is_changed_as_well(acme, clock_at):
    clock_at("2025-10-10")
    given = SharedCommitInput(credit_input(D(100), name="Shared"))
    commit = services.create_shared_commit(acme.customer, given, at=OCTOBER, by=ADA)
    page = Page(commit)
    assert page.save(products=[str(acme.prices.calls.pk)]).url == reverse(
        "admin:contracts_customer_balances", args=[acme.customer.pk]
    )
    [committed] = shared_commits(acme.customer.pk)
    assert committed.commit.applicable_product_ids == [str(acme.prices.calls.pk)]
    of_it = reverse("admin:contracts_customer_balance", args=[acme.customer.pk, commit.pk])
    assert of_it in page.browser.get(page.browser.get(page.url).context["leave"]).content.decode()
    assert page.url in page.browser.get(of_it).content.decode()


def test_what_is_refused_stands_beside_its_field(acme, clock_at):
    clock_at("2025-11-02")
    acme.calls("2025-10-05T10", 40)
    page = Page(granted(acme, credit_input(D(100), name="Bonus")))
    finalize_due(acme.customer.pk, at=at("2025-11-02"), by=ADA)

    for typed, field, rule in (
        ({"segment_0_amount": "0.79"}, "segment_0_amount", "must not be less than $0.80"),
        ({"segment_0_amount": "-1"}, "segment_0_amount", "must be greater than 0"),
        ({"segment_0_ending_before_0": "2025-10-31"}, "segment_0_ending_before", "must not change what holds before"),
        ({"segment_0_starting_at_0": "2025-10-02"}, "segment_0_starting_at", "must not be later than"),
        ({"priority": "0.1234567890123"}, "priority", "must not have more than 12 decimals"),
        ({"segment_0_amount": "a lot"}, "segment_0_amount", "Write a number"),
        ({}, "__all__", "changes nothing"),
    ):
        [(found, [said])] = page.errors(**typed).items()
        assert (found, rule in said) == (field, True), said


def test_who_saves_second_looks_again(acme, clock_at):
    clock_at("2025-10-10")
    page = Page(granted(acme, credit_input(D(100), name="Bonus")))
    sent, seen = page.preview(segment_0_amount="0.60")
    services.edit_contract(acme.customer, acme.contract.pk, EditInput(update_contract_name="Deal"), at=OCTOBER, by=ADA)
    answer = page.browser.post(page.url, {**sent, "previewed": seen.context["previewed"], "save": "1"})
    assert "has edited this contract meanwhile" in answer.content.decode()
    assert agreement(acme.customer.pk, acme.contract.pk).commits[0].segments[0].amount == 100


def test_an_unknown_commit_has_no_page_and_a_reader_may_not_change_one(acme, clock_at):
    clock_at("2025-10-10")
    page = Page(granted(acme, credit_input(D(100))))
    assert page.browser.get(reverse("admin:contracts_commit_edit", args=[acme.contract.pk])).status_code == 404
    reader = Client()
    reader.force_login(User.objects.create_user("eve", is_staff=True))
    assert reader.get(page.url).status_code == 403


def added(kind, place, start=None, end=None, timestamp=None, **typed):
    """A row to add, as the form's inputs send it."""
    name = f"new_{kind}_{place}"
    instants = {"starting_at": start, "ending_before": end, "timestamp": timestamp}
    sent = {f"{name}_{key}": value for key, value in typed.items()}
    for key, instant in instants.items():
        if instant is not None:
            sent |= {f"{name}_{key}_0": f"{instant:%Y-%m-%d}", f"{name}_{key}_1": f"{instant:%H:%M}"}
    return sent


def test_stretches_and_payments_are_added_and_what_stood_alone_is_replaced(acme, clock_at):
    clock_at("2025-10-10")
    pack = prepaid_input(D(100), OCTOBER, DECEMBER, (NOVEMBER, D(50)), name="Pack")
    page = Page(granted(acme, commits=(pack,)))
    typed = {
        **added("segment", 0, NOVEMBER, JANUARY, amount="$2.00"),
        **added("segment", 1, DECEMBER, JANUARY, amount="3"),
        "segment_0_gone": "on",
        **added("item", 0, timestamp=DECEMBER, unit_price="0.30", quantity="2"),
        **added("item", 1, timestamp=at("2025-12-15"), amount="0.10"),
    }
    _, seen = page.preview(**typed)
    assert sum(document.note == "New" for document in seen.context["preview"].documents) == 2
    assert page.save(**typed).status_code == 302
    [committed] = agreement(acme.customer.pk, acme.contract.pk).commits
    assert [(each.amount, each.starting_at, each.ending_before) for each in committed.segments] == [
        (200, NOVEMBER, JANUARY),
        (300, DECEMBER, JANUARY),
    ]
    assert [(each.issued_at, each.amount, each.unit_price, each.quantity) for each in committed.invoice_items] == [
        (NOVEMBER, 50, 50, 1),
        (DECEMBER, 60, 30, 2),
        (at("2025-12-15"), 10, 10, 1),
    ]
    shown = page.browser.get(reverse("admin:contracts_contract_change", args=[acme.contract.pk])).content.decode()
    assert "added $2.00 (1 November – 31 December 2025)" in shown
    assert "added a payment, $0.60 on 1 December 2025" in shown


def test_a_row_that_is_refused_keeps_what_was_typed_beside_what_is_wrong(acme, clock_at):
    clock_at("2025-10-10")
    page = Page(granted(acme, commits=(prepaid_input(D(100), OCTOBER, JANUARY, (OCTOBER, D(50))),)))
    stretch = {"start": NOVEMBER, "end": JANUARY}
    for typed, field, rule in (
        (added("segment", 0, **stretch), "new_segment_0_amount", "Needed"),
        (added("segment", 2, amount="1"), "new_segment_2_starting_at", "Needed"),
        (added("segment", 1, amount="-1", **stretch), "new_segment_1_amount", "greater than 0"),
        (added("segment", 0, JANUARY, NOVEMBER, amount="1"), "new_segment_0_ending_before", "later than starting_at"),
        (added("item", 0, amount="1"), "new_item_0_timestamp", "Needed"),
        (added("item", 1, timestamp=DECEMBER), "new_item_1_amount", "is required"),
        (
            added("item", 1, timestamp=DECEMBER, amount="1", quantity="2"),
            "new_item_1_amount",
            "cannot be combined with unit_price",
        ),
        ({"segment_0_gone": "on"}, "segment_0_amount", "must leave from 1"),
    ):
        errors = page.errors(**typed)
        assert rule in errors[field][0]
        assert len(agreement(acme.customer.pk, acme.contract.pk).commits[0].segments) == 1


def test_a_settled_date_of_charges_is_refused_beside_the_payment_that_is_added(acme, clock_at):
    clock_at("2025-10-10")
    page = Page(granted(acme, commits=(prepaid_input(D(100), OCTOBER, JANUARY, (OCTOBER, D(50))),)))
    finalize_due(acme.customer.pk, at=at("2025-10-10"), by=ADA)
    errors = page.errors(**added("item", 1, timestamp=OCTOBER, amount="1"))
    assert "must not be a date on which charges of this contract have fallen due" in errors["new_item_1_timestamp"][0]


def test_a_promise_and_a_credit_offer_no_more_than_they_can_have(acme, clock_at):
    clock_at("2025-10-10")
    promise = Page(commit_of(acme, D(1_000))).shown()
    assert not any(name.startswith(("new_", "segment_0_gone")) for name in promise)
    given = SharedCommitInput(credit_input(D(100)))
    credit = services.create_shared_commit(acme.customer, given, at=OCTOBER, by=ADA)
    browser = Client()
    browser.force_login(User.objects.get(username="ada"))
    fields = browser.get(reverse("admin:contracts_commit_edit", args=[credit.pk])).context["form"].fields
    assert "new_segment_1_amount" in fields
    assert not any(name.startswith("new_item") for name in fields)
