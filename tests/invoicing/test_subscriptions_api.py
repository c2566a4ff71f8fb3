"""Subscriptions, driven and read with the official client.

A seat costs 20 dollars a month and 200 a year, a unit 1 cent. The contract runs from 1 October 2025 to 1 February 2026
and bills usage by the calendar month.
"""

import pytest
from django.db import DatabaseError, transaction
from metronome import BadRequestError, NotFoundError

from billing_site.foundation import tokens
from contracts.models import Contract, SubscriptionQuantity
from invoicing.models import Invoice
from invoicing.presentation import explanation_json
from invoicing.queries.due import due_customers, next_due
from invoicing.queries.explained import explained_document
from invoicing.services import finalize_due, regenerate_invoice, verify_invoice, void_invoice
from ledger.models import LedgerEntry
from tests.invoicing.conftest import ADA, JANUARY, NOVEMBER, OCTOBER, at, sdk
from tests.invoicing.shop import Shop, shown

pytestmark = pytest.mark.django_db

FEBRUARY = at("2026-02-01")
WITHIN = "must not be before the {}'s start, 2025-10-01T00:00:00+00:00 and before its end, 2026-02-01T00:00:00+00:00"


@pytest.fixture
def shop(clock_at) -> Shop:
    clock_at("2025-10-01")
    shop = Shop(sdk(tokens.create_token("RevOps", scope="admin", at=OCTOBER, by=ADA)[1]))
    shop.product("units")
    shop.product("Seats", type="SUBSCRIPTION")
    shop.prices(
        *shop.price("units", "FLAT 1"),
        *shop.price("Seats", "FLAT 2000", billing_frequency="MONTHLY"),
        *shop.price("Seats", "FLAT 20000", billing_frequency="ANNUAL"),
    )
    shop.whose = {"customer_id": str(shop.customer.pk)}
    return shop


def seats(shop, quantity=10, frequency="MONTHLY", **terms):
    given = {
        "subscription_rate": {"product_id": shop.products["Seats"], "billing_frequency": frequency},
        "collection_schedule": "ADVANCE",
        "proration": {"is_prorated": True},
        "initial_quantity": quantity,
    } | terms
    return {name: value for name, value in given.items() if value is not None}


def by_seat(shop, *ids, unassigned=0, **terms):
    config = {"seat_group_key": "user", "initial_seat_ids": ids, "initial_unassigned_seats": unassigned}
    return seats(shop, None, quantity_management_mode="SEAT_BASED", seat_config=config, **terms)


def agreed(shop, *subscriptions, **terms):
    contract_id = shop.contract(**{"ending_before": FEBRUARY, "subscriptions": subscriptions, **terms})
    return contract_id, read(shop, contract_id)


def read(shop, contract_id):
    (found,) = shop.v2.contracts.retrieve(contract_id=contract_id, **shop.whose).data.subscriptions
    return found


def edit(shop, contract_id, **changes):
    return shop.v2.contracts.edit(contract_id=contract_id, **shop.whose, **changes).data.edit


def update(shop, contract_id, subscription, **changes):
    return edit(shop, contract_id, update_subscriptions=[{"subscription_id": subscription.id, **changes}])


def fees(shop, **query):
    """Date, status, quantity, price of one and amount of each line of a subscription."""
    found = shop.v1.customers.invoices.list(**shop.whose, **query)
    return sorted(
        (f"{each.issued_at:%m-%d}", each.status, *map(shown, (line.quantity, line.unit_price, line.total)))
        for each in found
        for line in each.line_items
        if line.type == "subscription"
    )


def schedule(subscription):
    return [
        (f"{each.starting_at:%-d %b}", f"{each.ending_before:%-d %b}" if each.ending_before else "", each.quantity)
        for each in subscription.quantity_schedule
    ]


def finalized(shop, instant):
    return finalize_due(shop.customer, at=at(instant), by=ADA).finalized


def refused(call, **arguments):
    with pytest.raises(BadRequestError) as refusal:
        call(**arguments)
    return {(each["field"], each["rule"]) for each in refusal.value.body["errors"]}


