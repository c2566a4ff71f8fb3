"""Balances of each seat's own, driven and read with the official client (`docs/subscriptions.md`).

A seat costs 20 dollars a month and brings 5 dollars of calls, which are told apart by user and cost 1 cent each. The
contract runs from 1 October 2025 to 1 February 2026 and bills usage by the calendar month.
"""

from dataclasses import replace
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from metronome import BadRequestError, ConflictError, NotFoundError

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import Refusal
from contracts.models import Contract, RecurringCommit
from contracts.queries import agreement, customer_terms
from contracts.recurring import still_to_come
from contracts.recurring_wording import difference_in_words
from contracts.services.copies import contract_like
from contracts.services.undoing import undoing
from contracts.wording import history_in_words
from invoicing.models import Alert
from invoicing.queries.alert_readings import readings
from invoicing.queries.compute import computation
from invoicing.services import finalize_due, verify_invoice
from pricing.units import USD_ID
from tests.invoicing.conftest import ADA, JANUARY, OCTOBER, at
from tests.invoicing.recurring import agreed, allowance_shop, edited, held, ledger, monthly, read
from tests.invoicing.shop import shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(clock_at):
    shop = allowance_shop(clock_at)
    shop.product("calls", presentation_group_key=["user"])
    shop.product("Seats", type="SUBSCRIPTION")
    shop.prices(*shop.price("calls", "FLAT 1"), *shop.price("Seats", "FLAT 2000", billing_frequency="MONTHLY"))
    return shop


def team(shop, *ids, unassigned=0, **terms):
    return {
        "subscription_rate": {"product_id": shop.products["Seats"], "billing_frequency": "MONTHLY"},
        "collection_schedule": "ADVANCE",
        "proration": {"is_prorated": True},
        "quantity_management_mode": "SEAT_BASED",
        "seat_config": {
            "seat_group_key": "user", "initial_seat_ids": ids, "initial_unassigned_seats": unassigned,
        },
        "temporary_id": "team",
        **terms,
    }  # fmt: skip


def plain_team(shop, quantity):
    given = team(shop, initial_quantity=quantity, quantity_management_mode="QUANTITY_ONLY")
    return {name: value for name, value in given.items() if name != "seat_config"}


def own(shop, subscription_id="team", *, is_prorated=True, amount=500, product="calls", **terms):
    linked = {
        "subscription_id": subscription_id,
        "allocation": "INDIVIDUAL",
        "apply_seat_increase_config": {"is_prorated": is_prorated},
    }
    return {
        **monthly(shop, access_amount={"unit_price": amount}, subscription_config=linked),
        "applicable_product_ids": [shop.products[product]],
        **terms,
    }


def seats_change(shop, contract_id, start, **seats):
    (subscription,) = read(shop, contract_id).subscriptions
    updates = {name: [{"seat_ids": ids, "starting_at": at(start)}] for name, ids in seats.items()}
    update = {"subscription_id": subscription.id, "seat_updates": updates}
    return edited(shop, contract_id, update_subscriptions=[update])


def listed(shop, contract_id, **query):
    return shop.v1.contracts.list_seat_balances(contract_id=contract_id, **shop.whose, **query)


def sums(shop, contract_id, **query):
    """Of each seat: what there was, what is left."""
    return {
        each.seat_id: [(shown(one.starting_balance), shown(one.balance)) for one in each.balances]
        for each in listed(shop, contract_id, **query).data
    }


def refused(call, *args, **terms):
    with pytest.raises(BadRequestError) as refusal:
        call(*args, **terms)
    return {(each["field"], each["rule"]) for each in refusal.value.body["errors"]}


