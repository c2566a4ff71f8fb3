"""Subscriptions in words: on the page of their contract, in its history, and on a contract like it."""

import pytest

from contracts.models import Contract
from contracts.queries import agreement
from contracts.services import contract_like, create_contract
from contracts.term_lines import term_lines
from contracts.wording import history_in_words
from tests.invoicing.conftest import ADA, DECEMBER, OCTOBER, at
from tests.invoicing.test_subscriptions_api import agreed, by_seat, edit, seats, shop, update

pytestmark = pytest.mark.django_db
BY_USER = "of Seats each month from 1 October 2025, collected when each is over, by the seat of each user"
__all__ = ["shop"]  # the fixture


def test_what_was_agreed_and_what_changed_is_told_and_can_be_agreed_again(shop):
    contract_id, team = agreed(shop, seats(shop, name="Team"))
    by_user = by_seat(shop, "ada", unassigned=1, collection_schedule="ARREARS")
    edited = edit(shop, contract_id, add_subscriptions=[by_user])
    when = {"starting_at": DECEMBER}
    update(
        shop,
        contract_id,
        team,
        name="Crew",
        quantity_updates=[{**when, "quantity_delta": -2}, {**when, "quantity": 7}],
        ending_before=at("2026-01-15T06"),
        proration_rounding={"decimal_places": 0, "rounding_method": "FLOOR"},
    )
    added = {"add_seat_ids": [{**when, "seat_ids": ["bob", "cy"]}], "add_unassigned_seats": [{**when, "quantity": 1}]}
    update(shop, contract_id, edited.add_subscriptions[0], seat_updates=added)
    held = agreement(shop.customer.pk, Contract.objects.get().pk)
    assert [line.text for line in term_lines(held)] == [
        "Subscription “Crew”: 10 of Seats each month (1 October 2025, 00:00 UTC to 15 January 2026, 06:00 UTC),"
        " collected in advance; 7 from 1 December 2025; parts of periods are rounded down",
        f"Subscription: 2 {BY_USER}; 4 from 1 December 2025",
    ]
    newest, second, first, _ = history_in_words(held.contract)
    assert newest.changes == (
        "Subscription to Seats: seats bob, cy added on 1 December 2025,"
        " 1 seat that nobody has added on 1 December 2025.",
    )
    assert second.changes == (
        "Subscription “Crew” to Seats: its name is “Crew”, 2 fewer from 1 December 2025, 7 from 1 December 2025,"
        " parts of periods are rounded down, it ends on 15 January 2026, 06:00 UTC.",
    )
    assert first.changes == (f"Subscription: 2 {BY_USER}.",)

    copy = create_contract(shop.customer.pk, contract_like(held, at("2027-10-01")), at=OCTOBER, by=ADA)
    assert [line.text for line in term_lines(agreement(shop.customer.pk, copy.pk))] == [
        "Subscription “Crew”: 7 of Seats each month (1 October 2027, 00:00 UTC to 15 January 2028, 06:00 UTC),"
        " collected in advance; parts of periods are rounded down",
        f"Subscription: 4 {BY_USER.replace('2025', '2027')}",
    ]


def test_a_seat_that_changes_hands_is_no_other_quantity(shop):
    contract_id, seat = agreed(shop, by_seat(shop, "ada", collection_schedule="ARREARS"))
    hands = {"remove_seat_ids": [{"starting_at": DECEMBER, "seat_ids": ["ada"]}]}
    hands["add_seat_ids"] = [{"starting_at": DECEMBER, "seat_ids": ["bob"]}]
    update(shop, contract_id, seat, seat_updates=hands)
    assert [line.text for line in term_lines(agreement(shop.customer.pk, contract_id))] == [
        f"Subscription: 1 {BY_USER}"
    ]


def test_a_subscription_that_is_billed_apart_and_counted_from_a_date_of_its_own_says_so(shop):
    cycle = {"anchor_date": at("2025-10-10"), "invoice_placement": "ON_SCHEDULED_INVOICE"}
    whole = {"is_prorated": False, "invoice_behavior": "BILL_ON_NEXT_COLLECTION_DATE"}
    given = seats(shop, billing_cycle_config=cycle, proration=whole, starting_at=at("2025-10-10"))
    contract_id, _ = agreed(shop, given)
    assert [line.text for line in term_lines(agreement(shop.customer.pk, contract_id))] == [
        "Subscription: 10 of Seats each month from 10 October 2025, collected in advance on invoices of its own,"
        " increases when each is over; its periods are counted from 10 October 2025; a period that is cut short is"
        " billed in full"
    ]
