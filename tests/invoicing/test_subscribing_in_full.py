"""Everything that a subscription can have, and what is granted for each one of it, by clicks (`docs/subscriptions.md`).

A seat costs 20 dollars a month; the contract runs from 1 October 2025 to 1 February 2026.
"""

from decimal import Decimal as D

import pytest
from django.urls import reverse

from billing_site.foundation.ids import uuid7
from contracts.queries import agreement
from tests.factories.pricing import FixedProductFactory
from tests.invoicing.conftest import at
from tests.invoicing.test_changing_subscriptions import SubscriptionPage
from tests.invoicing.test_subscriptions_api import by_seat, seats, shop

pytestmark = pytest.mark.django_db
__all__ = ["shop"]  # the fixture


@pytest.fixture
def page(shop, clock_at):
    clock_at("2025-10-16")
    return SubscriptionPage(shop, seats(shop, name="Team"))


def more(shop, **typed):
    return {
        "product": shop.products["Seats"],
        "frequency": "MONTHLY",
        "quantity": "3",
        "collected": "at_once",
        "placement": "ON_SCHEDULED_INVOICE",
        "starting_at_0": "2025-10-20",
        "starting_at_1": "00:00",
        "is_prorated": "on",
        "key": str(uuid7()),
        "reason": "They grow",
    } | typed


def subscribed(page, typed):
    page.url = reverse("admin:contracts_contract_subscribe", args=[page.of[1]])
    seen = page.browser.post(page.url, typed | {"preview": "1"})
    assert seen.context["previewed"], seen.context["form"].errors
    page.browser.post(page.url, typed | {"previewed": seen.context["previewed"], "save": "1"})
    return agreement(*page.of).subscriptions[-1]


def test_one_is_added_with_all_that_it_can_have(page, shop):
    typed = more(
        shop, seat_group_key="user", seat_ids="ada\nbob\n", quantity="", anchor_date_0="2025-10-15", anchor_date_1="",
        decimals="0", rounding="CEILING", description="For the new office", custom_fields='{"crm": "7"}',
    )  # fmt: skip
    added = subscribed(page, typed)
    row, terms, (first,) = added.subscription, added.terms, added.quantities
    assert (first.assigned_seat_ids, first.quantity, terms.seat_group_key) == (["ada", "bob"], 2, "user")
    assert (row.anchor_at, row.invoice_placement) == (at("2025-10-15"), "ON_SCHEDULED_INVOICE")
    assert (terms.decimal_places, terms.rounding_method) == (-2, "CEILING"), "whole dollars, in cents"
    assert (row.description, row.custom_fields) == ("For the new office", {"crm": "7"})


@pytest.mark.parametrize(
    ("typed", "field", "rule"),
    [
        ({"seat_ids": "ada"}, "seat_group_key", "Needed: the property of events that says whose seat it is."),
        ({"anchor_date_0": "2025-10-21"}, "anchor_date", "must not be after the subscription's start"),
        ({"anchor_date_0": "2025-10-01", "collected": "in_arrears"}, "anchor_date", "is for the collection schedule"),
        ({"decimals": "99"}, "decimals", "must be a whole number"),
        ({"custom_fields": '{"crm": 7}'}, "custom_fields", "must be text"),
        ({"seat_group_key": "user", "seat_ids": "a" * 300}, "seat_ids", "must"),
    ],
)
def test_what_of_it_is_refused_stands_beside_its_field(page, shop, typed, field, rule):
    page.url = reverse("admin:contracts_contract_subscribe", args=[page.of[1]])
    errors = page.browser.post(page.url, more(shop, **typed) | {"preview": "1"}).context["form"].errors
    assert list(errors) == [field]
    assert rule in errors[field][0]
    assert len(agreement(*page.of).subscriptions) == 1


def test_its_rounding_changes_and_its_seats_get_ids(page):
    page.save(decimals="2", rounding="FLOOR", by_seats_of="user")
    terms = page.agreed.terms
    assert (terms.decimal_places, terms.rounding_method, terms.seat_group_key) == (0, "FLOOR", "user")
    page.save(decimals="")
    assert page.agreed.terms.decimal_places is None
    said = page.contract_page()[1]
    assert "its seats are told apart by user, parts of periods are rounded down" in said
    assert "parts of periods are no longer rounded" in said
    page.save(add_seat_ids="ada", from_at_0="2025-11-01", from_at_1="00:00")
    assert page.agreed.quantities[-1].assigned_seat_ids == ["ada"]


@pytest.fixture
def grant(shop, clock_at):
    clock_at("2025-10-16")
    page = SubscriptionPage(shop, by_seat(shop, "ada", "bob"))
    subscription = page.agreed.subscription
    page.url = reverse("admin:contracts_contract_grant", args=[page.of[1]])
    product = FixedProductFactory(name="Credits")
    page.typed = {
        "key": str(uuid7()), "kind": "CREDIT", "product": str(product.pk), "rate_type": "LIST_RATE",
        "anew_proration": "FIRST_AND_LAST", "anew_each": "MONTHLY", "anew_amount": "5",
        "anew_starting_at_0": "2025-11-01", "anew_of": str(subscription.pk), "reason": "By phone",
    }  # fmt: skip
    return page


@pytest.mark.parametrize(
    ("shared", "added", "said"),
    [
        ("POOLED", "by_time", "for each of Seats, in one pool, each month from 1 November 2025"),
        ("INDIVIDUAL", "in_full", "for each assigned seat of Seats, in a balance of its own, each month"),
    ],
)
def test_an_allowance_is_granted_for_each_one_of_a_subscription(grant, shared, added, said):
    typed = grant.typed | {"anew_shared": shared, "anew_added": added}
    seen = grant.browser.post(grant.url, typed | {"preview": "1"})
    assert seen.context["preview"], seen.context["form"].errors
    grant.browser.post(grant.url, typed | {"previewed": seen.context["previewed"], "save": "1"})
    [recurring] = agreement(*grant.of).recurring
    row = recurring.now
    assert (row.access_unit_price, row.allocation, row.is_increase_prorated) == (D(500), shared, added == "by_time")
    assert row.subscription_id == agreement(*grant.of).subscriptions[0].subscription.pk
    assert said in grant.contract_page()[1]


@pytest.mark.parametrize(
    ("typed", "field", "rule"),
    [
        ({"anew_quantity": "2"}, "anew_quantity", "the subscription says how many there are"),
        ({"anew_each": "DAILY"}, "anew_of", "cannot be combined with the recurrence_frequency DAILY"),
        ({"anew_shared": "INDIVIDUAL", "rollover": "50"}, "rollover", "what a seat has of its own does not go over"),
        ({"anew_each": ""}, "anew_each", "Needed: how often"),
    ],
)
def test_what_of_the_link_is_refused_stands_beside_its_field(grant, typed, field, rule):
    errors = grant.browser.post(grant.url, grant.typed | typed | {"preview": "1"}).context["form"].errors
    assert rule in errors[field][0]
    assert not agreement(*grant.of).recurring