@pytest.mark.django_db(transaction=True)  # a snapshot does not see the events of its own transaction
def test_each_seat_draws_on_its_own_in_drafts_and_for_good(shop, clock_at, admin_client):
    contract_id = agreed(shop, subscriptions=[team(shop, "ada", "bob", unassigned=1)], recurring_credits=[own(shop)])
    (credit,) = read(shop, contract_id).recurring_credits
    assert (credit.subscription_config.allocation, credit.access_amount.quantity) == ("INDIVIDUAL", None)

    clock_at("2025-10-16")
    seats_change(shop, contract_id, "2025-10-16", add_seat_ids=["cy"], remove_seat_ids=["bob"])
    shop.uses("calls", "700 on 5", user="ada")
    shop.uses("calls", "200 on 20", user="bob")
    shop.uses("calls", "300 on 20", user="eve")
    clock_at("2025-10-25")
    assert sums(shop, contract_id) == {
        "ada": [("500", "0")], "bob": [("500", "300")], "cy": [("258.064516129032", "258.064516129032")],
    }  # fmt: skip
    shop.v1.alerts.create(alert_type="low_remaining_contract_credit_balance_reached", name="Low", threshold=1_000)
    told = readings(list(Alert.objects.all()), computation(shop.customer.pk, at=at("2025-10-25")), at=at("2025-10-25"))
    assert list(told.values()) == [[]]  # what seats have is not among what is left to all
    (october,) = held(shop)
    assert shown(october.balance) == "558.064516129032"
    assert sorted(ledger(october)) == [
        ("credit_automated_invoice_deduction", "-200", "1 Nov"),
        ("credit_automated_invoice_deduction", "-500", "1 Nov"),
        ("credit_seat_based_adjustment", "258.064516129032", "16 Oct"),
        ("credit_segment_start", "500", "1 Oct"),
        ("credit_segment_start", "500", "1 Oct"),
    ]
    page = admin_client.get(reverse("admin:contracts_customer_balance", args=[shop.customer.pk, october.id]))
    text = page.content.decode()
    assert all(each in text for each in ("Granted, seat ada", "Seats added, seat cy", "pending in a draft, seat bob"))
    assert "1–31 October 2025, seat bob" in text  # to post an entry by hand on
    (added,) = (each for each in october.ledger if each.type == "CREDIT_SEAT_BASED_ADJUSTMENT")
    shop.v1.contracts.add_manual_balance_entry(
        id=october.id, segment_id=added.segment_id, amount=100, reason="Sorry", **shop.whose
    )
    assert sums(shop, contract_id, seat_ids=["cy"]) == {"cy": [("258.064516129032", "358.064516129032")]}

    clock_at("2025-11-10")
    made = finalize_due(shop.customer, at=at("2025-11-10"), by=ADA).finalized
    usage = next(each for each in made if each.kind == "USAGE")
    # 1,200 were used, of which 500 and 200 are covered; and November's seats of ada and cy in advance.
    assert shown(usage.total) == "4500"
    assert [verify_invoice(each).differences for each in made] == [()] * len(made)
    whole = listed(shop, contract_id, seat_ids=["bob"], include_credits_and_commits=True, include_ledgers=True)
    (bob,) = whole.data
    assert (bob.seat_id, bob.commits, [(each.id, shown(each.balance)) for each in bob.credits]) == (
        "bob", [], [(october.id, "0")],
    )  # fmt: skip
    assert ledger_of(bob.credits[0]) == [
        ("CREDIT_SEGMENT_START", "500", "1 Oct"),
        ("CREDIT_AUTOMATED_INVOICE_DEDUCTION", "-200", "1 Nov"),
        ("CREDIT_EXPIRATION", "-300", "1 Nov"),
    ]
    assert sums(shop, contract_id, covering_date=at("2025-11-05")) == {
        "ada": [("500", "500")], "bob": [], "cy": [("500", "500")],
    }  # fmt: skip


def ledger_of(part):
    return [(each.type, shown(each.amount), f"{each.timestamp:%-d %b}") for each in part.ledger_entries]


def test_seats_are_listed_by_the_page(shop, clock_at):
    ids = [f"s{number:02}" for number in range(30)]
    contract_id = agreed(
        shop,
        subscriptions=[team(shop, *ids), team(shop, "zoe", temporary_id="other")],
        recurring_credits=[own(shop), own(shop, amount=100, name="More", recurrence_frequency="WEEKLY")],
        recurring_commits=[own(shop, "other", amount=700)],
    )
    clock_at("2025-10-25T00:00:00")
    first = listed(shop, contract_id)
    assert [each.seat_id for each in first.data] == ids[:25]
    assert (first.pagination.seats_included, first.pagination.seats_available_for_next_page) == (25, 6)
    second = listed(shop, contract_id, cursor=first.pagination.next_page)
    assert [each.seat_id for each in second.data] == [*ids[25:], "zoe"]
    assert (second.pagination.next_page, second.pagination.seats_available_for_next_page) == (None, 0)

    # A month and four weeks for each: the 20th seat brings the 100th.
    whole = listed(shop, contract_id, include_credits_and_commits=True, limit=100)
    assert (len(whole.data), whole.data[0].credits[0].ledger_entries) == (20, None)
    assert sums(shop, contract_id, seat_ids=["s07", "zoe", "nobody"], skip_missing_seat_ids=True) == {
        "s07": [("900", "600")], "zoe": [("700", "700")],
    }  # fmt: skip
    (zoe,) = listed(shop, contract_id, seat_ids=["zoe"], include_credits_and_commits=True).data
    (commit,) = zoe.commits
    assert (zoe.credits, commit.credit_type_id, commit.access_type) == ([], str(USD_ID), "SPEND")
    assert (commit.start_date, commit.end_date) == (at("2025-10-01"), at("2025-11-01"))

    subscriptions = [each.id for each in read(shop, contract_id).subscriptions]
    assert list(sums(shop, contract_id, subscription_ids=subscriptions[1:])) == ["zoe"]
    assert sums(shop, contract_id, seat_ids=["s07"], effective_before=at("2025-10-08")) == {"s07": [("600", "500")]}
    assert sums(shop, contract_id, seat_ids=["s07"], starting_at=at("2025-10-22")) == {"s07": [("600", "600")]}
    assert refused(listed, shop, contract_id, seat_ids=["s01", "nobody"]) == {
        ("seat_ids[1]", "must be the id of a seat of the subscriptions; skip_missing_seat_ids leaves out others")
    }
    assert refused(listed, shop, contract_id, subscription_ids=[shop.fixed]) == {
        ("subscription_ids[0]", "must be the id of a SEAT_BASED subscription of the contract")
    }
    both = {"covering_date": at("2025-10-08"), "starting_at": at("2025-10-08")}
    assert refused(listed, shop, contract_id, **both) == {
        ("covering_date", "cannot be combined with starting_at or effective_before")
    }
    with pytest.raises(NotFoundError):
        listed(shop, shop.fixed)

    shop.v1.contracts.archive(contract_id=contract_id, void_invoices=False, **shop.whose)
    assert sums(shop, contract_id, seat_ids=["s07"]) == {"s07": [("900", "0")]}


