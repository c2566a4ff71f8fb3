"""Allowances by the seat, driven and read with the official client (`docs/subscriptions.md`).

A seat costs 20 dollars a month and brings 5 dollars of usage, a unit costs 1 cent. The contract runs from 1 October
2025 to 1 February 2026 and bills usage by the calendar month.
"""

from decimal import Decimal as D

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from metronome import BadRequestError

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import Refusal
from contracts.forms.recurring_edits import RecurringEditForm
from contracts.inputs import RecurringAmountInput
from contracts.models import Contract, RecurringCommit
from contracts.queries import agreement
from contracts.services.copies import contract_like
from contracts.services.undoing import undoing
from contracts.wording import history_in_words
from invoicing.services import finalize_due, verify_invoice
from tests.invoicing.conftest import ADA, JANUARY, at
from tests.invoicing.recurring import agreed, allowance_shop, edited, held, ledger, monthly, read, windows
from tests.invoicing.shop import shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(clock_at):
    shop = allowance_shop(clock_at)
    shop.product("Seats", type="SUBSCRIPTION")
    shop.prices(*shop.price("Seats", "FLAT 2000", billing_frequency="MONTHLY"))
    return shop


def seats(shop, quantity=10, **terms):
    return {
        "subscription_rate": {"product_id": shop.products["Seats"], "billing_frequency": "MONTHLY"},
        "collection_schedule": "ADVANCE",
        "proration": {"is_prorated": True},
        "initial_quantity": quantity,
        "temporary_id": "team",
        **terms,
    }


def by_seat(shop, subscription_id="team", *, is_prorated=True, amount=500, config=None, **terms):
    linked = {
        "subscription_id": subscription_id,
        "allocation": "POOLED",
        "apply_seat_increase_config": {"is_prorated": is_prorated},
        **(config or {}),
    }
    return monthly(
        shop,
        access_amount={"unit_price": amount},
        subscription_config=linked,
        applicable_product_ids=[shop.products["units"]],
        **terms,
    )


def quantity(shop, contract_id, start, count):
    (subscription,) = read(shop, contract_id).subscriptions
    update = {"starting_at": at(start), "quantity": count}
    return edited(
        shop,
        contract_id,
        update_subscriptions=[{"subscription_id": subscription.id, "quantity_updates": [update]}],
    )


@pytest.mark.django_db(transaction=True)  # a snapshot does not see the events of its own transaction
def test_a_pool_follows_its_seats_in_drafts_and_for_good(shop, clock_at):
    """10 seats, 15 from the 16th, 12 from 10 November: 50 dollars, 12.90 more by time, 75, then 60."""
    contract_id = agreed(shop, subscriptions=[seats(shop)], recurring_credits=[by_seat(shop)])
    terms = read(shop, contract_id)
    (subscription,), (credit,) = terms.subscriptions, terms.recurring_credits
    config = credit.subscription_config
    assert (config.subscription_id, config.allocation, config.apply_seat_increase_config.is_prorated) == (
        subscription.id, "POOLED", True,
    )  # fmt: skip
    assert (credit.access_amount.unit_price, credit.access_amount.quantity) == (500, None)

    clock_at("2025-10-16")
    quantity(shop, contract_id, "2025-10-16", 15)
    shop.uses("units", "6000 on 5, 2000 on 20")
    clock_at("2025-10-25")
    (october,) = held(shop)
    assert windows([october]) == [
        ("1 Oct", "1 Nov", "5000", "0"), ("16 Oct", "1 Nov", "1290.322580645161", "0"),
    ]  # fmt: skip
    assert ledger(october) == [
        ("credit_segment_start", "5000", "1 Oct"),
        ("credit_seat_based_adjustment", "1290.322580645161", "16 Oct"),
        ("credit_automated_invoice_deduction", "-5000", "1 Nov"),
        ("credit_automated_invoice_deduction", "-1290.322580645161", "1 Nov"),
    ]
    assert {entry.segment_id for entry in october.ledger} == {
        item.id for item in october.access_schedule.schedule_items
    }

    clock_at("2025-11-10")
    quantity(shop, contract_id, "2025-11-10", 12)
    made = finalize_due(shop.customer, at=at("2025-11-10"), by=ADA).finalized
    usage = next(each for each in made if each.kind == "USAGE")
    # 8,000 were used, of which 5,000 and 1,290 are covered; and the seats of November in advance.
    assert shown(usage.total) == "31710"
    assert [verify_invoice(each).differences for each in made] == [()] * len(made)
    clock_at("2025-12-01")
    assert windows(held(shop))[2:] == [("1 Nov", "1 Dec", "7500", "0"), ("1 Dec", "1 Jan", "6000", "6000")]


