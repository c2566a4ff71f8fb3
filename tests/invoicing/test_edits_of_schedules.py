"""Amounts and dates of commits and credits, and what is invoiced for them, changed after they were agreed, at each door
of the official SDK. API calls cost 2 cents.
"""

from uuid import UUID

import metronome
import pytest
from django.db.models import Sum

from contracts.models import ContractEdit, SegmentUse
from ledger.models import LedgerEntry
from ledger.queries.segment_sums import segment_sums_differ
from tests.invoicing.conftest import DECEMBER, JANUARY, NOVEMBER, OCTOBER, at
from tests.invoicing.desk import Desk, ids_of, invoiced

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(acme, clock_at):
    return Desk(acme, clock_at)


# --- Amounts and dates -----------------------------------------------------------------------------------------------


def test_a_segment_is_lowered_and_shortened_and_was_as_it_was_before(acme, desk, clock_at):
    """100 to December, 80 used: lowered to 60 up to 1 December, 20 are to pay."""
    acme.calls("2025-10-05T10", 40)
    credit = desk.add(name="Bonus")
    [segment] = ids_of(credit.access_schedule)
    assert (desk.held(credit.id).balance, desk.totals(type="USAGE", ending_before=NOVEMBER)) == (20, [0])

    clock_at("2025-10-12")
    change = {"update_schedule_items": [{"id": segment, "amount": 60, "ending_before": DECEMBER}]}
    told = desk.v2.contracts.edit(
        **desk.ids, update_credits=[{"credit_id": credit.id, "access_schedule": change}]
    ).data.edit

    [updated] = told.update_credits
    [item] = updated.access_schedule.update_schedule_items
    assert (updated.id, item.id, item.amount, item.starting_at, item.ending_before) == (
        credit.id, segment, 60, None, DECEMBER,
    )  # fmt: skip
    held = desk.held(credit.id)
    [now] = held.access_schedule.schedule_items
    assert (now.id, now.amount, now.ending_before, held.balance) == (segment, 60, DECEMBER, 0)
    assert desk.totals(type="USAGE", ending_before=NOVEMBER) == [20]
    then = desk.v2.contracts.retrieve(**desk.ids, as_of_date=at("2025-10-11"), include_balance=True).data.credits[0]
    assert (then.access_schedule.schedule_items[0].amount, then.balance) == (100, 20)
    assert desk.v2.contracts.get_edit_history(**desk.ids).data[-1].to_dict() == told.to_dict()


def test_segments_are_added_and_taken_out(desk):
    commit = desk.add((50, OCTOBER, NOVEMBER), (50, NOVEMBER, DECEMBER), type="PREPAID")
    _, second = ids_of(commit.access_schedule)
    desk.v2.contracts.edit_commit(
        **desk.whose,
        commit_id=commit.id,
        access_schedule={
            "add_schedule_items": [{"amount": 70, "starting_at": OCTOBER, "ending_before": JANUARY}],
            "remove_schedule_items": [{"id": second}],
        },
    )

    held = desk.held(commit.id)
    assert [(item.amount, item.ending_before) for item in held.access_schedule.schedule_items] == [
        (50, NOVEMBER),
        (70, JANUARY),
    ]
    assert held.balance == 120
    [_, told] = desk.v2.contracts.get_edit_history(**desk.ids).data
    [change] = told.update_commits
    assert [item.id for item in change.access_schedule.remove_schedule_items] == [second]
    assert [item.amount for item in change.access_schedule.add_schedule_items] == [70]


