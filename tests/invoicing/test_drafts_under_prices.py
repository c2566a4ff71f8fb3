"""What planned prices make of drafts: computed like the drafts themselves, and as those are once it is published."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from invoicing.queries.compute import compute
from invoicing.queries.drafts_under import impact
from invoicing.services import summaries
from pricing.models import Rate
from pricing.services import Raise, plan_raise, planned_rates, publish_prices
from tests.factories.contracts import CustomerFactory
from tests.factories.pricing import ADA
from tests.invoicing.conftest import contract_for, use
from tests.pages import words

pytestmark = pytest.mark.django_db

NOW, MIDDLE, END = (datetime(2025, 10, day, tzinfo=UTC) for day in (20, 15, 25))
FORM = {"percent": "10", "places": "3", "starting_at_1": "00:00", "later": "KEEP", "later_prices": "WITHDRAW"}


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


def test_the_panel_says_it_by_customer_and_together(price_list, customers):
    user = User.objects.create_user("vic", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["add_rate", "view_draftsummary"]))
    client = Client()
    client.force_login(user)
    page = reverse("admin:invoicing_drafts_under", args=[price_list.card.pk])
    text = words(client.post(page, FORM | {"starting_at_0": "2025-10-15"}))
    assert "&lt;b&gt;one $12.00 $12.60 +$0.60 +$1.20" in text
    assert "Together, USD $14.00 $14.70 +$0.70 +$1.40" in text
    assert "would be another one, as far as can be told yet" in words(client.post(page, FORM | {"percent": "x"}))
    assert not Rate.objects.filter(starting_at=MIDDLE).exists()