def test_an_entry_by_hand_is_shared_by_seats(shop, clock_at):
    contract_id = agreed(shop, subscriptions=[team(shop, "ada", "bob")], recurring_credits=[own(shop)])
    clock_at("2025-10-10")
    [credit] = held(shop)
    given = {"id": credit.id, "segment_id": credit.access_schedule.schedule_items[0].id, "reason": "Sorry"}
    post = partial(shop.v1.contracts.add_manual_balance_entry, **shop.whose, **given)
    post(amount=130, per_group_amounts={"ada": 150, "bob": -20}, uniqueness_key="ticket 7")
    assert sums(shop, contract_id) == {"ada": [("500", "650")], "bob": [("500", "480")]}
    with pytest.raises(ConflictError, match="was already used"):
        post(amount=130, per_group_amounts={"ada": 150, "bob": -20}, uniqueness_key="ticket 7")
    for amount, by_seat, error in [
        (10, {"ada": 5}, ("per_group_amounts", "must add up to amount")),
        (
            10,
            {"cy": 10},
            ("per_group_amounts.cy", "must be a seat that has something of its own of this commit or credit"),
        ),
        (10, {"ada": 10, "bob": 0}, ("per_group_amounts.bob", "must not be zero")),
    ]:
        assert refused(post, amount=amount, per_group_amounts=by_seat) == {error}
    with pytest.raises(ConflictError, match="must not take more than the 480 left of it"):
        post(amount=-481 + 5, per_group_amounts={"ada": 5, "bob": -481})
    assert sums(shop, contract_id) == {"ada": [("500", "650")], "bob": [("500", "480")]}, "all of it or nothing"

    browser = Client()
    browser.force_login(User.objects.create_superuser("grace"))
    url = reverse("admin:contracts_customer_balance", args=[shop.customer.pk, credit.id])
    form = browser.get(url).context["form"]
    typed = {"key": form["key"].value(), "segment": form.fields["segment"].choices[0][0], "reason": "Sorry again"}
    for lines, rule in [
        ("ada 1", "Write “ada: 150”, not “ada 1”."),
        ("cy: 1", "cy: must be a seat that has something of its own of this commit or credit"),
        ("bob: 1\nbob: 2", "There is a line for bob already."),
        ("bob: -5", "bob: must not take more than the $4.80 left"),
    ]:
        answer = browser.post(url, typed | {"per_group_amounts": lines})
        assert answer.context["form"].errors["per_group_amounts"] == [rule]
    assert browser.post(url, typed).context["form"].errors["amount"] == ["Needed."]
    assert browser.post(url, typed | {"per_group_amounts": "ada: 1.50\nbob: -0.20"}).status_code == 302
    assert sums(shop, contract_id) == {"ada": [("500", "800")], "bob": [("500", "460")]}


def test_the_ledger_of_an_archived_contract_tells_added_seats_as_such(shop, clock_at):
    contract_id = agreed(shop, subscriptions=[team(shop, "ada")], recurring_credits=[own(shop)])
    clock_at("2025-10-16")
    seats_change(shop, contract_id, "2025-10-16", add_seat_ids=["bob"])
    clock_at("2025-10-20")

    def told():
        [part] = held(shop, include_archived=True)
        return [entry for entry in ledger(part) if not entry[0].endswith("expiration")]

    before = told()
    assert [kind for kind, _, _ in before] == ["credit_segment_start", "credit_seat_based_adjustment"]
    shop.v1.contracts.archive(contract_id=contract_id, void_invoices=False, **shop.whose)
    assert told() == before


