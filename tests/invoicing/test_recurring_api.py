"""Commits and credits that recur, driven and read with the official client.

A unit costs 1 cent. The contract runs from 1 October 2025 to 1 February 2026 and bills usage by the calendar month.
"""

from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from metronome import BadRequestError, ConflictError

from billing_site.foundation.periods import Period
from contracts.models import Contract, RecurringCommit
from contracts.services.recurring import taking_over
from contracts.wording import history_in_words
from invoicing.presentation import explanation_json
from invoicing.queries.due import due_customers, next_due
from invoicing.queries.explained import explained_document
from invoicing.services import finalize_due
from invoicing.services.clock import move_clock
from ledger.models import LedgerEntry
from tests.invoicing.conftest import ADA, JANUARY, NOVEMBER, OCTOBER, at, use
from tests.invoicing.recurring import (
    FEBRUARY,
    agreed,
    allowance_shop,
    edited,
    held,
    invoices,
    ledger,
    monthly,
    paid,
    read,
    windows,
)
from tests.invoicing.shop import Shop, shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(clock_at) -> Shop:
    return allowance_shop(clock_at)


def test_a_monthly_credit_is_granted_by_time_at_both_ends(shop, clock_at):
    """310 a month from 22 October to 11 December: 10 of 31 days, a month, 10 of 31 days."""
    contract_id = agreed(
        shop, recurring_credits=[monthly(shop, start=at("2025-10-22"), ending_before=at("2025-12-11"))]
    )

    for instant, expected in [
        ("2025-10-21T23:59:59", []),
        ("2025-10-22T00:00:00", [("22 Oct", "1 Nov", "100", "100")]),
        ("2025-10-31T23:59:59", [("22 Oct", "1 Nov", "100", "100")]),
        ("2025-11-01T00:00:00", [("22 Oct", "1 Nov", "100", "0"), ("1 Nov", "1 Dec", "310", "310")]),
        (
            "2025-12-11T00:00:00",
            [("22 Oct", "1 Nov", "100", "0"), ("1 Nov", "1 Dec", "310", "0"), ("1 Dec", "11 Dec", "100", "0")],
        ),
    ]:  # fmt: skip
        clock_at(instant)
        assert windows(held(shop)) == expected, instant
        assert windows(read(shop, contract_id).credits) == expected, instant

    first, _, last = held(shop)
    (recurring,) = read(shop, contract_id).recurring_credits
    assert (first.recurring_credit_id, first.name, first.created_by) == (recurring.id, "Monthly", None)
    assert first.created_at == at("2025-10-22")
    assert ledger(last) == [("credit_segment_start", "100", "1 Dec"), ("credit_expiration", "-100", "11 Dec")]


def test_usage_draws_on_the_instance_of_its_hour_in_drafts_and_for_good(shop, clock_at):
    agreed(shop, recurring_credits=[monthly(shop, 100)])
    shop.uses("units", "130 on 5")
    clock_at("2025-11-01")

    october, november = held(shop)
    assert ledger(october) == [
        ("credit_segment_start", "100", "1 Oct"),
        ("credit_automated_invoice_deduction", "-100", "1 Nov"),
    ]
    assert (shown(october.balance), shown(november.balance)) == ("0", "100")
    assert ("1 Nov", "30", "DRAFT") in invoices(shop)

    finalize_due(shop.customer.pk, at=at("2025-11-02"), by=ADA)
    clock_at("2025-11-02")
    entry = LedgerEntry.objects.get()
    assert (str(entry.commit_id), entry.amount) == (october.id, -100)
    assert ledger(held(shop, id=october.id)[0]) == ledger(october)
    assert windows(held(shop, covering_date=at("2025-11-15"))) == [("1 Nov", "1 Dec", "100", "100")]


