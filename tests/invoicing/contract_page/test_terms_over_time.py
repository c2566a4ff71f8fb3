"""The picture of a contract's terms on its page, and the table beside it that says the same."""

import re
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contracts.models import ServiceInvoice, ServiceInvoiceLine
from tests.factories.contracts import (
    AccessSegmentFactory,
    CommitFactory,
    ContractFactory,
    InvoiceScheduleItemFactory,
    OverrideFactory,
    ProfessionalServiceFactory,
    ScheduledChargeFactory,
    ScheduledChargeItemFactory,
)
from tests.factories.pricing import ProductFactory, RateFactory
from tests.invoicing.conftest import DECEMBER, JANUARY, NOVEMBER, OCTOBER, at
from tests.invoicing.contract_page.deal_form import page, text_of
from tests.invoicing.recurring import agreed, allowance_shop, edited, monthly, read

pytestmark = pytest.mark.django_db


def pictured(client, contract_id):
    answer = client.get(page("change", contract_id))
    return answer, answer.context["screen"].picture


def twin(picture, *kinds):
    rows = [each for each in picture.twin if not kinds or each.kind in kinds]
    return [(each.name, each.amount, each.start, each.end, each.standing) for each in rows]


def test_a_contract_with_nothing_of_its_own_is_its_term(revops, october):
    answer, picture = pictured(revops, october.contract.pk)
    assert [(group.title, len(group.rows)) for group in picture.groups] == [("Term", 1)]
    assert [row[1:] for row in twin(picture)] == [("", "1 October 2025", "31 December 2025", "in force")]
    assert (picture.first, picture.last, picture.now) == ("1 October 2025", "31 December 2025", "33.65")
    summary = "Terms over time, 1 October – 31 December 2025; today is 31 October 2025, 23:00 UTC. "
    assert picture.summary == f"{summary}Term: 1. Nothing is to begin."
    assert f'role="img" aria-label="{picture.summary}"' in answer.content.decode()


def test_prices_are_shown_that_change_within_the_term_with_those_to_come(revops, october):
    prices = october.prices
    RateFactory(rate_card=prices.card, product=prices.calls, price=D(3), starting_at=DECEMBER)
    RateFactory(  # the same price again is no change
        rate_card=prices.card,
        product=prices.tokens,
        pricing_group_values={"model": "xl"},
        price=D(40),
        starting_at=NOVEMBER,
    )
    RateFactory(  # behind the contract's end
        rate_card=prices.card,
        product=prices.tokens,
        pricing_group_values={"model": "small"},
        price=D(1),
        starting_at=JANUARY,
    )
    RateFactory(rate_card=prices.card, product=ProductFactory(name="Not sold"), entitled=False, starting_at=NOVEMBER)
    RateFactory(rate_card=prices.card, product=ProductFactory(name="New"), price=D(7), starting_at=NOVEMBER)
    _, picture = pictured(revops, october.contract.pk)
    assert twin(picture, "Price") == [
        ("API calls", "$0.02", "1 October 2025", "30 November 2025", "in force"),
        ("API calls", "$0.03", "1 December 2025", "31 December 2025", "to come"),
        ("New", "$0.07", "1 November 2025", "31 December 2025", "to come"),
    ]
    assert picture.summary.endswith("Prices on the card: 2. Next: Price New $0.07, 1 November 2025.")


def test_a_product_that_an_override_entitles_to_has_its_price_changes(revops, october):
    product = ProductFactory(name="Beta")
    RateFactory(rate_card=october.prices.card, product=product, price=D(5), entitled=False)
    RateFactory(rate_card=october.prices.card, product=product, price=D(6), entitled=False, starting_at=NOVEMBER)
    OverrideFactory(contract=october.contract, product=product, type="", multiplier=None, entitled=True)
    _, picture = pictured(revops, october.contract.pk)
    assert [row[:2] for row in twin(picture, "Price")] == [("Beta", "$0.05"), ("Beta", "$0.06")]
    assert [row[1:] for row in twin(picture, "Override")] == [
        ("part of the deal", "1 October 2025", "31 December 2025", "in force")
    ]


def test_what_an_override_takes_out_does_not_go_on_at_the_list_price(revops, october):
    prices, contract = october.prices, october.contract
    RateFactory(rate_card=prices.card, product=prices.calls, price=D(3), starting_at=DECEMBER)
    only = {"contract": contract, "product": prices.calls, "type": "", "multiplier": None}
    OverrideFactory(**only, entitled=False, starting_at=NOVEMBER)
    OverrideFactory(**only, entitled=True, starting_at=at("2025-12-15"))
    _, picture = pictured(revops, contract.pk)
    assert [row[1:4] for row in twin(picture, "Price")] == [
        ("$0.02", "1 October 2025", "31 October 2025"),
        ("not part of the deal", "1 November 2025", "14 December 2025"),
        ("$0.03", "15 December 2025", "31 December 2025"),
    ]