def test_a_subscription_is_billed_in_drafts_and_for_good(shop, clock_at):
    contract_id, subscription = agreed(
        shop, seats(shop, name="Team seats", description="For all", custom_fields={"a": "b"})
    )
    clock_at("2025-10-16")
    edited = update(
        shop, contract_id, subscription, quantity_updates=[{"starting_at": at("2025-10-16"), "quantity_delta": 5}]
    )

    assert edited.update_subscriptions[0].quantity_updates[0].quantity_delta == 5
    assert fees(shop) == [
        ("10-01", "DRAFT", "10", "2000", "20000"),
        ("10-16", "DRAFT", "5", "1032.258064516129", "5161.290322580645"),
        ("11-01", "DRAFT", "15", "2000", "30000"),
    ]
    assert [each.customer_id for each in due_customers(at=at("2025-10-16"))] == [shop.customer.pk]
    assert next_due(at("2025-10-16"), JANUARY) == at("2025-11-02")
    assert [each.subtotal for each in finalized(shop, "2025-10-16")] == [20_000, 5_161]
    assert due_customers(at=at("2025-10-16")) == []

    clock_at("2025-11-02")
    (october,) = finalized(shop, "2025-11-02")
    assert (october.subtotal, october.kind) == (30_000, "USAGE")
    for invoice in Invoice.objects.all():
        assert verify_invoice(invoice).differences == ()
    (line,) = shop.v1.customers.invoices.retrieve(
        invoice_id=str(Invoice.objects.earliest("issued_at").pk), **shop.whose
    ).data.line_items
    assert (line.name, line.product_type, line.subscription_id) == (
        "Team seats",
        "SubscriptionProductListItem",
        subscription.id,
    )
    assert (line.is_prorated, line.starting_at, line.ending_before) == (False, OCTOBER, NOVEMBER)
    assert [row[2] for row in fees(shop, status="DRAFT")] == ["15"], "December's fee, on November's draft"


def test_the_reply_tells_of_periods_and_of_quantities_to_come(shop, clock_at):
    contract_id, subscription = agreed(shop, seats(shop, starting_at=at("2025-10-22")))
    clock_at("2025-11-10")
    changes = [
        ("2025-11-05", {"quantity": 12}),
        ("2025-12-01", {"quantity_delta": 3}),
        ("2025-12-01", {"quantity_delta": -1}),
    ]
    update(
        shop, contract_id, subscription, quantity_updates=[{"starting_at": at(day), **said} for day, said in changes]
    )

    found = read(shop, contract_id)
    assert schedule(found) == [("5 Nov", "1 Dec", 12), ("1 Dec", "1 Feb", 14)]
    periods = found.billing_periods
    around = (periods.previous, periods.current, periods.next)
    assert [(f"{each.starting_at:%-d %b}", f"{each.ending_before:%-d %b}") for each in around] == [
        ("22 Oct", "1 Nov"), ("1 Nov", "1 Dec"), ("1 Dec", "1 Jan"),
    ]  # fmt: skip
    assert found.proration.to_dict() == {"is_prorated": True, "invoice_behavior": "BILL_IMMEDIATELY"}
    assert found.billing_cycle_config.to_dict() == {"anchor_date": OCTOBER, "invoice_placement": "ON_USAGE_INVOICE"}
    first = shop.v1.contracts.retrieve(contract_id=contract_id, **shop.whose).data
    assert [schedule(each) for each in first.subscriptions] == [schedule(found)]

    asked = {"contract_id": contract_id, "subscription_id": subscription.id, **shop.whose}
    history = shop.v1.contracts.retrieve_subscription_quantity_history(**asked).data
    assert [(f"{each.starting_at:%-d %b}", one.quantity, one.unit_price, one.total)
        for each in history.history for one in each.data] == [
        ("22 Oct", 10, 2_000, 20_000), ("5 Nov", 12, 2_000, 24_000),
    ]  # fmt: skip
    with pytest.raises(NotFoundError):
        shop.v1.contracts.retrieve_subscription_quantity_history(**{**asked, "subscription_id": contract_id})