def test_a_commit_is_linked_by_an_edit_and_told_in_words(shop, clock_at):
    contract_id = agreed(shop, subscriptions=[seats(shop)])
    (subscription,) = read(shop, contract_id).subscriptions
    told = edited(
        shop, contract_id, add_recurring_commits=[by_seat(shop, subscription.id, is_prorated=False, name="Pool")]
    )
    assert told.add_recurring_commits[0].subscription_config.subscription_id == subscription.id
    (commit,) = read(shop, contract_id).recurring_commits
    clock_at("2025-10-16T01:00:00")
    edited(
        shop,
        contract_id,
        update_recurring_commits=[{"recurring_commit_id": commit.id, "access_amount": {"unit_price": 600}}],
    )
    more = quantity(shop, contract_id, "2025-10-16", 15)
    with pytest.raises(Refusal, match="more than can be undone at once"):
        undoing(shop.customer.pk, contract_id, more.id)  # what it has granted would be another
    assert ledger(held(shop)[0]) == [
        ("prepaid_commit_segment_start", "5000", "1 Oct"),
        ("prepaid_commit_seat_based_adjustment", "2500", "16 Oct"),
    ]
    clock_at("2025-11-01")
    assert windows(held(shop))[-1] == ("1 Nov", "1 Dec", "9000", "9000")

    words = [text for each in history_in_words(Contract.objects.get(pk=contract_id)) for text in each.changes]
    pool = "Recurring commit “Pool”: $5.00 for each of Seats, in one pool, each usage period from 1 October 2025"
    assert f"{pool}; an increase tops it up in full; for units; priority 1." in words
    assert (
        "Recurring commit “Pool”: for whatever has not begun, $6.00 is granted for each that is subscribed to." in words
    )


def test_the_page_of_a_pool_asks_for_the_amount_of_one_and_its_ledger_says_seats(shop, clock_at, admin_client):
    contract_id = agreed(shop, subscriptions=[seats(shop)], recurring_credits=[by_seat(shop)])
    (recurring,) = agreement(shop.customer.pk, contract_id).recurring
    shown_form = RecurringEditForm(recurring)
    assert "anew_quantity" not in shown_form.fields
    assert shown_form.fields["anew_amount"].label == "Amount for each of Seats"
    form = RecurringEditForm(
        recurring, {"anew_amount": "6.00", "rate_type": "LIST_RATE", "reason": "More", "based_on_edit": 1}
    )
    assert form.is_valid(), form.errors
    assert form.to_input().update_recurring_credits[0].access_amount == RecurringAmountInput(D(600), None)

    clock_at("2025-10-16")
    quantity(shop, contract_id, "2025-10-16", 15)
    (october,) = held(shop)
    page = admin_client.get(reverse("admin:contracts_customer_balance", args=[shop.customer.pk, october.id]))
    assert "Seats added" in page.content.decode()


