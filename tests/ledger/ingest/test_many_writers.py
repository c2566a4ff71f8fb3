"""However many send at a time: writers beside one another, the gate, and the limit on series."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.db import connection

from billing_site.foundation.actor import Actor
from ledger.models import (
    EventBody,
    EventKey,
    UnreadValue,
)
from ledger.queries.checks import usage_differs
from ledger.services.corrections import void_event
from ledger.services.ingest import BadEvents, Call, Receipt, Source, ingest_calls, read_events
from ledger.services.ingest.gate import Gate
from ledger.services.metrics import look_again
from tests.factories.ledger import NOON, body, event, post
from tests.factories.pricing import MetricFactory
from tests.ledger.ingest.stored import HOUR, LATER, by_hour, completion, outcome

pytestmark = pytest.mark.django_db


def deadlocks() -> int:
    """How many this database has seen; once the writers are gone, all of theirs."""
    deadline = time.monotonic() + 20
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            if cursor.fetchone() == (0,):
                break
            assert time.monotonic() < deadline, "a writer's connection was left open"
            time.sleep(0.05)
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


def in_threads(*work: Callable[[], object]) -> list:
    """Run at the same time; the results, or the first exception."""
    start = threading.Barrier(len(work), timeout=30)

    def run(one: Callable[[], object]) -> object:
        try:
            start.wait()
            return one()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        return [future.result() for future in [pool.submit(run, one) for one in work]]


@pytest.mark.django_db(transaction=True)
class TestManyWriters:
    def test_eight_writers_in_hostile_order_never_lock_each_other_out(self, calls, tokens):
        chance = random.Random(8)
        every = [
            completion(
                f"c{number}",
                subject=f"subject {number % 3}",
                at=NOON - (number % 5) * HOUR,
                model=f"model {number % 4}",
                tokens=f"{number}.000000000001",
            )
            for number in range(300)
        ] + [event(f"e{number}", customer_id=f"subject {number % 3}") for number in range(100)]

        def batches(writer: int) -> list[list[dict]]:
            mine = [*every, *chance.sample(every, 100)]  # each writer sends everything, and a quarter of it twice
            chance.shuffle(mine)
            cut = [mine[start : start + 50] for start in range(0, len(mine), 50)]
            return [sorted(batch, key=lambda one: one["transaction_id"], reverse=writer % 2 == 0) for batch in cut]

        def writer(all_batches: list[list[dict]]) -> Callable[[], list[Receipt]]:
            return lambda: [post(*batch) for batch in all_batches]

        before = deadlocks()
        receipts = [one for all_of in in_threads(*[writer(batches(n)) for n in range(8)]) for one in all_of]
        assert deadlocks() == before
        totals = Counter()
        for receipt in receipts:
            totals.update(accepted=receipt.accepted, duplicates=receipt.duplicates, conflicts=len(receipt.conflicts))
        assert totals == {"accepted": 400, "duplicates": 8 * 500 - 400, "conflicts": 0}
        assert EventKey.objects.count() == EventBody.objects.count() == 400
        assert sum(amount for _, amount in by_hour(tokens).values()) == D("44850.000000000300")
        assert sum(count for count, _ in by_hour(calls).values()) == 100
        assert usage_differs() == []

    def test_writers_of_one_key_with_different_content_agree_on_one(self, tokens):
        receipts = in_threads(*[lambda n=n: post(completion("a", tokens=n)) for n in range(1, 9)])
        assert sorted(outcome(receipt) for receipt in receipts) == [(0, 0, 1)] * 7 + [(1, 0, 0)]
        winner = [receipt.accepted for receipt in receipts].index(1) + 1
        assert by_hour(tokens) == {("acme", None, None, NOON): (1, winner)}
        assert usage_differs() == []

    def test_writers_who_meet_in_a_new_month_share_its_partition(self, calls):
        may = datetime(2032, 5, 1, tzinfo=UTC)
        receipts = in_threads(*[lambda n=n: post(event(f"{n}"), at=may) for n in range(8)])
        assert [outcome(receipt) for receipt in receipts] == [(1, 0, 0)] * 8
        assert usage_differs() == []

    def test_a_metric_made_while_events_come_in_counts_what_its_sets_say(self, calls):
        def write() -> None:
            for _ in range(30):
                post(event())

        in_threads(write, write, lambda: MetricFactory(name="The same, later"), write)
        assert by_hour(calls) == {("acme", NOON): (90, 0)}
        assert usage_differs() == []


@pytest.mark.django_db(transaction=True)
class TestGate:
    """Calls that come while a transaction runs go through the next one together."""

    def together(self, *sent: list[dict], meanwhile: Callable[[], object] = lambda: None) -> tuple[list, list[int]]:
        """What each call got, and how many calls each transaction took. All but the first wait for it."""
        sizes: list[int] = []
        ahead, may_go = threading.Event(), threading.Event()

        def write(calls: list[Call]) -> list[Receipt]:
            sizes.append(len(calls))
            if len(sizes) == 1:
                ahead.set()
                assert may_go.wait(30)
            return ingest_calls(calls)

        gate = Gate(write)

        def submit(call: Call) -> Receipt | BadEvents:
            try:
                return gate.submit(call)
            except BadEvents as error:
                return error
            finally:
                connection.close()

        calls = [Call.of(read_events(body(one), at=LATER), at=LATER, source=Source("tests")) for one in sent]
        with ThreadPoolExecutor(len(calls)) as pool:
            results = [pool.submit(submit, calls[0])]
            assert ahead.wait(30)
            for number, call in enumerate(calls[1:], 1):
                results.append(pool.submit(submit, call))
                deadline = time.monotonic() + 30
                while len(gate._queue) < number:
                    assert time.monotonic() < deadline
                    time.sleep(0.001)
            meanwhile()
            may_go.set()
            return [result.result(30) for result in results], sizes

    def test_each_call_gets_its_own_receipt(self, calls):
        receipts, sizes = self.together([event("a")], [event("a"), event("b")], [event("b")], [event("c")])
        assert sizes == [1, 3]
        assert [outcome(receipt) for receipt in receipts] == [(1, 0, 0), (1, 1, 0), (0, 1, 0), (1, 0, 0)]
        assert usage_differs() == []

    def test_a_bad_call_does_not_spoil_the_others(self, calls):
        def sum_them_up() -> None:
            MetricFactory(aggregation_type="SUM", aggregation_key="n")

        infinite = event("bad", properties={"n": "inf"})  # good until there is a metric that adds it up
        receipts, sizes = self.together([event("a")], [event("b")], [infinite], [event("c")], meanwhile=sum_them_up)
        assert sizes == [1, 3, 1, 1, 1]
        assert isinstance(receipts.pop(2), BadEvents)
        assert [outcome(receipt) for receipt in receipts] == [(1, 0, 0)] * 3
        assert sorted(EventKey.objects.values_list("transaction_id", flat=True)) == ["a", "b", "c"]
        assert usage_differs() == []


class TestTheLimitOnSeries:
    def test_what_goes_beyond_is_a_finding_and_no_crash(self, monkeypatch, tokens):
        monkeypatch.setattr("ledger.services.ingest.limits.MOST_SERIES", 2)
        post(completion("a", model="xl"), completion("b", model="small"))
        look_again()  # as a process does that has not seen them come
        post(completion("c", model="xl", tokens=5), completion("d", model="third"), completion("e", model="fourth"))
        assert by_hour(tokens) == {("acme", "xl", None, NOON): (2, 6), ("acme", "small", None, NOON): (1, 1)}
        beyond = UnreadValue.objects.order_by("transaction_id")
        assert [(row.transaction_id, row.value) for row in beyond] == [
            ("d", "model=third, region=None"),
            ("e", "model=fourth, region=None"),
        ]
        assert EventKey.objects.count() == 5
        assert usage_differs() == []
        void_event("d", reason="Too many", at=LATER, by=Actor.command("Ada"))
        assert usage_differs() == []