def test_one_is_added_later_and_ended_before_the_contract(shop, clock_at):
    contract_id = shop.contract(ending_before=FEBRUARY)
    clock_at("2025-11-10")
    finalized(shop, "2025-11-10")
    edited = edit(shop, contract_id, add_subscriptions=[seats(shop, 2, starting_at=OCTOBER)])
    (added,) = edited.add_subscriptions
    assert (schedule(added), added.ending_before) == ([("1 Oct", "1 Feb", 2)], FEBRUARY)
    assert fees(shop) == [
        ("10-01", "DRAFT", "2", "2000", "4000"), ("11-01", "DRAFT", "2", "2000", "4000"),
        ("12-01", "DRAFT", "2", "2000", "4000"),
    ]  # fmt: skip
    update(shop, contract_id, added, ending_before=at("2025-12-11"), name="Few")
    clock_at("2025-12-20")
    assert fees(shop)[-1] == ("12-01", "DRAFT", "2", "645.161290322581", "1290.322580645161")
    history = shop.v2.contracts.get_edit_history(contract_id=contract_id, **shop.whose).data
    assert [(each.add_subscriptions or [None])[0] is not None for each in history] == [True, False]
    assert (history[1].update_subscriptions[0].name, read(shop, contract_id).name) == ("Few", "Few")
    again = refused(
        edit, shop=shop, contract_id=contract_id,
        update_subscriptions=[{"subscription_id": added.id, "ending_before": at("2025-12-12")}],
    )  # fmt: skip
    assert again == {
        (
            "update_subscriptions[0].ending_before",
            "must not be later than its end now, 2025-12-11T00:00:00+00:00; add a subscription that starts there",
        )
    }


def test_a_quantity_for_a_time_that_is_final_has_documents_of_its_own(shop, clock_at):
    contract_id, subscription = agreed(shop, seats(shop))
    clock_at("2025-12-10")
    finalized(shop, "2025-12-10")
    update(shop, contract_id, subscription, quantity_updates=[{"starting_at": at("2025-10-20"), "quantity": 15}])
    late = [row for row in fees(shop) if row[2] == "5"]
    assert late == [
        ("10-20", "DRAFT", "5", "774.193548387097", "3870.967741935484"),
        ("11-01", "DRAFT", "5", "2000", "10000"),
        ("12-01", "DRAFT", "5", "2000", "10000"),
    ]
    made = finalized(shop, "2025-12-10")
    assert [each.subtotal for each in made] == [3_871, 10_000, 10_000]
    assert [verify_invoice(each).differences for each in made] == [()] * 3
    assert fees(shop, status="DRAFT") == [("01-01", "DRAFT", "15", "2000", "30000")]


def test_a_balance_pays_and_a_void_gives_it_back(shop, clock_at):
    fixed = shop.v1.contracts.products.create(name="Credit", type="FIXED").data.id
    segment = {"amount": 15_000, "starting_at": OCTOBER, "ending_before": FEBRUARY}
    agreed(
        shop,
        seats(shop),
        credits=[{"product_id": fixed, "name": "Start", "access_schedule": {"schedule_items": [segment]}}],
    )
    (invoice,) = finalized(shop, "2025-10-01")
    assert (invoice.subtotal, shop.v1.contracts.get_net_balance(**shop.whose).data.balance) == (5_000, 0)
    told = explained_document(shop.customer.pk, invoice.pk, at=OCTOBER)
    said = [
        text for line in explanation_json(told)["line_items"] for part in line["parts"] for text in part["explanation"]
    ]
    assert any("Paid by the credit “Start” of $150.00" in sentence for sentence in said), said
    assert any("collected in advance" in sentence for sentence in said)

    void_invoice(shop.customer, invoice.pk, reason="wrong", at=OCTOBER, by=ADA)
    assert [entry.amount for entry in LedgerEntry.objects.order_by("money_version")] == [-15_000, 15_000]
    again = regenerate_invoice(shop.customer, invoice.pk, at=OCTOBER, by=ADA)
    assert (again.subtotal, verify_invoice(again).differences) == (5_000, ())


