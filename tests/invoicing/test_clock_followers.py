"""Whoever posts usage under the test clock is waited for; who is gone stops it, and nobody hangs."""

import threading
import time
from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import connection

from billing_site.foundation import clock, followers
from billing_site.foundation.models import ClockFollower, TestClock
from billing_site.foundation.periods import Period
from invoicing.models import Invoice
from invoicing.services.clock import UsageIsMissing, move_clock
from tests.invoicing.conftest import ADA, NOVEMBER, OCTOBER, at

SERVICES = "Acme's services"


@pytest.fixture
def sandbox(acme, clock_at):
    clock_at("2025-10-31T23:00")
    return acme


@pytest.fixture
def services(sandbox):
    """Acme's services in a thread of their own: ten calls at noon of each day, posted when the clock asks."""
    stretches, over = [], threading.Event()

    def post():
        try:
            followers.follow(SERVICES, fed_until=at("2025-10-31T23:00"))
            while not over.is_set():
                if (stretch := followers.asked(SERVICES)) is not None:
                    noon = stretch.starting_at.replace(hour=12)
                    if noon in stretch:
                        sandbox.calls(noon.isoformat(), 10)
                    stretches.append(stretch)
                    followers.fed(SERVICES, until=stretch.ending_before)
                time.sleep(0.005)
        finally:
            connection.close()

    thread = threading.Thread(target=post)
    thread.start()
    while not ClockFollower.objects.exists():
        time.sleep(0.005)
    yield stretches
    over.set()
    thread.join()


@pytest.mark.django_db(transaction=True)
def test_november_is_final_with_all_of_its_usage(services):
    steps = move_clock(at("2025-12-02T00:00"), by=ADA)
    november = Invoice.objects.get(starting_at=NOVEMBER)
    assert (november.finalized_at, november.total) == (at("2025-12-02"), D(30 * 10 * 2))
    assert services[0] == Period(at("2025-10-31T23:00"), NOVEMBER)
    assert [stretch.ending_before for stretch in services] == [step.instant for step in steps[1:]]
    assert {stretch.ending_before - stretch.starting_at for stretch in services[1:]} == {timedelta(days=1)}


@pytest.mark.django_db(transaction=True)
def test_two_who_move_the_clock_at_once_are_both_waited_with(services):
    failures = []

    def move():
        try:
            move_clock(at("2025-11-12"), by=ADA)
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    twins = [threading.Thread(target=move) for _ in range(2)]
    for twin in twins:
        twin.start()
    for twin in twins:
        twin.join()
    assert failures == []
    assert TestClock.objects.get().instant == at("2025-11-12")
    assert services[-1].ending_before == at("2025-11-12")
    assert len(services) == 12


@pytest.mark.django_db
def test_one_that_is_gone_stops_the_clock_and_is_named(sandbox, monkeypatch):
    monkeypatch.setattr(followers, "PATIENCE", timedelta(seconds=0.05))
    followers.follow(SERVICES, fed_until=at("2025-11-01T06:00"))
    with pytest.raises(UsageIsMissing, match=r"Acme's services .* in up to 1 November 2025, 06:00 UTC") as refused:
        move_clock(at("2025-11-20"), by=ADA)
    assert "would go on to 2 November 2025, 00:00 UTC" in refused.value.message
    assert TestClock.objects.get().instant == at("2025-11-01")


@pytest.mark.django_db
def test_it_goes_on_without_them_when_told_to(sandbox):
    followers.follow(SERVICES, fed_until=OCTOBER)
    steps = move_clock(at("2025-11-20"), by=ADA, waits_for_usage=False)
    assert len(steps) == 3
    assert TestClock.objects.get().instant == at("2025-11-20")


@pytest.mark.django_db
def test_a_follower_that_comes_back_goes_on_where_it_was():
    followers.follow(SERVICES, fed_until=OCTOBER)
    followers.fed(SERVICES, until=NOVEMBER)
    assert followers.follow(SERVICES, fed_until=OCTOBER).fed_until == NOVEMBER
    followers.fed(SERVICES, until=OCTOBER)
    followers.ask(at("2025-11-03"))
    followers.ask(at("2025-11-02"))
    assert followers.asked(SERVICES) == Period(NOVEMBER, at("2025-11-03"))


@pytest.mark.django_db
def test_who_owes_usage_is_heard_of_by_posting_it_and_not_by_asking():
    followers.follow(SERVICES, fed_until=OCTOBER)
    followers.ask(NOVEMBER)
    long_ago = clock.wall_time() - timedelta(hours=1)
    ClockFollower.objects.update(seen_at=long_ago)
    followers.asked(SERVICES)
    assert ClockFollower.objects.get().seen_at == long_ago
    followers.fed(SERVICES, until=NOVEMBER)
    assert followers.owing(NOVEMBER) == []
    ClockFollower.objects.update(seen_at=long_ago)
    assert followers.asked(SERVICES) is None
    assert ClockFollower.objects.get().seen_at > long_ago