def test_a_paid_commit_of_two_months_overlaps_with_the_next_and_is_billed_at_its_start(shop, clock_at):
    """100 a month for 80, each for two months."""
    terms = {"commit_duration": {"value": 2}, "invoice_amount": paid(8, 10)}
    contract_id = agreed(shop, recurring_commits=[monthly(shop, 100, **terms)])

    assert next_due(at("2025-09-30"), JANUARY) == OCTOBER
    assert [due.customer_id for due in due_customers(at=OCTOBER)] == [shop.customer.pk]
    finalize_due(shop.customer.pk, at=OCTOBER, by=ADA)
    assert due_customers(at=OCTOBER) == []

    shop.uses("units", "30 on 5")
    clock_at("2025-11-05")
    assert windows(held(shop)) == [("1 Oct", "1 Dec", "100", "70"), ("1 Nov", "1 Jan", "100", "100")]
    assert ("1 Oct", "80", "FINALIZED") in invoices(shop)
    assert ("1 Nov", "80", "DRAFT") in invoices(shop)
    first = held(shop)[0]
    (recurring,) = read(shop, contract_id).recurring_commits
    assert (first.recurring_commit_id, first.type, shown(first.cost_basis)) == (recurring.id, "PREPAID", "0.8")
    [paid_first] = first.invoice_schedule.schedule_items
    assert (paid_first.timestamp, paid_first.unit_price, paid_first.quantity) == (OCTOBER, 8, 10)
    scheduled = shop.v1.customers.invoices.list(**shop.whose, type="SCHEDULED")
    lines = [line for each in scheduled for line in each.line_items]
    assert {(line.unit_price, line.quantity, line.total) for line in lines} == {(8, 10, 80)}
    assert (recurring.anchor_date, recurring.commit_duration.value, recurring.proration) == (
        OCTOBER,
        2,
        "FIRST_AND_LAST",
    )


def test_a_recurring_commit_is_paid_with_at_a_price_of_its_own(shop, clock_at):
    """Half price while an instance pays; the override names what grants it by its temporary id."""
    half = {
        "starting_at": OCTOBER,
        "type": "MULTIPLIER",
        "multiplier": 0.5,
        "is_commit_specific": True,
        "override_specifiers": [{"product_id": shop.products["units"], "recurring_commit_ids": ["allowance"]}],
    }
    other = monthly(shop, 10, name="Other", priority=2)
    agreed(
        shop,
        recurring_commits=[monthly(shop, 30, temporary_id="allowance")],
        recurring_credits=[other],
        overrides=[half],
    )
    shop.uses("units", "100 on 5")
    clock_at("2025-10-31")
    assert {each.name: shown(each.balance) for each in held(shop)} == {"Monthly": "0", "Other": "0"}
    assert shown(shop.v1.customers.invoices.list(**shop.whose, type="USAGE").data[0].total) == "30"  # 60 at ½, 10, 30


def test_an_entry_by_hand_on_an_instance(shop, clock_at):
    agreed(shop, recurring_credits=[monthly(shop, 100)])
    clock_at("2025-10-31")
    (october,) = held(shop)
    segment_id = october.access_schedule.schedule_items[0].id
    entry = {"id": october.id, "segment_id": segment_id, "amount": -40, "reason": "Moved"}
    shop.v1.contracts.add_manual_balance_entry(**shop.whose, **entry)
    assert shown(held(shop)[0].balance) == "60"
    with pytest.raises(ConflictError):
        shop.v1.contracts.add_manual_balance_entry(**shop.whose, **entry | {"amount": -61})


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        pytest.param({"commit_duration": {"value": 0}}, "commit_duration.value", id="a duration of nothing"),
        pytest.param({"commit_duration": {"value": 1.5}}, "commit_duration.value", id="half a period"),
        pytest.param({"access_amount": {"unit_price": 1}}, "access_amount.quantity", id="no quantity"),
        pytest.param({"access_amount": {"unit_price": 0, "quantity": 1}}, "access_amount.unit_price", id="nothing"),
        pytest.param({"starting_at": at("2025-09-30")}, "starting_at", id="before the contract"),
        pytest.param({"starting_at": FEBRUARY}, "starting_at", id="after the contract"),
        pytest.param({"starting_at": at("2025-10-02T00:30")}, "starting_at", id="not on the hour"),
        pytest.param({"ending_before": OCTOBER}, "ending_before", id="an end before the start"),
        pytest.param({"rollover_fraction": 1.1}, "rollover_fraction", id="more than all of it"),
        pytest.param({"product_id": "00000000-0000-0000-0000-000000000001"}, "product_id", id="no product"),
        pytest.param(
            {"proration_rounding": {"access": {"decimal_places": 0.5, "rounding_method": "FLOOR"}}},
            "proration_rounding.access.decimal_places",
            id="half a decimal",
        ),
        pytest.param(
            {"invoice_amount": paid(-1)}, "invoice_amount.unit_price", id="a payment below zero"
        ),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_refused_by_name(shop, terms, field):
    with pytest.raises(BadRequestError) as refused:
        agreed(shop, recurring_commits=[monthly(shop) | terms])
    assert [each["field"] for each in refused.value.body["errors"]] == [f"recurring_commits[0].{field}"]


