"""Changing a subscription in the back office: looked at with its effect, made, and told in the history."""

import re

import pytest
from django.urls import reverse

from billing_site.foundation.ids import uuid7
from contracts.models import Contract
from contracts.queries import agreement
from tests.invoicing.commit_page import Page
from tests.invoicing.conftest import at
from tests.invoicing.test_subscriptions_api import by_seat, seats, shop

pytestmark = pytest.mark.django_db
__all__ = ["shop"]  # the fixture


class SubscriptionPage(Page):
    def __init__(self, shop, given):
        self.contract_id = shop.contract(ending_before=at("2026-02-01"), subscriptions=[given])
        self.of = shop.customer.pk, Contract.objects.get().pk
        super().__init__(Contract.objects.get())
        self.url = reverse("admin:contracts_contract_subscription_edit", args=[self.of[1], self.agreed.subscription.pk])

    def shown(self):
        return super().shown() if "subscriptions/" in self.url else {}

    @property
    def agreed(self):
        [found] = agreement(*self.of).subscriptions
        return found

    def contract_page(self):
        answer = self.browser.get(reverse("admin:contracts_contract_change", args=[self.of[1]])).content.decode()
        return answer, re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer))


def test_more_are_subscribed_to_from_a_date_on_and_the_effect_is_shown_first(shop, clock_at):
    clock_at("2025-10-16")
    page = SubscriptionPage(shop, seats(shop, name="Team"))
    assert page.url in page.contract_page()[0]
    more = {"quantity": "15", "from_at_0": "2025-10-16", "from_at_1": "00:00"}
    _, seen = page.preview(**more)
    assert [
        (row.name, row.when, row.before, row.after) for each in seen.context["preview"].documents for row in each.rows
    ] == [
        ("Team", "16–31 October 2025", "$0.00", "$51.61"),
        ("Team", "1–30 November 2025", "$200.00", "$300.00"),
    ]
    windows = [card.title for each in seen.context["preview"].documents for card in each.windows]
    assert windows == ["1–31 October 2025"], "usage is not cut where a fee begins"
    assert "1–30 November 2025</span>" in seen.content.decode(), "a fee has the time that it is for"
    assert [row.quantity for row in page.agreed.quantities] == [10], "nothing is saved by looking"
    page.save(**more, name="Crew")
    assert [row.quantity for row in page.agreed.quantities] == [10, 15]
    shown = page.contract_page()[1]
    assert "Subscription “Crew”: 10 of Seats each month from 1 October 2025, collected in advance; 15 from" in shown
    assert "its name is “Crew”, 15 from 16 October 2025." in shown
    assert "As agreed by phone" in shown


def test_what_is_wrong_is_said_beside_its_field(shop, clock_at):
    clock_at("2025-10-16")
    page = SubscriptionPage(shop, seats(shop))
    assert page.errors(quantity="12") == {"from_at": ["Needed."]}
    assert page.errors(quantity="") == {"quantity": ["Needed."], "from_at": ["Needed."]}
    within = "must not be before the subscription's start, 1 October 2025 and before its end, 1 February 2026"
    (told,) = page.errors(quantity="12", from_at_0="2025-09-01", from_at_1="00:00")["from_at"]
    assert told.startswith(within)
    assert page.errors(quantity="-1", from_at_0="2025-11-01", from_at_1="") == {"quantity": ["must not be negative"]}
    assert list(page.errors(ending_before_0="2025-09-01", ending_before_1="00:00")) == ["ending_before"]


def test_seats_are_given_and_taken_by_their_ids(shop, clock_at):
    clock_at("2025-10-16")
    page = SubscriptionPage(shop, by_seat(shop, "ada", unassigned=1))
    when = {"from_at_0": "2025-11-01", "from_at_1": "00:00"}
    page.save(**when, add_seat_ids="bob\ncy\n", add_unassigned_seats="1")
    page.save(from_at_0="2025-12-01", from_at_1="00:00", remove_seat_ids="ada")
    held = [(row.assigned_seat_ids, row.quantity) for row in page.agreed.quantities]
    assert held == [(["ada"], 2), (["ada", "bob", "cy"], 4), (["bob", "cy"], 3)]
    assert page.errors(**when, remove_unassigned_seats="9") == {
        "remove_unassigned_seats": ["must not be more than the seats that nobody has on 1 November 2025"]
    }


def test_one_is_added_by_click(shop, clock_at):
    clock_at("2025-10-16")
    page = SubscriptionPage(shop, seats(shop))
    page.url = reverse("admin:contracts_contract_subscribe", args=[page.of[1]])
    assert page.url in page.contract_page()[0]
    typed = {"product": shop.products["Seats"], "quantity": "3", "collected": "at_the_end", "frequency": "MONTHLY"}
    typed |= {"placement": "ON_USAGE_INVOICE", "is_prorated": "on", "seat_group_key": "user", "name": "More"}
    typed |= {"starting_at_0": "2025-10-16", "starting_at_1": "00:00", "key": str(uuid7()), "reason": "They grow"}
    assert page.errors(reason="They grow", key=typed["key"]) == {"product": ["Needed."], "quantity": ["Needed."]} | {
        name: ["This field is required."] for name in ("frequency", "collected", "placement")
    }
    assert list(page.errors(**typed | {"frequency": "WEEKLY"})) == ["frequency"]
    assert list(page.errors(**typed | {"quantity": "-1"})) == ["quantity"]
    seen = page.browser.post(page.url, typed | {"preview": "1"})
    assert "30.97" in seen.content.decode(), "3 seats, 16 of 31 days"
    page.browser.post(page.url, typed | {"previewed": seen.context["previewed"], "save": "1"})
    _, added = agreement(*page.of).subscriptions
    assert (added.terms.name, added.terms.seat_group_key, added.quantities[0].unassigned) == ("More", "user", 3)
    assert (added.subscription.collection_schedule, added.subscription.invoice_behavior) == (
        "ADVANCE",
        "BILL_ON_NEXT_COLLECTION_DATE",
    )
