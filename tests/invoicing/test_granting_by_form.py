"""Granting a balance in the edit form of the back office, and how it stands on the contract's page."""

from decimal import Decimal as D

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from billing_site.foundation.refusals import Refusal
from contracts.forms.edits import EditForm
from contracts.inputs import (
    AccessScheduleInput,
    InvoiceItemInput,
    InvoiceScheduleInput,
    RecurringAmountInput,
    RecurringScheduleInput,
    SegmentInput,
)
from contracts.queries import agreement
from contracts.services import edit_contract
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.conftest import ADA, JANUARY, NOVEMBER, OCTOBER

pytestmark = pytest.mark.django_db


def split(name, instant):
    """An instant as the form's two inputs send it."""
    return {f"{name}_0": f"{instant:%Y-%m-%d}", f"{name}_1": f"{instant:%H:%M}"}


@pytest.fixture
def form(acme):
    product = FixedProductFactory(name="Credits")

    def filled(**given):
        sent = {
            "reason": "Welcome",
            "entitled": "unknown",
            "grant_product": str(product.pk),
            **split("grant_starting_at", OCTOBER),
            **split("grant_ending_before", JANUARY),
            **given,
        }
        return EditForm(agreement(acme.customer.pk, acme.contract.pk), sent)

    return filled


def test_what_nothing_is_paid_for_is_a_credit(form, acme):
    filled = form(grant_amount="$1.00", grant_name="Welcome", grant_priority="5", grant_products=[acme.prices.calls.pk])
    assert filled.is_valid(), filled.errors
    given = filled.to_input()
    [credit] = given.add_credits
    assert (credit.type, credit.name, credit.priority) == ("CREDIT", "Welcome", 5)
    assert credit.access_schedule == AccessScheduleInput((SegmentInput(D(100), OCTOBER, JANUARY),))
    assert (credit.invoice_schedule, credit.applicable_product_ids) == (None, (acme.prices.calls.pk,))
    assert given.add_commits == ()


@pytest.mark.parametrize("paid_at", [OCTOBER, NOVEMBER])
def test_what_is_paid_for_is_a_prepaid_commit_billed_when_it_begins_or_later(form, paid_at):
    when = {} if paid_at == OCTOBER else split("grant_paid_at", paid_at)
    filled = form(grant_amount="$100", grant_price="$90", **when)
    assert filled.is_valid(), filled.errors
    [commit] = filled.to_input().add_commits
    assert commit.type == "PREPAID"
    assert commit.invoice_schedule == InvoiceScheduleInput((InvoiceItemInput(paid_at, amount=D(9_000)),))


def test_what_is_paid_for_may_be_billed_in_instalments(form):
    filled = form(grant_amount="$100", grant_price="$90", grant_paid_each="MONTHLY", grant_paid_share="DIVIDED")
    assert filled.is_valid(), filled.errors
    [commit] = filled.to_input().add_commits
    assert commit.invoice_schedule == InvoiceScheduleInput(
        recurring_schedule=RecurringScheduleInput(OCTOBER, JANUARY, "MONTHLY", "DIVIDED", D(9_000))
    )


def test_a_charge_may_be_billed_each_quarter_by_price_and_quantity(form, acme):
    product = FixedProductFactory(name="Support")
    filled = form(
        charge_amount="$2.50",
        charge_quantity="4",
        charge_each="QUARTERLY",
        charge_product=str(product.pk),
        **split("charge_at", NOVEMBER),
        **split("charge_until", JANUARY.replace(month=3)),
    )
    assert filled.is_valid(), filled.errors
    edit_contract(acme.customer, acme.contract.pk, filled.to_input(), at=OCTOBER, by=ADA)
    [charged] = agreement(acme.customer.pk, acme.contract.pk).charges
    assert [(each.issued_at, each.amount, each.unit_price, each.quantity) for each in charged.items] == [
        (NOVEMBER, 1_000, 250, 4),
        (JANUARY.replace(month=2), 1_000, 250, 4),
    ]


def test_nothing_is_granted_where_no_amount_is_typed(form):
    filled = form()
    assert filled.is_valid(), filled.errors
    assert (filled.to_input().add_commits, filled.to_input().add_credits) == ((), ())


@pytest.mark.parametrize(("each", "frequency"), [("USAGE", ""), ("WEEKLY", "WEEKLY")])
def test_what_is_granted_anew_recurs_and_is_billed_when_it_begins(form, each, frequency):
    filled = form(grant_amount="$100", grant_price="$90", grant_each=each)
    assert filled.is_valid(), filled.errors
    given = filled.to_input()
    [commit] = given.add_recurring_commits
    assert (commit.type, commit.recurrence_frequency, commit.priority) == ("PREPAID", frequency, 100)
    assert (commit.starting_at, commit.ending_before) == (OCTOBER, JANUARY)
    assert (commit.access_amount, commit.invoice_amount) == (
        RecurringAmountInput(D(10_000), D(1)),
        RecurringAmountInput(D(9_000), D(1)),
    )
    assert (given.add_commits, given.add_credits, given.add_recurring_credits) == ((), (), ())


