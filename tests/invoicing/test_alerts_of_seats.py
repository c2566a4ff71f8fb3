"""Alerts on what each seat has left of its own (`docs/alerts.md`), by the official client and by click.

5 dollars a seat and month, a call 1 cent. Ada and Bob have seats from 1 October; Bob's is taken out on the 16th, when
Cy gets one. Ada has used 4 dollars by then.
"""

import metronome
import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from invoicing.models import Alert
from invoicing.queries.alert_readings import readings
from invoicing.queries.compute import computation
from pricing.units import USD_ID
from tests.invoicing.conftest import at
from tests.invoicing.recurring import agreed
from tests.invoicing.shop import shown
from tests.invoicing.test_balances_by_seat import own, seats_change, shop, team

__all__ = ["shop"]  # the fixture

SEATS = "low_remaining_seat_balance_reached"
BY_USER = {"seat_group_key": "user"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def october(shop, clock_at):
    contract_id = agreed(shop, subscriptions=[team(shop, "ada", "bob")], recurring_credits=[own(shop)])
    clock_at("2025-10-16")
    shop.uses("calls", "400 on 5", user="ada")
    seats_change(shop, contract_id, "2025-10-16", add_seat_ids=["cy"], remove_seat_ids=["bob"])
    return shop


def watched(shop, threshold=100, **more):
    return shop.v1.alerts.create(
        alert_type=SEATS, name="Seat runs low", threshold=threshold, **{"seat_filter": BY_USER, **more}
    ).data.id


def figures(shop, instant):
    [alert] = Alert.objects.all()
    found = readings([alert], computation(shop.customer.pk, at=at(instant)), at=at(instant))[alert.pk]
    return [(each.label, shown(each.figure)) for each in found]


def status(shop, alert_id, **more):
    found = shop.v1.customers.alerts.retrieve(alert_id=alert_id, customer_id=str(shop.customer.pk), **more).data
    return found.customer_status, found.triggered_by


@pytest.mark.django_db(transaction=True)  # a snapshot does not see the events of its own transaction
def test_each_seat_is_a_figure_of_its_own_while_it_can_draw(october, clock_at):
    clock_at("2025-10-20")
    alert_id = watched(october)
    assert figures(october, "2025-10-20") == [
        ("user: ada", "100"), ("user: bob", "500"), ("user: cy", "258.064516129032"),
    ]  # fmt: skip
    assert figures(october, "2025-11-02") == [("user: ada", "500"), ("user: cy", "500")], "Bob's is nobody's alarm"
    assert figures(october, "2026-02-02") == [], "no seat has anything to draw on"
    assert status(october, alert_id) == ("in_alarm", "user: ada: $1.00; in alarm at $1.00 or less")
    assert status(october, alert_id, seat_filter=BY_USER | {"seat_group_value": "bob"}) == ("ok", None)
    shown_ = october.v1.customers.alerts.retrieve(alert_id=alert_id, customer_id=str(october.customer.pk)).data.alert
    assert (shown_.seat_filter.seat_group_key, shown_.seat_filter.seat_group_value) == ("user", None)
    assert shown_.group_values is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"seat_filter": BY_USER | {"seat_group_value": "cy"}}, [("user: cy", "258.064516129032")]),
        ({"seat_filter": {"seat_group_key": "team"}}, []),
        ({"access_type": "QUANTITY"}, []),
    ],
    ids=["one seat", "another property", "what counts units"],
)
def test_what_is_watched_is_narrowed(october, given, expected):
    watched(october, **given)
    assert figures(october, "2025-10-20") == expected


@pytest.mark.parametrize(
    ("given", "field", "rule"),
    [
        ({"seat_filter": metronome.NOT_GIVEN}, "seat_filter", "is required for low_remaining_seat_balance_reached"),
        ({"seat_filter": {"seat_group_key": ""}}, "seat_filter.seat_group_key", "This field may not be blank"),
        ({"group_values": [{"key": "user"}]}, "group_values", "is only for spend_threshold_reached"),
        ({"threshold": -1}, "threshold", "must not be below zero"),
    ],
)
def test_what_is_wrong_is_refused(shop, given, field, rule):
    with pytest.raises(metronome.BadRequestError) as refusal:
        watched(shop, **given)
    assert (field, rule) in [(each["field"], each["rule"]) for each in refusal.value.body["errors"]]
    assert not Alert.objects.exists()


def test_another_seat_than_the_one_watched_is_not_asked_for(october):
    alert_id = watched(october, seat_filter=BY_USER | {"seat_group_value": "cy"})
    for asked, field in (
        (BY_USER | {"seat_group_value": "ada"}, "seat_filter.seat_group_value"),
        ({"seat_group_key": "team", "seat_group_value": "a"}, "seat_filter.seat_group_key"),
    ):
        with pytest.raises(metronome.BadRequestError) as refusal:
            status(october, alert_id, seat_filter=asked)
        assert [each["field"] for each in refusal.value.body["errors"]] == [field]


def test_one_is_made_by_click_and_read_in_words(october):
    browser = Client()
    browser.force_login(User.objects.create_superuser("grace"))
    page = reverse("admin:invoicing_alert_add")
    typed = {"name": "Seat runs low", "type": SEATS.upper(), "threshold": "1", "unit": str(USD_ID)}
    errors = browser.post(page, typed).context["adminform"].form.errors
    assert errors == {"group_key": ["Say which property of events tells seats apart, such as user."]}
    assert browser.post(page, typed | {"group_key": "user"}).status_code == 302
    [made] = Alert.objects.all()
    assert (made.groups, made.threshold) == ((("user", None),), 100)
    listed = browser.get(reverse("admin:invoicing_alert_changelist")).content.decode()
    assert "What each seat has left of its own (each user)" in listed


def test_the_database_knows_no_alert_of_seats_that_nothing_tells_apart(shop):
    watched(shop)
    with pytest.raises(IntegrityError, match="an_alert_of_seats_says_what_tells_them_apart"), transaction.atomic():
        Alert.objects.update(group_values=[])
