"""A metric made after its events counts all of them, once, while ingest goes on."""

import random
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from billing_site.foundation.actor import Actor
from billing_site.foundation.jobs import run
from billing_site.foundation.models import Job
from ledger import tasks
from ledger.models import DailyUsage, MetricBackfill, UnreadValue
from ledger.queries.checks import usage_differs
from ledger.queries.usage import Window
from ledger.queries.values import Question, values_of
from ledger.services.backfill import backfill_metric, metrics_to_backfill
from ledger.services.corrections import amend_event, void_event
from pricing.services import create_metric
from tests.factories.ledger import NOON, event, post
from tests.factories.pricing import MetricFactory

LATER = NOON + timedelta(hours=2)
TOLD = {"reason": "Sent by mistake", "at": LATER, "by": Actor.command("Ada")}
KINDS = ("COUNT", "SUM", "MAX", "LATEST", "UNIQUE", "WEIGHTED_SUM")


def used(transaction_id, value, **more):
    return event(transaction_id, properties={"value": value}, **more)


def metric_of(kind):
    return MetricFactory(aggregation_type=kind, aggregation_key="" if kind == "COUNT" else "value")


def value(metric, *subjects):
    window = Window(subjects or ("acme",), NOON, NOON + timedelta(hours=1))
    return values_of([Question(metric, (window,))], until=LATER)[0].get(())


def finish(metric, **more):
    return backfill_metric(metric.pk, at=LATER, **more).backfill


@pytest.mark.django_db
class TestMeasuringBack:
    @pytest.mark.parametrize(("kind", "expected"), list(zip(KINDS, (4, 10, 4, 4, 4, 10), strict=True)))
    def test_every_aggregation(self, kind, expected):
        post(used("a", 1), used("b", "2"))
        metric = metric_of(kind)
        post(used("c", 3))
        assert value(metric) == {"COUNT": 1, "UNIQUE": 1}.get(kind, 3)
        post(used("d", 4))
        row = finish(metric)
        assert (row.events_before, row.events_seen, row.events_counted) == (2, 2, 2)
        assert value(metric) == expected
        assert finish(metric).finished_at == LATER
        assert value(metric) == expected
        assert usage_differs() == []

    def test_it_goes_on_where_it_stopped_and_over_months(self):
        post(*[used(f"{number:03}", 1) for number in range(25)], at=NOON - timedelta(days=1))
        post(*[used(f"b{number:03}", 1, customer_id="globex") for number in range(10)], at=NOON + timedelta(days=40))
        metric = metric_of("SUM")
        seen = []
        for _ in range(20):
            row = finish(metric, batch=7, seconds=0)
            seen.append(row.events_seen)
            post(used(f"n{len(seen)}", 1), at=NOON + timedelta(days=40))
            assert usage_differs() == []
            if row.finished_at:
                break
        assert seen == sorted(seen)
        assert 5 < len(seen) < 12
        assert value(metric, "acme", "globex") == 35 + len(seen)

    def test_corrections_before_and_behind_its_place_count_once(self):
        post(*[used(f"{number:03}", 1) for number in range(10)])
        metric = metric_of("MAX")
        both = metric_of("SUM")
        void_event("000", **TOLD)
        amend_event("009", properties={"value": 50}, **TOLD)
        for one in (metric, both):
            finish(one, batch=4, seconds=0)
        amend_event("001", properties={"value": 9}, **TOLD)
        void_event("002", **TOLD)
        amend_event("008", properties={"value": 60}, **TOLD)
        void_event("009", **TOLD)
        for one in (metric, both):
            finish(one, batch=4)
        assert value(metric) == 60
        assert value(both) == 9 + 60 + 5
        amend_event("008", properties={"value": 6}, **TOLD)
        assert (value(metric), value(both)) == (9, 20)
        assert usage_differs() == []

    def test_what_would_be_refused_today_is_a_value_that_cannot_be_read(self):
        post(used("a", "NaN"), used("b", 2), event("c", properties={"value": 1, "region": "x" * 300}))
        metric = MetricFactory(aggregation_type="SUM", aggregation_key="value", group_keys=[["region"]])
        finish(metric)
        assert value(metric) == 2
        assert UnreadValue.objects.filter(metric_id=metric.pk).count() == 2

    def test_the_service_that_makes_a_metric_asks_for_it(self):
        post(used("a", 1))
        metric = create_metric(
            "Calls", aggregation_type="COUNT", event_types=["api_call"], at=NOON, by=Actor.command("Ada")
        )
        assert metrics_to_backfill() == [metric.pk]
        job = Job.objects.get(kind="measure_back")
        tasks.queue_backfills()
        assert Job.objects.count() == 1
        run(str(job.pk))
        assert value(metric) == 1
        assert metrics_to_backfill() == []

    def test_a_metric_that_came_by_another_way_is_found(self):
        metric = metric_of("COUNT")
        tasks.queue_backfills()
        assert Job.objects.get().payload == {"metric_id": str(metric.pk)}


@pytest.mark.django_db(transaction=True)
class TestWhileIngestGoesOn:
    def test_an_ingest_begun_before_the_metric_existed(self, monkeypatch):
        """It has looked which metrics there are, and commits when the backfill would have been over."""
        post(used("a", 1))
        looked, go_on = threading.Event(), threading.Event()

        def slow() -> None:
            with transaction.atomic():
                post(used("b", 2))
                looked.set()
                go_on.wait(10)
            connection.close()

        writer = threading.Thread(target=slow)
        writer.start()
        looked.wait(10)
        metric = metric_of("SUM")
        done: list[MetricBackfill] = []
        reader = threading.Thread(target=lambda: (done.append(finish(metric)), connection.close()))
        reader.start()
        reader.join(1.5)
        assert reader.is_alive()
        go_on.set()
        writer.join()
        reader.join()
        assert (done[0].events_before, value(metric)) == (2, 3)
        assert usage_differs() == []

    def test_writers_correctors_and_two_backfills_at_once(self):
        first = MetricFactory()
        for number in range(20):
            post(*[used(f"{number}-{index}", 1, customer_id=f"s{index % 5}") for index in range(20)])
        metrics = [metric_of(kind) for kind in KINDS]
        failures: list[BaseException] = []

        def guarded(work):
            def run_it():
                try:
                    work()
                except BaseException as failure:
                    failures.append(failure)
                finally:
                    connection.close()

            return run_it

        def write(seed):
            source = random.Random(seed)
            for number in range(15):
                events = [
                    used(f"w{seed}-{number}-{index}", source.randrange(50), customer_id=f"s{source.randrange(5)}")
                    for index in range(15)
                ]
                post(*events)

        def correct():
            for number in range(20):
                amend_event(f"{number}-{number % 20}", properties={"value": 7 + number}, **TOLD)
                void_event(f"{number}-{(number + 1) % 20}", **TOLD)

        def measure():
            for metric in metrics:
                finish(metric, batch=37)

        work = [lambda: write(1), lambda: write(2), correct, measure, measure]
        threads = [threading.Thread(target=guarded(one)) for one in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert usage_differs() == []
        assert DailyUsage.objects.exists()
        assert metrics_to_backfill() == [first.pk]