def test_what_was_taken_stays_taken(acme, desk, clock_at):
    """100, of which a final document has drawn 30 and 20 were taken by hand: 50 and more may be left of it."""
    acme.calls("2025-10-05T10", 15)
    credit = desk.add(name="Bonus")
    [segment] = ids_of(credit.access_schedule)
    clock_at("2025-11-02")
    desk.finalized()
    desk.v1.contracts.add_manual_balance_entry(
        **desk.whose, id=credit.id, segment_id=segment, amount=-20, reason="Paid out"
    )

    def change(**item):
        items = {"update_schedule_items": [{"id": segment, **item}]}
        desk.v2.contracts.edit_credit(**desk.whose, credit_id=credit.id, access_schedule=items)

    with pytest.raises(metronome.ConflictError, match="must not be less than 50: so much of it has been taken"):
        change(amount=49.99)
    with pytest.raises(metronome.BadRequestError, match="must not be later than 2025-10-01"):
        change(starting_at=at("2025-10-02"))
    with pytest.raises(metronome.BadRequestError, match="must not change what holds before 2025-11-01"):
        change(ending_before=at("2025-10-31"))
    with pytest.raises(metronome.ConflictError, match="must not be taken out"):
        desk.v2.contracts.edit_credit(
            **desk.whose,
            credit_id=credit.id,
            access_schedule={
                "add_schedule_items": [{"amount": 1, "starting_at": OCTOBER, "ending_before": JANUARY}],
                "remove_schedule_items": [{"id": segment}],
            },
        )
    with pytest.raises(metronome.ConflictError, match="must not be archived: something has been taken from it"):
        desk.v2.contracts.edit(**desk.ids, archive_credits=[{"id": credit.id}])
    assert ContractEdit.objects.filter(kind="EDIT").count() == 1

    change(amount=50, ending_before=NOVEMBER)
    held = desk.held(credit.id)
    assert (held.balance, [entry.amount for entry in held.ledger]) == (0, [50, -20, -30])
    total = LedgerEntry.objects.aggregate(total=Sum("amount"))["total"]
    assert SegmentUse.objects.get().posted == total == -50
    assert SegmentUse.objects.get().drawn == 30
    assert segment_sums_differ() == []
    SegmentUse.objects.update(drawn=29)
    assert segment_sums_differ() == [UUID(segment)]


def test_what_nothing_was_drawn_on_may_change_even_where_documents_are_final(acme, desk, clock_at):
    credit = desk.add(applicable_product_tags=["never sold"])
    acme.calls("2025-10-05T10", 15)
    clock_at("2025-11-02")
    desk.finalized()
    desk.v2.contracts.edit(**desk.ids, archive_credits=[{"id": credit.id}])
    assert desk.v2.contracts.retrieve(**desk.ids).data.credits == []


# --- What is invoiced for it -----------------------------------------------------------------------------------------


def test_payments_change_until_they_have_fallen_due(desk):
    commit = desk.add(type="PREPAID", invoice_schedule=invoiced((40, OCTOBER), (30, NOVEMBER), (30, DECEMBER)))
    first, second, third = ids_of(commit.invoice_schedule)

    def change(**schedule):
        return desk.v2.contracts.edit(
            **desk.ids, update_commits=[{"commit_id": commit.id, "invoice_schedule": schedule}]
        ).data.edit

    for schedule in (
        {"update_schedule_items": [{"id": first, "amount": 1}]},
        {"remove_schedule_items": [{"id": first}]},
    ):
        with pytest.raises(metronome.BadRequestError, match="it fell due on 2025-10-01"):
            change(**schedule)
    with pytest.raises(metronome.BadRequestError, match="must not be a date on which charges"):
        change(add_schedule_items=[{"amount": 1, "timestamp": OCTOBER}])

    told = change(
        add_schedule_items=[{"unit_price": 5, "quantity": 3, "timestamp": at("2025-12-24")}],
        update_schedule_items=[{"id": second, "quantity": 2, "timestamp": at("2025-11-15")}],
        remove_schedule_items=[{"id": third}],
    )
    [changed] = told.update_commits[0].invoice_schedule.update_schedule_items
    assert (changed.id, changed.quantity, changed.amount, changed.unit_price) == (second, 2, 60, None)
    items = desk.held(commit.id).invoice_schedule.schedule_items
    assert [(item.id == second, item.timestamp, item.amount) for item in items] == [
        (False, OCTOBER, 40),
        (True, at("2025-11-15"), 60),
        (False, at("2025-12-24"), 15),
    ]
    assert sorted(desk.totals(type="SCHEDULED")) == [15, 40, 60]
    assert desk.held(commit.id).cost_basis == 1.15


def test_a_promise_changes_in_amount_and_true_up_together(acme, desk, clock_at):
    commit = desk.add((1_000, OCTOBER, JANUARY), type="POSTPAID", invoice_schedule=invoiced((1_000, JANUARY)))
    [segment], [item] = ids_of(commit.access_schedule), ids_of(commit.invoice_schedule)
    acme.calls("2025-10-05T10", 50)

    def change(amount, true_up):
        desk.v2.contracts.edit_commit(
            **desk.whose,
            commit_id=commit.id,
            access_schedule={"update_schedule_items": [{"id": segment, "amount": amount}]},
            invoice_schedule={"update_schedule_items": [{"id": item, "amount": true_up}]},
        )

    with pytest.raises(metronome.BadRequestError, match="must equal the access amount, 600"):
        change(600, 700)
    change(600, 600)
    assert desk.totals(type="SCHEDULED") == [500]
    clock_at("2026-01-02")
    with pytest.raises(metronome.BadRequestError, match="it fell due on 2026-01-01"):
        change(700, 700)