def test_seats_with_ids_and_a_copy_of_the_contract(shop, clock_at):
    config = {"seat_group_key": "user", "initial_seat_ids": ["ada", "bob"], "initial_unassigned_seats": 1}
    mode = {"quantity_management_mode": "SEAT_BASED", "seat_config": config}
    given = {name: value for name, value in seats(shop, **mode).items() if name != "initial_quantity"}
    contract_id = agreed(shop, subscriptions=[given], recurring_credits=[by_seat(shop, is_prorated=False)])
    (subscription,) = read(shop, contract_id).subscriptions
    clock_at("2025-10-10")
    more = {"add_seat_ids": [{"seat_ids": ["cy", "dan"], "starting_at": at("2025-10-10")}]}
    edited(shop, contract_id, update_subscriptions=[{"subscription_id": subscription.id, "seat_updates": more}])
    assert windows(held(shop)) == [("1 Oct", "1 Nov", "1500", "2000"), ("10 Oct", "1 Nov", "500", "2000")]

    like = contract_like(agreement(shop.customer.pk, contract_id), JANUARY)
    (recurring,), (subscribed,) = like.recurring_credits, like.subscriptions
    assert recurring.subscription_config.subscription_id == subscribed.temporary_id == subscription.id
    assert (recurring.access_amount.unit_price, recurring.access_amount.quantity) == (500, None)


def test_what_is_wrong_is_named_and_changes_nothing(shop, clock_at):
    def refused(call, *args, **terms):
        with pytest.raises(BadRequestError) as refusal:
            call(*args, **terms)
        return {(each["field"], each["rule"]) for each in refusal.value.body["errors"]}

    path = "recurring_credits[0]"
    for given, field, rule in [
        (by_seat(shop, "nobody"), f"{path}.subscription_config.subscription_id",
         "must be the id of a subscription of the contract, or the temporary_id of a new one"),
        (by_seat(shop) | {"access_amount": {"unit_price": 500, "quantity": 2}}, f"{path}.access_amount.quantity",
         "must not be given: the subscription says how many there are"),
        (by_seat(shop, recurrence_frequency="DAILY"), f"{path}.subscription_config.subscription_id",
         "cannot be combined with the recurrence_frequency DAILY"),
    ]:  # fmt: skip
        assert refused(agreed, shop, subscriptions=[seats(shop)], recurring_credits=[given]) == {(field, rule)}
    once = "must be there only once"
    assert refused(agreed, shop, subscriptions=[seats(shop), seats(shop)]) == {("subscriptions[1].temporary_id", once)}
    assert not Contract.objects.exists()

    contract_id = agreed(shop, subscriptions=[seats(shop)], recurring_credits=[by_seat(shop)])
    terms = read(shop, contract_id)
    clock_at("2025-11-05")
    end = {"subscription_id": terms.subscriptions[0].id, "ending_before": at("2025-10-20")}
    when = "must be later than 2025-11-01T00:00:00+00:00, when an allowance was granted for what was subscribed to"
    assert refused(edited, shop, contract_id, update_subscriptions=[end]) == {
        ("update_subscriptions[0].ending_before", when)
    }
    update = {"recurring_credit_id": terms.recurring_credits[0].id, "access_amount": {"quantity": 2}}
    assert refused(edited, shop, contract_id, update_recurring_credits=[update]) == {
        ("update_recurring_credits[0].access_amount.quantity",
         "must not be given: the subscription says how many there are"),
    }  # fmt: skip
    assert read(shop, contract_id).recurring_credits == terms.recurring_credits


def test_the_database_refuses_half_a_link(shop):
    agreed(shop, subscriptions=[seats(shop)], recurring_credits=[by_seat(shop)])
    row = RecurringCommit.objects.get()
    whole = {name: getattr(row, name) for name in ("allocation", "is_increase_prorated", "subscription_id")}
    for half in (
        {"allocation": ""},
        {"is_increase_prorated": None},
        {"subscription_id": None},
        {"access_quantity": 2},
        {"frequency": "DAILY"},
    ):
        row.pk = uuid7()
        for name, value in {**whole, "access_quantity": 1, "frequency": "", **half}.items():
            setattr(row, name, value)
        with pytest.raises(IntegrityError, match="an_allowance_by_the_seat"), transaction.atomic():
            RecurringCommit.objects.bulk_create([row])
