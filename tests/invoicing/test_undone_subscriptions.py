"""An edit of subscriptions is undone as long as nothing that is billed would be another."""

import pytest

from billing_site.foundation.refusals import Refusal
from contracts.models import Contract
from contracts.queries import agreement
from contracts.services import undo_edit
from tests.invoicing.conftest import ADA, at
from tests.invoicing.test_subscriptions_api import (
    FEBRUARY,
    agreed,
    by_seat,
    edit,
    fees,
    finalized,
    read,
    schedule,
    seats,
    shop,
    update,
)

pytestmark = pytest.mark.django_db
__all__ = ["shop"]  # the fixture


def undo(shop, instant):
    """The last edit. Returns the one that undoes it."""
    contract = Contract.objects.get()
    last = contract.edits.latest("number")
    return undo_edit(shop.customer, contract.pk, last.pk, reason="A mistake", at=at(instant), by=ADA)


def subscriptions():
    contract = Contract.objects.get()
    return agreement(contract.customer_id, contract.pk).subscriptions


def seen():
    """All that was agreed of subscriptions, but for ids."""
    return [
        (
            each.subscription.starting_at,
            each.terms.name,
            each.terms.ending_before,
            each.terms.decimal_places,
            each.terms.seat_group_key,
            [(row.starting_at, row.quantity, row.assigned_seat_ids) for row in each.quantities],
        )
        for each in subscriptions()
    ]


def test_quantity_name_rounding_and_end_become_what_they_were_and_back_again(shop, clock_at):
    contract_id, subscription = agreed(shop, seats(shop))
    clock_at("2025-10-05")
    finalized(shop, "2025-10-05")
    update(shop, contract_id, subscription, quantity_updates=[{"starting_at": at("2025-11-01"), "quantity": 12}])
    before, billed = seen(), fees(shop)
    rounding = {"decimal_places": 0, "rounding_method": "FLOOR"}
    more = [{"starting_at": at(day), "quantity_delta": 3} for day in ("2025-11-01", "2025-12-10")]
    update(
        shop, contract_id, subscription, quantity_updates=more, name="Crew",
        ending_before=at("2025-12-20"), proration_rounding=rounding,
    )  # fmt: skip
    changed = seen()
    undone = undo(shop, "2025-10-06")
    assert (seen(), fees(shop), undone.changes["undoes"]["number"]) == (before, billed, undone.number - 1)
    assert schedule(read(shop, contract_id)) == [("1 Oct", "1 Nov", 10), ("1 Nov", "1 Feb", 12)]
    undo(shop, "2025-10-06")
    assert seen() == changed


def test_one_that_was_added_is_taken_out_and_agreed_again(shop, clock_at):
    contract_id, _ = agreed(shop, seats(shop))
    before = seen()
    edit(shop, contract_id, add_subscriptions=[by_seat(shop, "ada", unassigned=2, starting_at=at("2025-11-01"))])
    added = seen()
    undo(shop, "2025-10-05")
    assert seen() == before
    undo(shop, "2025-10-05")
    assert seen() == added


def test_seats_go_back_to_who_had_them(shop, clock_at):
    contract_id, subscription = agreed(shop, by_seat(shop, "ada", "bob", unassigned=1))
    before = seen()
    when = {"starting_at": at("2025-11-01")}
    seat_updates = {
        "add_seat_ids": [{**when, "seat_ids": ["cy", "dee"]}], "remove_seat_ids": [{**when, "seat_ids": ["ada"]}],
    }  # fmt: skip
    update(shop, contract_id, subscription, seat_updates=seat_updates)
    assert seen() != before
    undo(shop, "2025-10-05")
    assert seen() == before


def test_a_longer_contract_gives_its_subscription_back_its_end(shop, clock_at):
    contract_id, _ = agreed(shop, seats(shop))
    before = seen()
    edit(shop, contract_id, update_contract_end_date=at("2026-06-01"))
    assert seen() != before
    undo(shop, "2025-10-05")
    assert (seen(), read(shop, contract_id).ending_before) == (before, FEBRUARY)


@pytest.mark.parametrize(
    ("change", "since"),
    [
        pytest.param({"starting_at": "2025-10-16", "quantity": 15}, "2025-10-16", id="more, on a document of its own"),
        pytest.param({"starting_at": "2025-10-16", "quantity": 4}, "2025-11-01", id="fewer, on a usage document"),
    ],
)
def test_what_changed_a_fee_that_is_billed_is_refused(shop, clock_at, change, since):
    contract_id, subscription = agreed(shop, seats(shop))
    clock_at("2025-10-10")
    update(shop, contract_id, subscription, quantity_updates=[change])
    clock_at("2025-11-03")
    finalized(shop, "2025-11-03")
    before = seen(), fees(shop)
    with pytest.raises(Refusal) as refusal:
        undo(shop, "2025-11-03")
    [error] = refusal.value.errors
    assert error.rule == (
        f"cannot be undone: it changed what is billed already of Seats for the time from {since}T00:00:00+00:00 on; "
        "make the opposite edit by hand"
    )
    assert (seen(), fees(shop)) == before


def test_what_a_later_edit_changed_is_refused(shop, clock_at):
    contract_id, subscription = agreed(shop, seats(shop))
    first = Contract.objects.get()
    update(shop, contract_id, subscription, quantity_updates=[{"starting_at": at("2025-11-01"), "quantity": 12}])
    made = first.edits.latest("number")
    update(shop, contract_id, subscription, name="Crew")
    with pytest.raises(Refusal, match="a later one has changed what it agreed"):
        undo_edit(shop.customer, first.pk, made.pk, at=at("2025-10-05"), by=ADA)