def test_seats_have_ids_and_the_quantity_follows_them(shop, clock_at):
    contract_id, subscription = agreed(shop, by_seat(shop, "ada", "bob", unassigned=1))
    assert subscription.seat_config.seat_group_key == "user"
    changes = {
        "add_seat_ids": [
            {"starting_at": at("2025-10-10"), "seat_ids": ["cy", "ada", "dee"]},
            {"starting_at": at("2025-12-01"), "seat_ids": ["eve"]},
        ],
        "remove_seat_ids": [{"starting_at": at("2025-11-15"), "seat_ids": ["bob", "nobody"]}],
        "add_unassigned_seats": [{"starting_at": at("2025-12-15"), "quantity": 2}],
    }
    edited = update(shop, contract_id, subscription, seat_updates=changes)
    assert edited.update_subscriptions[0].seat_updates.add_seat_ids[0].seat_ids == ["cy", "ada", "dee"]
    asked = {"contract_id": contract_id, "subscription_id": subscription.id, **shop.whose}
    history = shop.v1.contracts.get_subscription_seats_history

    def held(**query):
        return [
            (f"{each.starting_at:%-d %b}", " ".join(each.assigned_seat_ids), each.total_quantity)
            for each in history(**asked, **query).data
        ]

    assert held() == [
        ("1 Oct", "ada bob", 3), ("10 Oct", "ada bob cy dee", 4), ("15 Nov", "ada cy dee", 3),
        ("1 Dec", "ada cy dee eve", 4), ("15 Dec", "ada cy dee eve", 6),
    ]  # fmt: skip
    assert held(covering_date=at("2025-11-14T23:59")) == [("10 Oct", "ada bob cy dee", 4)]
    assert [row[0] for row in held(starting_at=at("2025-11-20"), ending_before=at("2025-12-02"))] == ["15 Nov", "1 Dec"]
    page = history(**asked, limit=2)
    assert [row[0] for row in held(limit=2, cursor=page.next_page)] == ["15 Nov", "1 Dec"]
    assert len(held(limit=5)) == 5
    assert history(**asked, limit=5).next_page is None

    update(
        shop,
        contract_id,
        subscription,
        seat_updates={"add_seat_ids": [{"starting_at": at("2025-11-20"), "seat_ids": ["gus"]}]},
    )
    assert held()[2:] == [
        ("15 Nov", "ada cy dee", 3), ("20 Nov", "ada cy dee gus", 4),
        ("1 Dec", "ada cy dee eve gus", 5), ("15 Dec", "ada cy dee eve gus", 7),
    ]  # fmt: skip
    clock_at("2025-12-20")
    assert [(row[0], row[2]) for row in fees(shop)] == [
        ("01-01", "7"), ("10-01", "3"), ("10-10", "1"), ("11-01", "4"), ("12-01", "5"), ("12-15", "2"),
    ]  # fmt: skip


def test_a_quantity_becomes_one_of_seats_and_not_back(shop):
    contract_id, subscription = agreed(shop, seats(shop, 3))
    switch = {"quantity_management_mode": "SEAT_BASED", "seat_config": {"seat_group_key": "user"}}
    added = {"add_seat_ids": [{"starting_at": OCTOBER, "seat_ids": ["ada"]}]}
    update(shop, contract_id, subscription, quantity_management_mode_update=switch, seat_updates=added)
    found = read(shop, contract_id)
    assert (found.quantity_management_mode, schedule(found)) == ("SEAT_BASED", [("1 Oct", "1 Feb", 3)])
    (row,) = SubscriptionQuantity.objects.exclude(assigned_seat_ids=[])
    assert (row.assigned_seat_ids, row.unassigned) == (["ada"], 2)
    again = [{"subscription_id": subscription.id, "quantity_updates": [{"starting_at": OCTOBER, "quantity": 4}]}]
    assert refused(edit, shop=shop, contract_id=contract_id, update_subscriptions=again) == {
        (
            "update_subscriptions[0].quantity_updates",
            "is for the mode QUANTITY_ONLY; seats are added and removed by seat_updates",
        )
    }  # fmt: skip