def test_what_cannot_be_said_is_refused(shop, clock_at):
    contract_id = agreed(shop, recurring_credits=[monthly(shop, recurrence_frequency="DAILY")])
    (recurring,) = read(shop, contract_id).recurring_credits
    daily = monthly(shop, recurrence_frequency="DAILY")
    for edit, field in (
        ({"add_recurring_commits": [daily]}, "add_recurring_commits[0].recurrence_frequency"),
        (
            {"update_recurring_commits": [{"recurring_commit_id": recurring.id}]},
            "update_recurring_commits[0].recurring_commit_id",
        ),
        (
            {"update_recurring_credits": [{"recurring_credit_id": recurring.id, "ending_before": OCTOBER}]},
            "update_recurring_credits[0].ending_before",
        ),
    ):
        with pytest.raises(BadRequestError) as refused:
            edited(shop, contract_id, **edit)
        assert [each["field"] for each in refused.value.body["errors"]] == [field]


def test_what_has_been_billed_on_a_date_is_not_added_to(shop, clock_at):
    contract_id = agreed(shop, recurring_commits=[monthly(shop, 100, invoice_amount=paid(40))])
    clock_at("2025-11-02")
    late = monthly(shop, 50, start=at("2025-11-01"), invoice_amount=paid(20))
    with pytest.raises(BadRequestError) as refused:
        edited(shop, contract_id, add_recurring_commits=[late])
    assert "2025-11-01" in refused.value.message
    edit = edited(shop, contract_id, add_recurring_commits=[late | {"starting_at": at("2025-11-03")}])
    assert edit.add_recurring_commits[0].name == "Monthly"


def test_the_test_clock_bills_each_instance_when_it_begins(shop):
    agreed(shop, recurring_commits=[monthly(shop, 100, recurrence_frequency="WEEKLY", invoice_amount=paid(7))])
    move_clock(at("2025-10-16"), by=ADA)
    assert invoices(shop, type="SCHEDULED", status="FINALIZED") == [
        ("1 Oct", "7", "FINALIZED"),
        ("15 Oct", "7", "FINALIZED"),
        ("8 Oct", "7", "FINALIZED"),
    ]


