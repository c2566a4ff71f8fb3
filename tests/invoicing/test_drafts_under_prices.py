"""What planned prices make of drafts: computed like the drafts themselves, and as those are once it is published."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from contracts.admin.sealed_change import opened, sealed
from invoicing.queries.compute import compute
from invoicing.queries.drafts_under import impact
from invoicing.services import summaries
from pricing.models import Rate
from pricing.services import Raise, plan_raise, planned_rates, publish_prices
from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import ADA, RateCardFactory, RateFactory
from tests.invoicing.conftest import contract_for, use
from tests.pages import words

pytestmark = pytest.mark.django_db

NOW, MIDDLE, END = (datetime(2025, 10, day, tzinfo=UTC) for day in (20, 15, 25))


@pytest.fixture
def customers(price_list, clock_at):
    """API calls at 2 cents, as many on either side of the middle of October: 600 in all, and 100."""
    found = []
    for subject, calls in (("one", 300), ("other", 50)):
        customer = CustomerFactory(name=f"<b>{subject}", aliases=[subject])
        contract_for(customer, price_list)
        for day in ("10", "18"):
            use(price_list.calls_made, f"2025-10-{day}T05", calls, {}, subject=subject)
        found.append(customer)
    clock_at(NOW.isoformat())
    while summaries.refresh_what_is_due():
        pass
    return found


def planned(card, start, **more):
    plan = [row.planned for row in plan_raise(card, Raise(D(10), 3), starting_at=start, **more).rows]
    return plan, planned_rates(card, [each.rate for each in plan if each.rate is not None])


@pytest.mark.parametrize(("start", "after"), [(MIDDLE, (D(1_260), D(210))), (END, (D(1_200), D(200)))])
def test_it_is_what_the_drafts_become(price_list, customers, start, after):
    plan, rates = planned(price_list.card, start)
    found = impact(price_list.card, rates, (), at=NOW)
    assert [(row.before, row.after, row.all_along) for row in found.rows] == [
        (D(1_200), after[0], D(1_320)),
        (D(200), after[1], D(220)),
    ]
    assert not Rate.objects.filter(starting_at=start).exists()
    publish_prices(price_list.card, plan, known_publication=10**9, at=NOW, by=ADA)
    totals = [sum(each.total for each in compute(customer.pk, at=NOW).documents) for customer in customers]
    assert totals == list(after)


def test_a_later_price_that_is_withdrawn_with_it_is_not_there(price_list, customers):
    later, _ = planned(price_list.card, datetime(2025, 10, 17, tzinfo=UTC))
    publish_prices(price_list.card, later, known_publication=10**9, at=NOW, by=ADA)
    plan, rates = planned(price_list.card, MIDDLE, withdraws=lambda rate_id: True)
    taken = {each.rate_id for row in plan for each in row.later}
    assert taken
    assert [row.after for row in impact(price_list.card, rates, taken, at=NOW).rows] == [D(1_260), D(210)]


def test_those_with_most_are_computed_and_the_others_are_told(price_list, customers):
    _, rates = planned(price_list.card, MIDDLE)
    found = impact(price_list.card, rates, (), at=NOW, limit=1)
    assert [row.customer_id for row in found.rows] == [customers[0].pk]
    assert (found.others, [amount for _, amount in found.open_elsewhere]) == (1, [D(200)])


@pytest.fixture
def panel(price_list):
    user = User.objects.create_user("vic", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["add_rate", "view_draftsummary"]))
    client = Client()
    client.force_login(user)
    page = reverse("admin:invoicing_drafts_under", args=[price_list.card.pk])
    return lambda change: client.post(page, {"change": change})


def test_the_panel_says_it_by_customer_and_together(price_list, customers, panel):
    _, rates = planned(price_list.card, MIDDLE)
    text = words(panel(sealed(price_list.card, rates, ())))
    assert "&lt;b&gt;one $12.00 $12.60 +$0.60 +$1.20" in text
    assert "Together, USD $14.00 $14.70 +$0.70 +$1.40" in text
    assert not Rate.objects.filter(starting_at=MIDDLE).exists()


def test_the_panel_says_what_taking_a_price_back_does(price_list, customers, panel):
    dearer, _ = planned(price_list.card, MIDDLE)
    [rate] = [
        each
        for each in publish_prices(price_list.card, dearer, known_publication=10**9, at=NOW, by=ADA)
        if each.product_id == price_list.calls.pk
    ]
    text = words(panel(sealed(price_list.card, (), [rate.pk])))
    assert "Together, USD $14.70 $14.00 -$0.70" in text
    assert "all along" not in text


def test_the_panel_takes_only_what_a_page_of_the_card_has_sealed(price_list, panel):
    other = RateCardFactory()
    assert [panel(text).status_code for text in ("", "x:y", sealed(other, (), ()))] == [400, 400, 400]


def test_every_kind_of_price_is_opened_as_it_was_sealed(price_list):
    """Tiers, a commit rate and every digit come through."""
    given = [
        RateFactory.build(rate_card=price_list.card, product=price_list.calls, unit=price_list.card.fiat_unit, **said)
        for said in (
            {"price": D("0.123456789012"), "commit_rate": {"rate_type": "FLAT", "price": "1.5"}},
            {"rate_type": "TIERED", "price": None, "tiers": [{"price": "3", "size": "100"}, {"price": "2"}]},
        )
    ]
    found = opened(price_list.card, sealed(price_list.card, given, ())).adding
    assert [(rate.to_tariff(), rate.to_commit_tariff(), rate.starting_at, rate.unit) for rate in found] == [
        (rate.to_tariff(), rate.to_commit_tariff(), rate.starting_at, rate.unit) for rate in given
    ]