def test_invoices_of_commits_and_filters_have_their_dates(revops, october):
    eu = {"group_key": "region", "group_values": ["eu"], "starting_at": "2025-11-01T00:00:00Z"}
    contract = ContractFactory(starting_at=OCTOBER, terms__ending_before=JANUARY, terms__usage_filters=[eu])
    commit = CommitFactory(contract=contract, name="Year end", segment=None, invoice_item=None)
    InvoiceScheduleItemFactory(commit=commit, amount=D(5_000), issued_at=DECEMBER)
    _, picture = pictured(revops, contract.pk)
    assert twin(picture, "True-up", "Usage filter") == [
        ("Year end", "up to $50.00", "1 December 2025", "", "to come"),
        (
            "From 1 November 2025, 00:00 UTC: only usage whose region is eu",
            "",
            "1 November 2025",
            "31 December 2025",
            "to come",
        ),
    ]


def test_overrides_commits_credits_and_charges(revops, october):
    contract = october.contract
    OverrideFactory(contract=contract, product=october.prices.calls, starting_at=at("2025-10-15"))
    OverrideFactory(contract=contract, product=october.prices.calls, type="OVERWRITE", price=D(1), starting_at=DECEMBER)
    commit = CommitFactory(contract=contract, name="Year end", segment=None)
    for amount, start, end in ((10_000, NOVEMBER, JANUARY), (5_000, OCTOBER, NOVEMBER)):
        AccessSegmentFactory(commit=commit, amount=D(amount), starting_at=start, ending_before=end)
    for is_discount, name in ((False, "Support"), (True, "Thanks")):
        charge = ScheduledChargeFactory(contract=contract, name=name, is_discount=is_discount, item=None)
        ScheduledChargeItemFactory(charge=charge, amount=D(250), issued_at=NOVEMBER)
        ScheduledChargeItemFactory(charge=charge, amount=D(100), issued_at=OCTOBER)
    _, picture = pictured(revops, contract.pk)
    assert twin(picture, "Override", "Postpaid commit", "Scheduled charge", "Discount") == [
        (
            "50 % off the list price of API calls from 15 October 2025",
            "50 % off the list price",
            "15 October 2025",
            "31 December 2025",
            "in force",
        ),
        (
            "$0.01 a unit, whatever the list says, for API calls from 1 December 2025",
            "$0.01",
            "1 December 2025",
            "31 December 2025",
            "to come",
        ),
        ("Year end", "$50.00", "1 October 2025", "31 October 2025", "in force"),
        ("Year end", "$100.00", "1 November 2025", "31 December 2025", "to come"),
        ("Support", "$1.00", "1 October 2025", "", "past"),
        ("Support", "$2.50", "1 November 2025", "", "to come"),
        ("Thanks", "$1.00 off", "1 October 2025", "", "past"),
        ("Thanks", "$2.50 off", "1 November 2025", "", "to come"),
    ]


def test_what_recurs_is_shown_as_it_was_until_an_edit_and_since(revops, clock_at):
    shop = allowance_shop(clock_at)
    contract_id = agreed(shop, recurring_credits=[monthly(shop)])
    clock_at("2025-11-05")
    (recurring,) = shop.v2.contracts.retrieve(contract_id=contract_id, **shop.whose).data.recurring_credits
    change = {"recurring_credit_id": recurring.id, "access_amount": {"unit_price": 500}}
    edited(shop, contract_id, update_recurring_credits=[change])
    _, picture = pictured(revops, contract_id)
    assert twin(picture, "Recurring credit") == [
        ("Monthly", "$3.10 each usage period", "1 October 2025", "4 November 2025", "past"),
        ("Monthly", "$5.00 each usage period", "5 November 2025", "31 January 2026", "in force"),
    ]


def test_a_subscription_is_shown_with_its_quantities_over_time(revops, clock_at):
    shop = allowance_shop(clock_at)
    shop.product("Seats", type="SUBSCRIPTION")
    shop.prices(*shop.price("Seats", "FLAT 2000", billing_frequency="MONTHLY"))
    team = {
        "subscription_rate": {"product_id": shop.products["Seats"], "billing_frequency": "MONTHLY"},
        "collection_schedule": "ADVANCE",
        "proration": {"is_prorated": True},
        "initial_quantity": 10,
        "name": "Team",
    }
    contract_id = agreed(shop, subscriptions=[team])
    (subscription,) = read(shop, contract_id).subscriptions
    update = {"starting_at": at("2025-12-01"), "quantity": 12}
    edited(
        shop,
        contract_id,
        update_subscriptions=[{"subscription_id": subscription.id, "quantity_updates": [update]}],
    )
    _, picture = pictured(revops, contract_id)
    assert twin(picture, "Subscription") == [
        ("Team", "10", "1 October 2025", "30 November 2025", "in force"),
        ("Team", "12", "1 December 2025", "31 January 2026", "to come"),
    ]


