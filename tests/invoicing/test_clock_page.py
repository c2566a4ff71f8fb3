"""The test clock's page: what it says, its buttons, who may press them, and what it shows meanwhile."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing_site.foundation import followers, jobs
from billing_site.foundation.models import ClockMove, Job, TestClock
from invoicing.models import Invoice
from invoicing.queries.clock import MOVE_CLOCK
from invoicing.services import clock_moves
from tests.factories.contracts import CustomerFactory, ScheduledChargeFactory
from tests.invoicing.conftest import at, commit_of, contract_for, use

pytestmark = pytest.mark.django_db

PAGE = "admin:foundation_testclock_changelist"
MOVE = "admin:foundation_testclock_move"
STOP = "admin:foundation_testclock_stop"
PANEL = "admin:foundation_testclock_panel"


def browser(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ada():
    return browser(User.objects.create_superuser("ada", password="x"))


@pytest.fixture
def evening(acme, clock_at):
    """31 October, an hour before the month ends."""
    acme.calls("2025-10-07T00", 300)
    clock_at("2025-10-31T23:00")
    return acme


def shown(client, page=PAGE):
    return " ".join(client.get(reverse(page)).content.decode().split())


def press(client, to, page=MOVE, **more):
    """What the page says after a button was pressed."""
    answer = client.post(reverse(page), {"to": to, **more}, follow=True)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def work():
    for job in Job.objects.filter(kind=MOVE_CLOCK, state=Job.State.QUEUED):
        jobs.run(str(job.pk))


def test_it_says_where_the_clock_stands_and_what_is_due_next(ada, evening):
    page = shown(ada)
    assert "31 October 2025, 23:00 UTC" in page
    assert "October of Acme becomes final on 2 November 2025, 00:00 UTC" in page
    for to in ("2025-11-01T00:00:00+00:00", "2025-11-01T23:00:00+00:00", "2025-11-07T23:00:00+00:00"):
        assert f'value="{to}"' in page
    assert 'value="2026-01-02T00:00:00+00:00"' in page  # the year end, with its grace
    assert "every 1s" not in page


def test_several_due_at_once_are_counted_and_charges_are_named(ada, evening, price_list):
    contract_for(CustomerFactory(name="Zorro", aliases=["zorro"]), price_list)
    assert "October of Acme becomes final on 2 November 2025, 00:00 UTC, and 1 more" in shown(ada)
    ScheduledChargeFactory(contract=evening.contract, item__issued_at=at("2025-11-01T06:00"), item__amount=D(500))
    assert "A scheduled charge of Acme is billed on 1 November 2025, 06:00 UTC" in shown(ada)


def test_a_button_moves_it_in_the_background_and_the_page_follows(ada, evening, monkeypatch):
    monkeypatch.setattr(clock_moves, "CHUNK_SECONDS", 0.0)
    page = press(ada, "2025-11-04T00:00:00+00:00")
    assert TestClock.objects.get().instant == at("2025-10-31T23:00")
    assert "On the way to 4 November 2025, 00:00 UTC" in page
    assert 'hx-trigger="every 1s"' in page
    assert "0 of 3 days" in page
    assert "No document became final yet" in page
    work()
    panel = shown(ada, PANEL)
    assert panel.startswith('<div id="test-clock"')
    assert "2 November 2025, 00:00 UTC" in panel
    assert "1 of 3 days" in panel
    invoice = Invoice.objects.get()
    assert reverse("admin:invoicing_invoice_change", args=[invoice.pk]) in panel
    assert "Acme, 1–31 October 2025; final on 2 November 2025" in panel
    assert "$6.00" in panel
    while Job.objects.filter(kind=MOVE_CLOCK, state=Job.State.QUEUED).exists():
        work()
    panel = shown(ada, PANEL)
    assert "Arrived at 4 November 2025, 00:00 UTC" in panel
    assert "every 1s" not in panel


def test_a_true_up_and_a_charge_are_called_so(ada, evening):
    commit_of(evening, D(10_000))
    ScheduledChargeFactory(contract=evening.contract, item__issued_at=at("2025-11-01T06:00"), item__amount=D(500))
    press(ada, "2026-01-02T00:00:00+00:00")
    work()
    page = shown(ada)
    assert "Acme, true-up; final on 2 January 2026" in page
    assert "Acme, scheduled charge; final on 1 November 2025, 06:00 UTC" in page


def test_a_second_click_joins_and_another_goal_is_refused(ada, evening):
    press(ada, "2025-11-04T00:00:00+00:00")
    again = press(ada, "2025-11-04T00:00:00+00:00")
    assert "The clock is on its way to 4 November 2025, 00:00 UTC already." in again
    other = press(ada, "2025-12-04T00:00:00+00:00")
    assert "on its way to 4 November 2025, 00:00 UTC: wait until it is there, or stop it." in other
    assert ClockMove.objects.count() == 1
    assert Job.objects.filter(kind=MOVE_CLOCK).count() == 1


@pytest.mark.parametrize(
    ("to", "says"),
    [
        pytest.param("soon", "Say where the clock shall go", id="no time"),
        pytest.param("", "Say where the clock shall go", id="nothing"),
        pytest.param("2025-10-31T23:00", "stands at 31 October 2025, 23:00 UTC already", id="where it is"),
        pytest.param("2025-10-01T00:00", "it only goes forward here", id="back"),
        pytest.param("2999-01-01T00:00", "too far for one go", id="in a thousand years"),
    ],
)
def test_what_is_no_way_to_go_is_said(ada, evening, to, says):
    assert says in press(ada, to)
    assert not ClockMove.objects.exists()


def test_the_date_field_is_utc(ada, evening):
    press(ada, "2025-11-03T06:30")
    assert ClockMove.objects.get().goal_at == at("2025-11-03T06:30")


def test_it_can_be_stopped(ada, evening):
    press(ada, "2025-12-04T00:00:00+00:00")
    assert "Stopped by ada." in press(ada, "", page=STOP)
    work()
    assert TestClock.objects.get().instant == at("2025-10-31T23:00")
    assert "nothing was to be stopped" in press(ada, "", page=STOP)


def test_where_usage_does_not_come_it_offers_to_go_on_without(ada, evening, monkeypatch):
    monkeypatch.setattr(followers, "PATIENCE", timedelta(seconds=0.05))
    followers.follow("Acme's services", fed_until=at("2025-10-31T23:00"))
    press(ada, "2025-11-04T00:00:00+00:00")
    work()
    page = shown(ada)
    assert "Acme&#x27;s services posts usage under this clock" in page
    assert "Go on without waiting for usage" in page
    press(ada, "2025-11-04T00:00:00+00:00", without_usage="1")
    work()
    assert TestClock.objects.get().instant == at("2025-11-04")


def test_what_is_held_is_shown(ada, evening, price_list):
    evening.uses_tokens("2025-10-03T05", 100, model="huge")
    press(ada, "2025-11-04T00:00:00+00:00")
    work()
    assert "the rate card List prices has no rate for it" in shown(ada)


def test_a_lost_worker_is_said(ada, evening):
    press(ada, "2025-11-04T00:00:00+00:00")
    assert "No worker is at it" not in shown(ada)
    for job in Job.objects.filter(kind=MOVE_CLOCK):
        Job.objects.filter(pk=job.pk).update(heartbeat_at=job.heartbeat_at - timedelta(minutes=1))
    assert "No worker is at it just now" in shown(ada)


def test_who_may_only_look_has_no_buttons(evening):
    guest = User.objects.create_user("guest", password="x", is_staff=True)
    assert browser(guest).get(reverse(PAGE)).status_code == 403
    guest.user_permissions.add(Permission.objects.get(codename="view_testclock"))
    client = browser(guest)
    assert "to move it takes the permission" in shown(client)
    assert 'name="to"' not in shown(client)
    assert client.post(reverse(MOVE), {"to": "2025-11-04"}).status_code == 403
    assert client.post(reverse(STOP)).status_code == 403
    guest.user_permissions.add(Permission.objects.get(codename="change_testclock"))
    client = browser(User.objects.get(pk=guest.pk))
    assert client.post(reverse(MOVE), {"to": "2025-11-04"}).status_code == 302
    assert Client().post(reverse(MOVE), {"to": "2025-11-04"}).url.startswith("/admin/login/")


def test_a_move_takes_a_post(ada, evening):
    assert ada.get(reverse(MOVE)).status_code == 405
    assert not ClockMove.objects.exists()


def test_outside_a_sandbox_there_is_nothing_to_press(ada, settings):
    settings.SANDBOX = False
    page = shown(ada)
    assert "COUNTINGHOUSE_SANDBOX=1" in page
    assert 'name="to"' not in page
    assert ada.post(reverse(MOVE), {"to": "2025-11-04"}).status_code == 403
    assert reverse(PAGE) not in shown(ada, "admin:index")


def test_a_page_costs_the_same_with_many_customers(ada, evening, price_list):
    with CaptureQueriesContext(connection) as one:
        shown(ada)
    for name in ("Globex", "Initech"):
        contract_for(CustomerFactory(name=name, aliases=[name.lower()]), price_list)
        use(price_list.calls_made, "2025-10-07T00", 3, {}, subject=name.lower())
    with CaptureQueriesContext(connection) as three:
        assert "and 2 more" in shown(ada)
    assert len(three) == len(one)
