"""Moving the test clock in the background: one way at a time, in pieces, through lost workers, and to an end."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from billing_site.foundation import clock, followers, jobs
from billing_site.foundation.models import ClockMove, Job, TestClock
from invoicing.models import Invoice
from invoicing.queries.clock import MOVE_CLOCK, last_move_of_clock
from invoicing.services import ask_to_move_clock, clock_moves, stop_clock_move
from invoicing.services.clock import ClockCannotGoBack, NotASandbox
from invoicing.services.clock_moves import ClockIsOnItsWay
from tests.invoicing.conftest import ADA, at

pytestmark = pytest.mark.django_db

GOAL = at("2026-01-03")


@pytest.fixture
def autumn(acme, clock_at):
    for month in (10, 11, 12):
        acme.calls(f"2025-{month}-07T00", month * 100)
    clock_at("2025-10-31T23:00")
    return acme


def queued():
    return list(Job.objects.filter(kind=MOVE_CLOCK, state=Job.State.QUEUED).order_by("created_at"))


def work_until_nothing_is_queued():
    """What the cluster does; gives how many jobs it took."""
    taken = 0
    while waiting := queued():
        for job in waiting:
            jobs.run(str(job.pk))
            taken += 1
    return taken


def test_a_wish_is_carried_out_in_the_name_of_who_had_it(autumn):
    move, _ = ask_to_move_clock(GOAL, by=ADA)
    assert (move.began_at, TestClock.objects.get().instant) == (at("2025-10-31T23:00"), at("2025-10-31T23:00"))
    assert work_until_nothing_is_queued() == 1
    move.refresh_from_db()
    assert (move.state, move.reason) == ("ARRIVED", "")
    assert TestClock.objects.get().instant == GOAL
    assert Invoice.objects.count() == 3
    assert TestClock.history.latest().actor_label == ADA.label
    shown = last_move_of_clock(at=GOAL, shown=2)
    assert (shown.move, shown.state, shown.finalized) == (move, "ARRIVED", 3)
    assert [f"{invoice.finalized_at:%m-%d}" for invoice in shown.last_finalized] == ["01-02", "12-02"]


def test_a_long_way_takes_several_jobs(autumn, monkeypatch):
    monkeypatch.setattr(clock_moves, "CHUNK_SECONDS", 0.0)
    move, _ = ask_to_move_clock(GOAL, by=ADA)
    assert work_until_nothing_is_queued() > 3
    move.refresh_from_db()
    assert move.state == "ARRIVED"
    assert TestClock.objects.get().instant == GOAL
    assert list(Invoice.objects.order_by("number").values_list("finalized_at", flat=True)) == [
        at("2025-11-02"),
        at("2025-12-02"),
        at("2026-01-02"),
    ]


def test_a_second_click_joins_the_first(autumn):
    first, is_new = ask_to_move_clock(GOAL, by=ADA)
    assert is_new
    assert ask_to_move_clock(GOAL, by=ADA) == (first, False)
    assert len(queued()) == 1


def test_another_goal_is_refused_until_it_has_arrived(autumn):
    ask_to_move_clock(GOAL, by=ADA)
    with pytest.raises(ClockIsOnItsWay, match="on its way to 3 January 2026, 00:00 UTC"):
        ask_to_move_clock(at("2025-12-01"), by=ADA)
    work_until_nothing_is_queued()
    assert ask_to_move_clock(at("2026-01-04"), by=ADA)[1]


@pytest.mark.django_db(transaction=True)
def test_twins_who_click_at_once_make_one_move(autumn):
    moves = []

    def click():
        try:
            moves.append(ask_to_move_clock(GOAL, by=ADA)[0].pk)
        finally:
            connection.close()

    twins = [threading.Thread(target=click) for _ in range(4)]
    for twin in twins:
        twin.start()
    for twin in twins:
        twin.join()
    assert len(moves) == 4
    assert set(moves) == {ClockMove.objects.get().pk}
    assert len(queued()) == 1


def test_only_in_a_sandbox_and_not_backwards(autumn, settings):
    ask_to_move_clock(GOAL, by=ADA)
    work_until_nothing_is_queued()
    with pytest.raises(ClockCannotGoBack):
        ask_to_move_clock(at("2025-12-24"), by=ADA)
    settings.SANDBOX = False
    with pytest.raises(NotASandbox):
        ask_to_move_clock(at("2026-01-10"), by=ADA)
    assert ClockMove.objects.count() == 1


def test_a_killed_worker_s_move_is_found_and_carried_on(autumn):
    ask_to_move_clock(GOAL, by=ADA)
    [job] = queued()
    Job.objects.filter(pk=job.pk).update(
        state=Job.State.RUNNING, attempts=1, heartbeat_at=clock.wall_time() - timedelta(minutes=1)
    )
    TestClock.objects.update(instant=at("2025-11-20"))  # so far it came
    jobs.sweep()
    assert jobs.run(str(job.pk)) == "done"
    assert ClockMove.objects.get().state == "ARRIVED"
    assert Invoice.objects.count() == 3


def test_a_job_delivered_late_leaves_the_move_alone(autumn, monkeypatch):
    monkeypatch.setattr(clock_moves, "CHUNK_SECONDS", 0.0)
    move, _ = ask_to_move_clock(GOAL, by=ADA)
    [first] = queued()
    jobs.run(str(first.pk))
    stands = TestClock.objects.get().instant
    clock_moves.carry_on_moving(move.pk, 1)
    assert TestClock.objects.get().instant == stands
    assert len(queued()) == 1


def test_usage_that_does_not_come_stops_it_with_the_reason(autumn, monkeypatch):
    monkeypatch.setattr(followers, "PATIENCE", timedelta(seconds=0.05))
    followers.follow("Acme's services", fed_until=at("2025-10-31T23:00"))
    move, _ = ask_to_move_clock(GOAL, by=ADA)
    work_until_nothing_is_queued()
    move.refresh_from_db()
    assert move.state == "STOPPED"
    assert "Acme's services" in move.reason
    ask_to_move_clock(GOAL, by=ADA, waits_for_usage=False)
    work_until_nothing_is_queued()
    assert TestClock.objects.get().instant == GOAL


def test_a_person_stops_it_where_it_has_got_to(autumn, monkeypatch):
    monkeypatch.setattr(clock_moves, "CHUNK_SECONDS", 0.0)
    move, _ = ask_to_move_clock(GOAL, by=ADA)
    jobs.run(str(queued()[0].pk))
    stop_clock_move(by=ADA)
    stands = TestClock.objects.get().instant
    assert work_until_nothing_is_queued() == 1
    move.refresh_from_db()
    assert (move.state, move.reason) == ("STOPPED", f"Stopped by {ADA.label}.")
    assert TestClock.objects.get().instant == stands < GOAL
    assert stop_clock_move(by=ADA) is None


def test_a_job_that_was_given_up_bars_nobody(autumn):
    lost, _ = ask_to_move_clock(GOAL, by=ADA)
    Job.objects.filter(kind=MOVE_CLOCK).update(state=Job.State.FAILED, error="It took longer than the queue allows.")
    shown = last_move_of_clock(at=at("2025-10-31T23:00"), shown=5)
    assert (shown.state, shown.reason) == ("STOPPED", "It took longer than the queue allows.")
    _, is_new = ask_to_move_clock(at("2026-01-04"), by=ADA)
    lost.refresh_from_db()
    assert (lost.state, lost.reason) == ("STOPPED", "It took longer than the queue allows.")
    assert is_new