def test_a_credit_that_recurs_stands_on_the_contracts_page_in_words(form, acme, clock_at):
    filled = form(grant_amount="$1.00", grant_name="Welcome", grant_each="USAGE")
    assert filled.is_valid(), filled.errors
    edit_contract(acme.customer, acme.contract.pk, filled.to_input(), at=OCTOBER, by=ADA)
    acme.calls("2025-11-05T10", 15)
    clock_at("2025-11-10")
    browser = Client()
    browser.force_login(User.objects.create_superuser("ada"))

    text = browser.get(reverse("admin:contracts_contract_change", args=[acme.contract.pk])).content.decode()
    assert "Recurring credit “Welcome”: $1.00 each usage period" in text
    assert "$0.30 of $1.00" in text


CHARGE = {"charge_amount": "1", **split("charge_at", NOVEMBER)}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"grant_price": "$90"}, "grant_amount"),
        (
            {"grant_amount": "$1", "grant_each": "USAGE"}
            | split("grant_starting_at", JANUARY)
            | split("grant_ending_before", JANUARY.replace(month=2)),
            "grant_starting_at",
        ),
        ({"grant_amount": "$1", "grant_each": "USAGE", "grant_price": "$-1"}, "grant_price"),
        (
            {"grant_amount": "$1", "grant_each": "DAILY", "grant_price": "$1", **split("grant_paid_at", OCTOBER)},
            "grant_paid_at",
        ),
        ({"grant_amount": "$1", **split("grant_ending_before", OCTOBER)}, "grant_ending_before"),
        ({"grant_amount": "$-1"}, "grant_amount"),
        ({"grant_amount": "$1", "grant_each": "USAGE", "grant_paid_each": "MONTHLY"}, "grant_paid_each"),
        ({"grant_amount": "$1", "grant_price": "$1", **split("grant_paid_until", JANUARY)}, "grant_paid_until"),
        ({"grant_amount": "$1", "grant_price": "$1", "grant_paid_share": "DIVIDED"}, "grant_paid_share"),
        (
            {"grant_amount": "$1", "grant_price": "$1", "grant_paid_each": "MONTHLY"}
            | split("grant_paid_until", OCTOBER),
            "grant_paid_until",
        ),
        (CHARGE | {"charge_each": "MONTHLY"}, "charge_until"),
        (CHARGE | {"charge_quantity": "-1"}, "charge_quantity"),
        (CHARGE | {"charge_each": "MONTHLY", "charge_amount": "-1", **split("charge_until", JANUARY)}, "charge_amount"),
        ({"grant_amount": "$1", "grant_price": "$-1"}, "grant_price"),
    ],
    ids=[
        "paid for nothing",
        "anew after the contract",
        "anew and paid less than nothing",
        "anew and billed on a date",
        "over before it begins",
        "less than nothing",
        "anew and billed in instalments",
        "once, up to a date",
        "once, in parts",
        "in instalments that are over before they begin",
        "charged more than once for ever",
        "charged for less than nothing",
        "charged less than nothing, more than once",
        "paid less than nothing",
    ],
)
def test_what_is_refused_stands_beside_its_field(form, acme, given, field):
    product = FixedProductFactory(name="Support")
    filled = form(charge_product=str(product.pk), **given)
    if filled.is_valid():
        try:
            edit_contract(acme.customer, acme.contract.pk, filled.to_input(), at=OCTOBER, by=ADA)
        except Refusal as refusal:
            filled.show(refusal)
    assert list(filled.errors) == [field]


def test_the_contracts_page_shows_how_it_stands(form, acme, clock_at):
    filled = form(grant_amount="$1.00", grant_name="Welcome")
    assert filled.is_valid(), filled.errors
    edit_contract(acme.customer, acme.contract.pk, filled.to_input(), at=OCTOBER, by=ADA)
    acme.calls("2025-10-05T10", 15)
    clock_at("2025-10-10")
    browser = Client()
    browser.force_login(User.objects.create_superuser("ada"))

    text = browser.get(reverse("admin:contracts_contract_change", args=[acme.contract.pk])).content.decode()
    assert "Welcome" in text
    assert "$0.30 of $1.00" in text
    assert "$0.70 left; what is not used by 1 January 2026 expires." in text