def test_it_is_told_in_words_and_copied_and_its_seats_keep_their_ids(shop, clock_at):
    contract_id = agreed(shop, subscriptions=[plain_team(shop, 2)])
    (subscription,) = read(shop, contract_id).subscriptions
    assert refused(edited, shop, contract_id, add_recurring_commits=[own(shop, subscription.id)]) == {
        ("add_recurring_commits[0].subscription_config.allocation",
         "must be POOLED: only the seats of a SEAT_BASED subscription have ids, and balances of their own")
    }  # fmt: skip
    switch = {"quantity_management_mode": "SEAT_BASED", "seat_config": {"seat_group_key": "user"}}
    update = {"subscription_id": subscription.id, "quantity_management_mode_update": switch}
    switched = edited(shop, contract_id, update_subscriptions=[update])
    edited(shop, contract_id, add_recurring_commits=[own(shop, subscription.id, is_prorated=False, name="Own")])
    with pytest.raises(Refusal, match="more than can be undone at once"):
        undoing(shop.customer.pk, contract_id, switched.id)
    clock_at("2025-10-10")
    seats_change(shop, contract_id, "2025-10-10", add_seat_ids=["ada"])
    assert sums(shop, contract_id) == {"ada": [("500", "500")]}

    words = [text for each in history_in_words(Contract.objects.get(pk=contract_id)) for text in each.changes]
    kept_apart = (
        "Recurring commit “Own”: $5.00 for each assigned seat of Seats, in a balance of its own, each usage period"
    )
    assert [text for text in words if text.startswith(kept_apart)] == [
        f"{kept_apart} from 1 October 2025; a seat that is added has it in full; for calls; priority 1."
    ]
    (recurs,) = agreement(shop.customer.pk, contract_id).recurring
    (contract,) = customer_terms(shop.customer.pk).contracts
    (november,) = still_to_come(contract, recurs.now.recurring_id, at=at("2025-10-10"), most=1)
    one, *_ = november.segments
    other = replace(one, id=uuid7(), seat=("user", "bob"))
    assert list(difference_in_words([november], [replace(november, segments=(one, other))], recurs.now)) == [
        "1 November 2025: $5.00 for each of 2 seats (1–30 November 2025),"
        " in place of $5.00 for one seat (1–30 November 2025)."
    ]
    like = contract_like(agreement(shop.customer.pk, contract_id), JANUARY)
    (recurring,), (subscribed,) = like.recurring_commits, like.subscriptions
    assert recurring.subscription_config.allocation == "INDIVIDUAL"
    assert recurring.subscription_config.subscription_id == subscribed.temporary_id == subscription.id


def test_what_is_wrong_with_it_is_named_and_changes_nothing(shop):
    for name in ("calls", "units"):
        shop.v1.contracts.products.update(product_id=shop.products[name], starting_at=OCTOBER, tags=["metered"])
    path = "recurring_credits[0]"
    untold = "must be a product that is priced or shown by user, which tells seats apart; units is not"
    specifiers = [{"product_id": shop.products["calls"]}, {"product_id": shop.products["units"]}]
    for given, field, rule in [
        (own(shop, product="units"), f"{path}.applicable_product_ids[0]", untold),
        ({name: value for name, value in own(shop, specifiers=specifiers).items() if name != "applicable_product_ids"},
         f"{path}.specifiers[1].product_id", untold),
        (own(shop, applicable_product_ids=[], applicable_product_tags=["metered"]),
         f"{path}.applicable_product_tags[0]",
         "must be of products that are priced or shown by user, which tells seats apart; units is not"),
        (own(shop, applicable_product_ids=[], specifiers=[{"product_tags": ["metered"]}]),
         f"{path}.specifiers[0].product_tags",
         "must be of products that are priced or shown by user, which tells seats apart; units is not"),
        (own(shop, rollover_fraction=0.5), f"{path}.rollover_fraction",
         "must not be given with the allocation INDIVIDUAL: what a seat has of its own does not go over"),
    ]:  # fmt: skip
        assert refused(agreed, shop, subscriptions=[team(shop, "ada")], recurring_credits=[given]) == {(field, rule)}
    assert not Contract.objects.exists()


def test_the_database_lets_nothing_of_a_seat_roll_over(shop):
    agreed(shop, subscriptions=[team(shop, "ada")], recurring_credits=[own(shop)])
    row = RecurringCommit.objects.get()
    row.pk, row.rollover_fraction = uuid7(), 1
    with pytest.raises(IntegrityError, match="what_a_seat_has_of_its_own"), transaction.atomic():
        RecurringCommit.objects.bulk_create([row])