def test_the_database_refuses_what_does_not_recur(shop):
    contract_id = agreed(shop, recurring_commits=[monthly(shop, 100)])
    row = RecurringCommit.objects.get(contract=contract_id)
    for change in (
        {"duration": 0},
        {"access_quantity": 0},
        {"invoice_unit_price": 1},
        {"type": "POSTPAID"},
        {"contract_ended_at": NOVEMBER},
        {"access_decimal_places": 2},
    ):
        wrong = taking_over(row, Period(OCTOBER))
        wrong.first_row_id, wrong.added_by_edit_id, wrong.created_at = None, row.added_by_edit_id, row.created_at
        for name, value in change.items():
            setattr(wrong, name, value)
        with pytest.raises(IntegrityError), transaction.atomic():
            wrong.save(force_insert=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        RecurringCommit.objects.filter(pk=row.pk).update(access_quantity=2)


def test_an_instance_is_not_edited_by_itself(shop, clock_at):
    contract_id = agreed(shop, recurring_commits=[monthly(shop, 100)])
    clock_at("2025-10-05")
    (instance,) = held(shop)
    for change in (
        lambda: shop.v1.customers.commits.update_end_date(
            **shop.whose, commit_id=instance.id, access_ending_before=at("2025-10-10")
        ),
        lambda: shop.v2.contracts.edit_commit(**shop.whose, commit_id=instance.id, priority=3),
    ):
        with pytest.raises(BadRequestError) as refused:
            change()
        assert f"{instance.recurring_commit_id} has granted it" in refused.value.message
    with pytest.raises(BadRequestError):
        edited(shop, contract_id, archive_commits=[{"id": instance.id}])


def test_what_recurs_is_told_in_words(shop, clock_at):
    contract_id = agreed(shop)
    terms = {"recurrence_frequency": "WEEKLY", "commit_duration": {"value": 2}, "invoice_amount": paid(120, 2)}
    edited(shop, contract_id, add_recurring_commits=[monthly(shop, 310, **terms)])
    (recurring,) = read(shop, contract_id).recurring_commits
    update = {"recurring_commit_id": recurring.id, "access_amount": {"unit_price": 300}, "ending_before": JANUARY}
    clock_at("2025-10-02")
    edited(shop, contract_id, update_recurring_commits=[update])

    contract = Contract.objects.get(pk=contract_id)
    changed, added, _ = [each.changes for each in history_in_words(contract)]
    assert added == (
        "Recurring commit “Monthly”: $3.10 each week from 1 October 2025, of which each lasts for 2 periods; $2.40 is "
        "billed for each; priority 1.",
    )
    assert changed == (
        "Recurring commit “Monthly”: for whatever has not begun, $3.00 times the quantity as before is granted for "
        "each, it ends on 1 January 2026, 00:00 UTC.",
    )


def test_a_payment_for_an_instance_says_which_edit_agreed_to_it(shop):
    agreed(shop, recurring_commits=[monthly(shop, 100, invoice_amount=paid(40))])
    first = next(each for each in shop.v1.customers.invoices.list(**shop.whose) if each.issued_at == OCTOBER)
    told = explanation_json(explained_document(shop.customer.pk, UUID(first.id), at=OCTOBER))
    (line,) = told["line_items"]
    assert any(sentence.startswith("Agreed in edit ") for sentence in line["explanation"])


def test_a_renewal_takes_over_half_of_what_the_running_instance_was_for(shop, clock_at):
    """300 a month, of which a half may roll over; 40 are used in November, and a renewal is made that starts on the
    16th: of the 260 that are left 150 go over, and 110 expire."""
    old = agreed(shop, recurring_credits=[monthly(shop, 300, rollover_fraction=0.5)])
    clock_at("2025-11-05")
    use(shop.metrics["units"], "2025-11-03T05", 40, {})
    start = at("2025-11-16")
    new = shop.v1.contracts.create(
        **shop.whose,
        rate_card_id=shop.card,
        starting_at=start,
        ending_before=FEBRUARY,
        transition={"type": "RENEWAL", "from_contract_id": old},
    ).data.id
    clock_at("2025-11-16")

    expected = [("16 Nov", "1 Feb", "150", "150"), ("1 Oct", "1 Nov", "300", "0"), ("1 Nov", "16 Nov", "300", "0")]
    assert sorted(windows(held(shop))) == sorted(expected)
    (taken_over,) = read(shop, new).credits
    (_, november) = read(shop, old).credits
    assert (taken_over.rolled_over_from.credit_id, taken_over.recurring_credit_id) == (november.id, None)
    posted = [
        ("credit_segment_start", "300", "1 Nov"),
        ("credit_automated_invoice_deduction", "-40", "16 Nov"),
        ("credit_rollover", "-150", "16 Nov"),
        ("credit_expiration", "-110", "16 Nov"),
    ]
    assert sorted(ledger(november)) == sorted(posted)
    finalize_due(shop.customer.pk, at=at("2025-11-17"), by=ADA)
    clock_at("2025-11-17")
    assert sorted(ledger(read(shop, old).credits[1])) == sorted(posted)
    assert sorted(windows(held(shop))) == sorted(expected)


def test_nothing_is_granted_once_the_contract_is_archived(shop, clock_at):
    contract_id = agreed(shop, recurring_credits=[monthly(shop, 100)])
    clock_at("2025-11-10T12")
    shop.v1.contracts.archive(**shop.whose, contract_id=contract_id, void_invoices=False)
    clock_at("2025-12-05")
    october, november = held(shop, include_archived=True)
    assert ledger(october)[-1] == ("credit_expiration", "-100", "1 Nov")
    assert ledger(november) == [("credit_segment_start", "100", "1 Nov"), ("credit_expiration", "-100", "10 Nov")]