@pytest.mark.parametrize(
    ("terms", "field", "rule"),
    [
        ({"initial_quantity": -1}, "initial_quantity", "must not be negative"),
        ({"initial_quantity": None}, "initial_quantity", "is required for the mode QUANTITY_ONLY"),
        ({"starting_at": "2025-09-30"}, "starting_at", WITHIN.format("contract")),
        ({"ending_before": "2025-10-01"}, "ending_before", "must be later than starting_at"),
        ({"starting_at": "2025-10-01T00:30"}, "starting_at", "must be on the hour (UTC)"),
        (
            {"collection_schedule": "ARREARS", "proration": {"invoice_behavior": "BILL_IMMEDIATELY"}},
            "proration.invoice_behavior", "is for the collection schedule ADVANCE only",
        ),
        (
            {"collection_schedule": "ARREARS", "billing_cycle_config": {"anchor_date": "2025-10-01"}},
            "billing_cycle_config.anchor_date", "is for the collection schedule ADVANCE only",
        ),
        (
            {"billing_cycle_config": {"anchor_date": "2025-10-02"}},
            "billing_cycle_config.anchor_date", "must not be after the subscription's start, 2025-10-01T00:00:00+00:00",
        ),
        (
            {"frequency": "WEEKLY"},
            "subscription_rate.billing_frequency", "must be one by which the rate card List prices Seats",
        ),
        ({"product": "units"}, "subscription_rate.product_id", "must be a SUBSCRIPTION product; units is USAGE"),
        (
            {"quantity_management_mode": "SEAT_BASED", "initial_quantity": None},
            "seat_config", "is required for the mode SEAT_BASED",
        ),
        (
            {"proration": {"rounding": {"decimal_places": 13, "rounding_method": "FLOOR"}}},
            "proration.rounding.decimal_places", "must be a whole number from -12 to 12",
        ),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_named_and_changes_nothing(shop, terms, field, rule):
    frequency, product = terms.get("frequency", "MONTHLY"), terms.get("product", "Seats")
    rest = {name: value for name, value in terms.items() if name not in ("frequency", "product")}
    given = seats(shop, frequency=frequency) | rest
    given["subscription_rate"] = {"product_id": shop.products[product], "billing_frequency": frequency}
    sent = {name: value for name, value in given.items() if value is not None}
    assert (f"subscriptions[0].{field}", rule) in refused(shop.contract, ending_before=FEBRUARY, subscriptions=[sent])
    assert not Contract.objects.exists()


def test_what_an_update_breaks_is_named(shop):
    contract_id, subscription = agreed(shop, seats(shop))

    def problems(**changes):
        updates = [{"subscription_id": subscription.id, **changes}]
        found = refused(edit, shop=shop, contract_id=contract_id, update_subscriptions=updates)
        return {(field.removeprefix("update_subscriptions[0]."), rule) for field, rule in found}

    when = {"starting_at": at("2025-11-01")}
    assert problems(quantity_updates=[when]) == {
        ("quantity_updates[0].quantity", "is required, or quantity_delta, and not both")
    }
    assert problems(quantity_updates=[{**when, "quantity_delta": -11}]) == {
        ("quantity_updates[0].quantity_delta", "must not take more than the 10 that there are")
    }
    assert problems(quantity_updates=[{"starting_at": FEBRUARY, "quantity": 1}]) == {
        ("quantity_updates[0].starting_at", WITHIN.format("subscription"))
    }  # fmt: skip
    assert problems(seat_updates={"add_unassigned_seats": [{**when, "quantity": 1}]}) == {
        ("seat_updates", "is for the mode SEAT_BASED; say quantity_updates")
    }
    assert problems(ending_before=OCTOBER) == {
        ("ending_before", "must be later than its start, 2025-10-01T00:00:00+00:00")
    }
    unknown = [{"subscription_id": contract_id, "name": "x"}]
    assert refused(edit, shop=shop, contract_id=contract_id, update_subscriptions=unknown) == {
        ("update_subscriptions[0].subscription_id", "must be the id of a subscription of the contract")
    }
    assert read(shop, contract_id) == subscription


def test_a_longer_contract_does_not_make_a_subscription_in_advance_longer(shop, clock_at):
    contract_id, _ = agreed(shop, seats(shop))
    edit(shop, contract_id, update_contract_end_date=at("2026-06-01"))
    assert read(shop, contract_id).ending_before == FEBRUARY


def test_the_database_keeps_what_was_agreed(shop):
    agreed(shop, seats(shop))
    with pytest.raises(DatabaseError, match="never"), transaction.atomic():
        SubscriptionQuantity.objects.update(quantity=1)