def test_work_that_is_invoiced_has_its_dates_and_what_they_come_to(revops, october):
    service = ProfessionalServiceFactory(contract=october.contract)
    given = {"customer": service.customer, "added_by_edit": service.added_by_edit, "created_at": OCTOBER}
    for issued_at, amounts in ((OCTOBER, [2_000]), (DECEMBER, [4_000, 1_500])):
        invoice = ServiceInvoice.objects.create(contract=october.contract, issued_at=issued_at, **given)
        for amount in amounts:
            line = {"unit_price": 1, "quantity": 1, "amount": amount}
            ServiceInvoiceLine.objects.create(invoice=invoice, service=service, **line, **given)
    _, picture = pictured(revops, october.contract.pk)
    assert twin(picture, "Invoice") == [
        ("Professional services", "$20.00", "1 October 2025", "", "past"),
        ("Professional services", "$55.00", "1 December 2025", "", "to come"),
    ]


def test_a_label_stands_beside_the_present_where_the_whole_of_it_has_room(revops, october):
    OverrideFactory(contract=october.contract, starting_at=at("2025-10-30"))
    OverrideFactory(contract=october.contract, starting_at=at("2025-10-30"), ending_before=at("2025-12-10"))
    OverrideFactory(contract=october.contract, starting_at=at("2025-12-28"))
    commit = CommitFactory(contract=october.contract, segment=None, invoice_item=None)
    AccessSegmentFactory(commit=commit, amount=D(100), starting_at=OCTOBER, ending_before=at("2025-11-10"))
    _, picture = pictured(revops, october.contract.pk)
    begun, ends, narrow, short = [mark for group in picture.groups[1:] for row in group.rows for mark in row.marks]
    assert (begun.label.x, begun.label.fits) == (picture.now, "fits-narrow")
    assert (ends.label.x, ends.label.fits) == (picture.now, "fits-wide")
    assert narrow.label is None
    assert (short.label.text, short.label.x, short.label.fits) == ("$1.00", "0.00", "fits-narrow")


def test_names_are_escaped_and_whole_in_the_table(revops, october):
    name = '<b onload="x">' * 10
    CommitFactory(contract=october.contract, name=name, invoice_item=None)
    answer, _ = pictured(revops, october.contract.pk)
    assert re.findall(r"<b onload", answer.content.decode()) == []
    assert answer.content.decode().count(f'<th scope="row">{"&lt;b onload=&quot;x&quot;&gt;" * 10}</th>') == 1


def test_of_many_the_nearest_are_shown_and_the_others_are_in_the_record_and_on_the_card(revops, october):
    for number in range(12):
        OverrideFactory(contract=october.contract, product=ProductFactory(), starting_at=at(f"2025-11-{number + 1:02}"))
        RateFactory(rate_card=october.prices.card, product=ProductFactory(), starting_at=NOVEMBER)
    answer, picture = pictured(revops, october.contract.pk)
    assert [len(group.rows) for group in picture.groups] == [1, 8, 8]
    assert "Next: Price" in picture.summary
    assert [row[2] for row in twin(picture, "Override")] == [f"{number} November 2025" for number in range(1, 9)]
    shown = text_of(answer)
    assert "Prices on the card: 4 more, further from today: see the rate card ." in shown
    assert "Overrides: 4 more, further from today: see the record ." in shown
    assert answer.content.decode().count(reverse("admin:contracts_contract_record", args=[october.contract.pk])) == 2


def test_the_picture_asks_the_database_for_nothing(revops, october):
    counts = []
    for more in (1, 3):
        for _ in range(more):
            RateFactory(rate_card=october.prices.card, product=ProductFactory(), starting_at=NOVEMBER)
            OverrideFactory(contract=october.contract, product=ProductFactory())
            CommitFactory(contract=october.contract)
            ScheduledChargeFactory(contract=october.contract)
        with CaptureQueriesContext(connection) as captured:
            pictured(revops, october.contract.pk)
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_contract_without_a_card_or_to_come_or_over_has_a_picture(revops):
    _, picture = pictured(revops, ContractFactory(rate_card=None).pk)
    assert [group.title for group in picture.groups] == ["Term"]
    coming = ContractFactory(starting_at=DECEMBER, terms__ending_before=JANUARY)
    _, picture = pictured(revops, coming.pk)
    assert (picture.first, twin(picture)[0][4]) == ("31 October 2025", "to come")
    over = ContractFactory(starting_at=at("2025-01-01"), terms__ending_before=at("2025-03-01"))
    answer, picture = pictured(revops, over.pk)
    assert (picture.now, twin(picture)[0][4]) == ("", "past")
    assert "today, 31 October 2025, 23:00 UTC, is outside of this" in text_of(answer)
