"""Background work: asked for once, done once, found again when it was lost, and never anything but ours."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core.checks import run_checks
from django.db import connection, transaction
from django.db.models import F
from django.test import override_settings
from django_q.exceptions import TimeoutException
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

from billing_site.foundation import actor, clock, jobs
from billing_site.foundation.jobs import queue
from billing_site.foundation.jobs.broker import JobBroker
from billing_site.foundation.jobs.checks import BROKER, queue_settings
from billing_site.foundation.jobs.schedule import NAME, ensure_schedule
from billing_site.foundation.models import Job, TestClock
from billing_site.foundation.refusals import Refusal

NOON = datetime(2025, 10, 1, 12, tzinfo=UTC)
KIND = "a kind of work"
TROUBLES = {
    "refusal": Refusal("No rate for xl."),
    "failure": OSError("disk full"),
    "timeout": TimeoutException("60 seconds are over"),
}


@pytest.fixture
def done(monkeypatch):
    """What jobs of our kind were told, in order; a payload may ask for trouble."""
    told = []

    def handle(payload, at):
        told.append((payload["name"], at, actor.current()))
        if trouble := payload.get("trouble"):
            raise TROUBLES[trouble]

    monkeypatch.setattr(queue, "_handlers", {KIND: handle})
    return told


@pytest.fixture
def _test_clock(settings):
    settings.SANDBOX = True
    TestClock.objects.create(instant=NOON)


def signals():
    return [message.func() for message in OrmQ.objects.order_by("id")]


def aged(row, **age):
    Job.objects.filter(pk=row.pk).update(heartbeat_at=clock.wall_time() - timedelta(**age))


@pytest.mark.django_db
@pytest.mark.usefixtures("_test_clock")
def test_a_job_is_signalled_once_and_done_once_at_the_business_time(done):
    row = jobs.enqueue(KIND, "acme", {"name": "acme"})
    assert jobs.enqueue(KIND, "acme", {"name": "acme"}) == row
    assert signals() == [queue.RUN]

    assert [jobs.run(str(row.pk)), jobs.run(str(row.pk))] == ["done", "left"]
    [(name, at, by)] = done
    assert (name, at, by.kind) == ("acme", NOON, "JOB")
    row.refresh_from_db()
    assert (row.state, row.attempts, row.error) == ("DONE", 1, "")


@pytest.mark.django_db
def test_a_job_says_how_far_it_is_and_keeps_it(monkeypatch):
    seen = []

    def handle(payload, at):
        for number in (1, 2):
            jobs.report(f"{number} of 2")
            seen.append(Job.objects.get().progress)

    monkeypatch.setattr(queue, "_handlers", {KIND: handle})
    row = jobs.enqueue(KIND, "acme", {})
    jobs.run(str(row.pk))
    jobs.report("nothing runs here")
    row.refresh_from_db()
    assert (seen, row.progress, row.state) == (["1 of 2", "2 of 2"], "2 of 2", "DONE")


@pytest.mark.django_db(transaction=True)
def test_a_job_asked_for_in_a_transaction_that_fails_was_never_asked_for(done):
    @transaction.atomic
    def fail():
        jobs.enqueue(KIND, "acme", {"name": "acme"})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (Job.objects.count(), OrmQ.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_a_refusal_parks_the_job_with_its_reason_and_no_other(done):
    bad = jobs.enqueue(KIND, "bad", {"name": "bad", "trouble": "refusal"})
    good = jobs.enqueue(KIND, "good", {"name": "good"})
    assert [jobs.run(str(bad.pk)), jobs.run(str(good.pk))] == ["failed", "done"]
    bad.refresh_from_db()
    assert (bad.state, bad.error) == ("FAILED", "No rate for xl.")
    assert jobs.run(str(bad.pk)) == "left"  # parked until a person says so

    jobs.try_again(bad)
    bad.refresh_from_db()
    assert (bad.state, bad.error) == ("QUEUED", "No rate for xl.")
    assert signals().count(queue.RUN) == 3


@pytest.mark.django_db
def test_a_failure_is_tried_three_times_and_then_parked(done):
    row = jobs.enqueue(KIND, "acme", {"name": "acme", "trouble": "failure"})
    assert [jobs.run(str(row.pk)) for _ in range(4)] == ["queued", "queued", "failed", "left"]
    row.refresh_from_db()
    assert (row.attempts, row.error) == (3, "OSError: disk full")


@pytest.mark.django_db
def test_a_job_that_takes_too_long_is_parked_too_and_its_process_ends(done):
    row = jobs.enqueue(KIND, "acme", {"name": "acme", "trouble": "timeout"})
    for _ in range(3):
        with pytest.raises(TimeoutException):
            jobs.run(str(row.pk))
    row.refresh_from_db()
    assert (row.state, row.error) == ("FAILED", "It took longer than the queue allows.")


@pytest.mark.django_db
def test_who_runs_a_job_is_left_alone_until_its_heartbeat_is_old(done):
    row = jobs.enqueue(KIND, "acme", {"name": "acme"})
    Job.objects.filter(pk=row.pk).update(state="RUNNING", attempts=1)
    aged(row, seconds=20)
    assert jobs.run(str(row.pk)) == "left"
    aged(row, seconds=30)
    assert jobs.run(str(row.pk)) == "done"


@pytest.mark.django_db
def test_a_process_that_lost_its_job_does_not_write_how_it_ended(monkeypatch):
    def lose(payload, at):
        Job.objects.filter(kind=KIND).update(attempts=7)  # somebody else took it meanwhile

    monkeypatch.setattr(queue, "_handlers", {KIND: lose})
    row = jobs.enqueue(KIND, "acme", {})
    jobs.run(str(row.pk))
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("RUNNING", 7)


def lost(row):
    """Its process was killed in the midst of it, a while ago."""
    Job.objects.filter(pk=row.pk).update(state="RUNNING", attempts=F("attempts") + 1)
    aged(row, minutes=5)


@pytest.mark.django_db
def test_lost_processes_use_up_no_tries_that_are_for_errors(done):
    row = jobs.enqueue(KIND, "acme", {"name": "acme", "trouble": "failure"})
    for outcome in ("queued", "queued", "failed"):
        lost(row)
        assert jobs.run(str(row.pk)) == outcome
    row.refresh_from_db()
    assert (row.attempts, row.losses, row.error) == (6, 3, "OSError: disk full")
    jobs.try_again(row)
    row.refresh_from_db()
    assert (row.attempts, row.losses) == (0, 0)


@pytest.mark.django_db
def test_a_job_that_takes_its_process_with_it_each_time_is_parked_in_the_end(done):
    row = jobs.enqueue(KIND, "acme", {"name": "acme"})
    lost(row)
    for _ in range(queue.LOSSES_BEFORE_PARKING - 1):
        assert queue._take(row.pk) is not None
        aged(row, minutes=5)
    assert jobs.run(str(row.pk)) == "left"
    row.refresh_from_db()
    assert (row.state, row.error) == ("FAILED", "Its process was lost 10 times.")
    assert done == []


@pytest.mark.django_db
def test_a_minute_finds_what_was_lost(done):
    waiting = jobs.enqueue(KIND, "waiting", {"name": "waiting"})
    dropped = jobs.enqueue(KIND, "dropped", {"name": "dropped"})
    killed = jobs.enqueue(KIND, "killed", {"name": "killed"})
    running = jobs.enqueue(KIND, "running", {"name": "running"})
    Job.objects.filter(pk__in=[killed.pk, running.pk]).update(state="RUNNING", attempts=1)
    aged(dropped, minutes=2)
    aged(killed, minutes=2)
    OrmQ.objects.all().delete()

    jobs.sweep()
    assert sorted(message.args()[0] for message in OrmQ.objects.all()) == sorted([str(dropped.pk), str(killed.pk)])
    jobs.sweep()
    assert OrmQ.objects.count() == 3  # the killed one once more: nobody has taken it yet
    assert waiting.state == "QUEUED"


@pytest.mark.django_db
def test_every_minute_runs_everything_even_after_a_failure(monkeypatch):
    ran = []

    def fails():
        ran.append("fails")
        raise OSError("disk full")

    monkeypatch.setattr(queue, "_each_minute", [fails, lambda: ran.append("goes on")])
    with pytest.raises(OSError, match="disk full"):
        jobs.tick()
    assert ran == ["fails", "goes on"]


@pytest.mark.django_db
def test_doing_a_job_now_does_it_as_of_an_instant_and_tries_a_parked_one_again(done):
    row = jobs.do_now(KIND, "acme", {"name": "acme", "trouble": "refusal"}, at=NOON)
    assert (row.state, row.error) == ("FAILED", "No rate for xl.")
    Job.objects.filter(pk=row.pk).update(payload={"name": "acme"})
    assert jobs.do_now(KIND, "acme", {}, at=NOON).state == "DONE"
    assert jobs.do_now(KIND, "acme", {}, at=NOON).state == "DONE"
    assert [at for _, at, _ in done] == [NOON, NOON]
    assert OrmQ.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_of_two_deliveries_at_once_one_does_the_work(monkeypatch):
    begun, may_end, ran = threading.Event(), threading.Event(), []

    def slow(payload, at):
        ran.append(payload)
        begun.set()
        may_end.wait(10)

    monkeypatch.setattr(queue, "_handlers", {KIND: slow})
    row = jobs.enqueue(KIND, "acme", {})
    outcomes = []

    def deliver():
        try:
            outcomes.append(jobs.run(str(row.pk)))
        finally:
            connection.close()

    first = threading.Thread(target=deliver)
    first.start()
    begun.wait(10)
    assert jobs.run(str(row.pk)) == "left"
    may_end.set()
    first.join()
    assert (outcomes, len(ran)) == (["done"], 1)


@pytest.mark.django_db(transaction=True)
def test_a_running_job_shows_that_it_lives(monkeypatch):
    beaten = threading.Event()

    def wait_for_a_beat(payload, at):
        before = Job.objects.get(kind=KIND).heartbeat_at
        for _ in range(200):
            if Job.objects.get(kind=KIND).heartbeat_at > before:
                beaten.set()
                return
            threading.Event().wait(0.02)

    monkeypatch.setattr(queue, "_handlers", {KIND: wait_for_a_beat})
    monkeypatch.setattr(queue, "BEAT_SECONDS", 0.05)
    row = jobs.enqueue(KIND, "acme", {})
    assert jobs.run(str(row.pk)) == "done"
    assert beaten.is_set()


@pytest.mark.django_db
def test_the_cluster_gets_our_functions_and_nothing_else():
    async_task("os.system", "true")
    async_task(queue.RUN, "1", hook="os.system")
    async_task(print, "a function itself")
    OrmQ.objects.create(key="countinghouse", payload="not signed by us", lock=clock.wall_time())
    async_task(queue.TICK)
    OrmQ.objects.update(lock=clock.wall_time() - timedelta(seconds=1))
    broker = JobBroker(list_key="countinghouse")
    delivered = [message for _ in range(5) for message in broker.dequeue()]
    assert len(delivered) == 1
    assert [message.func() for message in OrmQ.objects.all()] == [queue.TICK]


@pytest.mark.django_db
def test_the_schedule_is_there_after_migrating_once_and_right():
    row = Schedule.objects.get(name=NAME)
    assert (row.func, row.schedule_type, row.minutes, row.repeats) == (queue.TICK, "I", 1, -1)
    Schedule.objects.filter(pk=row.pk).update(func="os.system")
    Schedule.objects.create(name=NAME, func="os.system")
    ensure_schedule()
    ensure_schedule()
    assert [each.func for each in Schedule.objects.filter(name=NAME)] == [queue.TICK]


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        pytest.param({}, [], id="as it should be"),
        pytest.param({"retry": 120}, ["countinghouse.E001"], id="a waiting message would be sent twice"),
        pytest.param({"timeout": None}, ["countinghouse.E001"], id="a running one would be sent twice"),
        pytest.param({"queue_limit": 10}, ["countinghouse.E001"], id="too many prefetched"),
        pytest.param({"broker_class": None}, ["countinghouse.E002"], id="any function could be called"),
    ],
)
def test_settings_that_would_do_jobs_twice_or_do_anything_are_refused(changes, ids):
    conf = {"workers": 1, "queue_limit": 1, "timeout": 60, "retry": 300, "broker_class": BROKER}
    with override_settings(Q_CLUSTER=conf | changes):
        assert [problem.id for problem in queue_settings()] == ids


def test_the_check_is_one_of_those_that_run_at_the_start():
    with override_settings(Q_CLUSTER={"workers": 1, "queue_limit": 1, "timeout": 60, "retry": 1}):
        assert "countinghouse.E001" in {problem.id for problem in run_checks()}
