"""Events are stored and folded exactly once, whatever is sent, in whatever order, by however many at a time."""

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from billing_site.foundation.actor import Actor
from ledger.models import (
    DailyUsage,
    EventBody,
    EventKey,
    HourlyUsage,
    IngestCall,
    MetricSet,
    Series,
    UnreadValue,
)
from ledger.queries.checks import usage_differs
from ledger.services.corrections import void_event
from ledger.services.ingest import BadEvents, Call, Receipt, Source, ingest_calls, read_events
from ledger.services.ingest.gate import Gate
from ledger.services.metrics import look_again
from ledger.services.partitions import partition_name
from tests.factories.ledger import NOON, body, event, post
from tests.factories.pricing import MetricFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LATER = NOON + HOUR
PARTITION = "ledger_eventbody_2025_10"


@pytest.fixture
def calls():
    """Counts API calls."""
    return MetricFactory()


@pytest.fixture
def tokens():
    """Adds up the tokens of completions that are not free, by model, and by model and region."""
    return MetricFactory(
        aggregation_type="SUM",
        aggregation_key="tokens",
        event_type_filter={"in_values": ["completion"]},
        property_filters=[{"name": "tier", "not_in_values": ["free"]}],
        group_keys=[["model"], ["region", "model"]],
    )


def completion(transaction_id=None, /, at=NOON, subject="acme", **properties):
    return event(
        transaction_id,
        customer_id=subject,
        event_type="completion",
        timestamp=at.isoformat(),
        properties={"tokens": 1} | properties,
    )


def by_hour(metric):
    """{(subject, group values in the order of their names, hour): (count, sum)}"""
    series = {row.pk: row for row in Series.objects.filter(metric_id=metric.pk)}
    return {
        (row.subject, *(series[row.series_id].values[key] for key in sorted(series[row.series_id].values)), row.hour): (
            row.count,
            row.sum,
        )
        for row in HourlyUsage.objects.filter(series_id__in=series)
    }


def everything():
    """What an event may change."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (EventKey, EventBody, DailyUsage, Series, UnreadValue, MetricSet)
    ]


def outcome(receipt: Receipt):
    return receipt.accepted, receipt.duplicates, len(receipt.conflicts)


class TestExactlyOnce:
    def test_an_event_is_stored_as_it_was_sent(self, calls):
        sent = event("a", timestamp="2025-10-01T14:00:00.123456+02:00", properties={"b": 1.50, "a": "é", "none": None})
        post(sent)
        (key,), (stored,) = EventKey.objects.all(), EventBody.objects.all()
        assert (stored.subject, stored.transaction_id, stored.event_type) == ("acme", "a", "api_call")
        assert stored.timestamp == NOON + timedelta(microseconds=123456)
        assert stored.properties == sent["properties"]
        assert key.received_at == stored.received_at == LATER
        call = IngestCall.objects.get(pk=stored.call_id)
        assert (call.source, call.received_at, call.accepted, call.duplicates, call.conflicts) == (
            "tests",
            LATER,
            1,
            0,
            0,
        )
        assert MetricSet.objects.get(pk=call.metric_set_id).metric_ids == [str(calls.pk)]

    def test_a_repeat_changes_nothing(self, calls, tokens):
        sent = [event("a"), completion("b", tokens="1.5"), completion("c", tokens="none")]
        assert outcome(post(*sent)) == (3, 0, 0)
        before = everything()
        assert outcome(post(*reversed(sent), at=LATER + HOUR)) == (0, 3, 0)
        assert everything() == before
        assert usage_differs() == []

    def test_the_same_content_in_another_spelling_is_a_repeat(self, calls):
        post(event("a", timestamp="2025-10-01T12:00:00Z", properties={"n": 1, "m": [1.5, {"x": None}]}))
        other = b"""[{"customer_id": "acme", "transaction_id": "a", "event_type": "api_call", "more": true,
            "timestamp": "2025-10-01 14:00:00.000+02:00", "properties": {"m": [15e-1, {"x": null}], "n": 1.00}}]"""
        call = Call.of(read_events(other, at=LATER), at=LATER, source=Source("tests"))
        assert outcome(ingest_calls([call])[0]) == (0, 1, 0)

    def test_of_a_batch_known_in_part_only_the_rest_counts(self, calls):
        post(event("b"), event("d"))
        assert outcome(post(*[event(name) for name in "abcde"])) == (3, 2, 0)
        assert by_hour(calls) == {("acme", NOON): (5, 0)}
        assert EventBody.objects.count() == EventKey.objects.count() == 5
        assert usage_differs() == []

    def test_repeats_in_one_batch_count_once(self, calls):
        assert outcome(post(event("a"), event("b"), event("a"), event("a"))) == (2, 2, 0)
        assert by_hour(calls) == {("acme", NOON): (2, 0)}

    def test_the_same_transaction_id_of_two_subjects_is_two_events(self, calls):
        assert outcome(post(event("a"), event("a", customer_id="globex"))) == (2, 0, 0)
        assert by_hour(calls) == {("acme", NOON): (1, 0), ("globex", NOON): (1, 0)}

    def test_ids_are_told_apart_by_their_bytes(self, calls):
        names = ["a", "A", "ä", "a\u0308", " a", "a ", "\U0001f600", "\uffff"]
        assert outcome(post(*[event(name) for name in names])) == (8, 0, 0)
        assert outcome(post(*[event(name) for name in names])) == (0, 8, 0)

    def test_several_calls_in_one_transaction_have_a_receipt_each(self, calls):
        post(event("a"))
        sent = [[event("a"), event("b")], [event("b"), event("c")], [event("c", event_type="other")]]
        together = [Call.of(read_events(body(one), at=LATER), at=LATER, source=Source("tests")) for one in sent]
        assert [outcome(receipt) for receipt in ingest_calls(together)] == [(1, 1, 0), (1, 1, 0), (0, 0, 1)]
        assert by_hour(calls) == {("acme", NOON): (3, 0)}
        assert [
            IngestCall.objects.filter(pk=call.id, accepted=accepted).count()
            for call, accepted in zip(together, (1, 1, 0), strict=True)
        ] == [1, 1, 1]
        assert usage_differs() == []


class TestConflicts:
    @pytest.mark.parametrize(
        ("change", "differs"),
        [
            ({"event_type": "other"}, ("event_type",)),
            ({"timestamp": "2025-10-01T12:00:00.000001Z"}, ("timestamp",)),
            ({"properties": {"n": 2, "deep": {"x": [1]}}}, ("properties.n",)),
            ({"properties": {"n": "1", "deep": {"x": [1]}}}, ("properties.n",)),
            ({"properties": {"n": True, "deep": {"x": [1]}}}, ("properties.n",)),
            ({"properties": {"n": 1, "deep": {"x": [2]}}}, ("properties.deep",)),
            ({"properties": {"n": 1, "deep": {"x": [1]}, "new": None}}, ("properties.new",)),
            ({"event_type": "other", "properties": {}}, ("event_type", "properties.deep", "properties.n")),
        ],
    )
    def test_it_is_named_with_what_differs_and_the_first_content_counts(self, calls, change, differs):
        first = event("a", properties={"n": 1, "deep": {"x": [1]}})
        post(first)
        before = everything()
        receipt = post(event("b"), first | change)
        assert outcome(receipt) == (1, 0, 1)
        (conflict,) = receipt.conflicts
        assert (conflict.index, conflict.transaction_id, conflict.customer_id) == (1, "a", "acme")
        assert conflict.differs == differs
        assert EventBody.objects.get(transaction_id="a").properties == first["properties"]
        assert before[0][0] in everything()[0]
        assert by_hour(calls) == {("acme", NOON): (2, 0)}
        assert usage_differs() == []

    def test_within_one_batch_the_first_one_sent_counts(self, tokens):
        receipt = post(completion("a", tokens=2), completion("b"), completion("a", tokens=1), completion("a", tokens=2))
        assert outcome(receipt) == (2, 1, 1)
        assert [(one.index, one.differs) for one in receipt.conflicts] == [(2, ("properties.tokens",))]
        assert by_hour(tokens) == {("acme", None, None, NOON): (2, 3)}

    def test_they_are_named_in_the_order_of_the_call(self, calls):
        post(*[event(name) for name in "abc"])
        receipt = post(*[event(name, event_type="other") for name in "cab"])
        assert [(one.index, one.transaction_id) for one in receipt.conflicts] == [(0, "c"), (1, "a"), (2, "b")]

    def test_a_body_that_is_no_longer_kept_is_still_told_from_another(self, calls):
        post(event("a"))
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {PARTITION}")
        november = NOON + timedelta(days=40)
        receipt = post(event("a"), event("a", event_type="other"), at=november)
        assert outcome(receipt) == (0, 1, 1)
        assert receipt.conflicts[0].differs == ("content",)


class TestSums:
    def test_filters_groups_and_hours(self, calls, tokens):
        post(
            completion(model="xl", region="eu", tokens=3),
            completion(model="xl", region="eu", tokens=4, at=NOON + timedelta(minutes=59, seconds=59.999999)),
            completion(model="xl", region="eu", tokens=5, at=NOON + HOUR),
            completion(model="xl", tokens=6),
            completion(model="xl", region=None, tokens=7),  # null is absent
            completion(model="xl", region="", tokens=8),  # empty is not
            completion(region="eu", tokens=9, tier="pro"),
            completion(model="xl", region="eu", tokens=1000, tier="free"),
            completion(model="xl", region="eu", tokens=None),
            event(properties={"tokens": 10}),
            event(event_type="other"),
            completion(subject="globex", model=7, region=True, tokens=11),
        )
        assert by_hour(tokens) == {
            ("acme", "xl", "eu", NOON): (2, 7),
            ("acme", "xl", "eu", NOON + HOUR): (1, 5),
            ("acme", "xl", None, NOON): (2, 13),
            ("acme", "xl", "", NOON): (1, 8),
            ("acme", None, "eu", NOON): (1, 9),
            ("globex", "7", "true", NOON): (1, 11),
        }
        assert by_hour(calls) == {("acme", NOON): (1, 0)}
        assert usage_differs() == []

    @pytest.mark.parametrize(
        ("rule", "counted"),
        [
            ({"exists": True}, ["text", "number", "empty"]),
            ({"exists": False}, ["absent", "null"]),
            ({"in_values": ["eu", "1.5"]}, ["text", "number"]),
            ({"not_in_values": ["eu"]}, ["number", "empty", "absent", "null"]),
            ({"exists": True, "not_in_values": ["1.5", ""]}, ["text"]),
        ],
    )
    def test_property_filters(self, rule, counted):
        metric = MetricFactory(property_filters=[{"name": "region"} | rule])
        values = {"text": "eu", "number": 1.50, "empty": "", "null": None}
        sent = {name: {"region": value} for name, value in values.items()} | {"absent": {}}
        post(*[event(customer_id=name, properties=properties) for name, properties in sent.items()])
        assert {subject for subject, _ in by_hour(metric)} == set(counted)
        assert usage_differs() == []

    @pytest.mark.parametrize(
        ("value", "amount"),
        [
            (12, D(12)),
            ("12", D(12)),
            ("+12.50", D("12.5")),
            ("1e3", D(1000)),
            (".5", D("0.5")),
            (0.1, D("0.1")),
            (-0.0, D(0)),
            ("-3.25", D("-3.25")),
            (10**20 - 1, D(10**20 - 1)),
            ("99999999999999999999.999999999999", D("99999999999999999999.999999999999")),
            ("0.0000000000005", D("0.000000000001")),
            ("-0.0000000000005", D("-0.000000000001")),
            ("0.00000000000049", D(0)),
        ],
    )
    def test_numbers_may_be_sent_as_numbers_and_as_text(self, tokens, value, amount):
        post(completion(tokens=value))
        assert by_hour(tokens) == {("acme", None, None, NOON): (1, amount)}
        assert usage_differs() == []

    def test_a_day_has_its_hours_and_their_sum(self, tokens):
        for hour in (23, 0, 13, 23):
            post(completion(at=datetime(2025, 9, 30, hour, 59, tzinfo=UTC), tokens=hour + 1))
        post(completion(at=datetime(2025, 10, 1, tzinfo=UTC), tokens=100))
        september, october = DailyUsage.objects.order_by("day")
        assert (f"{september.day}", september.count, september.sum, september.has_negative) == (
            "2025-09-30",
            4,
            63,
            False,
        )
        assert (f"{october.day}", october.count, october.sum) == ("2025-10-01", 1, 100)
        assert {hour.hour: amount for (*_, hour), (_, amount) in by_hour(tokens).items() if hour.day == 30} == {
            0: 1,
            13: 14,
            23: 48,
        }
        assert usage_differs() == []

    def test_a_negative_value_marks_its_day_for_good(self, tokens):
        post(completion("a", tokens=5), completion("b", tokens="-2.5"), completion(subject="globex"))
        assert by_hour(tokens)["acme", None, None, NOON] == (2, D("2.5"))
        post(completion("c", tokens=-1, subject="initech"), completion("d", tokens=5, subject="initech"))
        marked = dict(DailyUsage.objects.values_list("subject", "has_negative"))
        assert marked == {"acme": True, "globex": False, "initech": True}
        post(completion(tokens=100))
        assert DailyUsage.objects.get(subject="acme").has_negative
        assert usage_differs() == []

    def test_events_count_at_their_own_time_however_late_or_early(self, calls):
        at = [datetime(1, 1, 1, tzinfo=UTC), datetime(1999, 12, 31, 23, tzinfo=UTC), NOON, LATER + timedelta(hours=24)]
        post(*[event(timestamp=instant.isoformat()) for instant in at])
        held = HourlyUsage.objects.order_by("day").values_list("day", "count")
        assert list(held) == [(instant.date(), 1) for instant in at]
        assert EventBody.objects.filter(received_at=LATER).count() == 4
        assert usage_differs() == []

    def test_a_metric_counts_from_its_creation_on(self, calls):
        late = Call.of(read_events(body([event()]), at=LATER), at=LATER, source=Source("tests"))  # measured too early
        post(event(), event())
        newer = MetricFactory(name="The same, later")
        post(event())
        ingest_calls([late])
        assert by_hour(calls) == {("acme", NOON): (4, 0)}
        assert by_hour(newer) == {("acme", NOON): (2, 0)}
        assert sorted(len(known.metric_ids) for known in MetricSet.objects.all()) == [1, 2]
        assert usage_differs() == []

    @pytest.mark.parametrize("seed", range(5))
    def test_any_order_and_any_batches_come_to_the_same(self, calls, tokens, seed):
        chance = random.Random(seed)
        sent = [event(timestamp=(NOON - number * HOUR).isoformat()) for number in range(40)]
        sent += [
            completion(
                at=NOON - chance.randrange(60) * HOUR,
                subject=chance.choice(["acme", "globex"]),
                model=chance.choice(["xl", "m", None]),
                tokens=f"{chance.uniform(-10, 1000):.14f}",
            )
            for _ in range(200)
        ]
        plain: defaultdict[tuple, D] = defaultdict(D)
        for one in sent[40:]:
            amount = D(one["properties"]["tokens"]).quantize(D("1e-12"), "ROUND_HALF_UP")
            at = datetime.fromisoformat(one["timestamp"])
            plain[one["customer_id"], one["properties"]["model"], None, at] += amount
        chance.shuffle(sent)
        while sent:
            batch = [sent.pop() for _ in range(min(len(sent), chance.randint(1, 50)))]
            post(*batch)
            post(*batch[::-2])
        assert {place: amount for place, (_, amount) in by_hour(tokens).items()} == plain
        assert set(by_hour(calls).values()) == {(1, 0)}
        assert usage_differs() == []


class TestValuesThatCannotBeRead:
    @pytest.mark.parametrize(
        ("value", "shown", "rule"),
        [
            ("twelve", "'twelve'", "must be a number"),
            ("", "''", "must be a number"),
            ("１２", "'１２'", "must be a number"),
            ("0x10", "'0x10'", "must be a number"),
            (" 1", "' 1'", "must be a number"),
            (True, "True", "must be a number"),
            ([1], "[1]", "must be a number"),
            (10**20, "1" + "0" * 20, "must be less than 10²⁰ in size"),
            ("-1e20", "'-1e20'", "must be less than 10²⁰ in size"),
        ],
    )
    def test_they_are_kept_and_noted_but_not_added_up(self, tokens, value, shown, rule):
        assert outcome(post(completion("a", tokens=value, at=NOON + HOUR / 2), completion("b", tokens=2))) == (2, 0, 0)
        (unread,) = UnreadValue.objects.all()
        assert (unread.subject, unread.metric_id, unread.hour, unread.transaction_id) == ("acme", tokens.pk, NOON, "a")
        assert (unread.value, unread.rule) == (shown, rule)
        assert by_hour(tokens) == {("acme", None, None, NOON): (1, 2)}
        assert EventBody.objects.get(transaction_id="a").properties == {"tokens": value}
        assert usage_differs() == []

    def test_a_long_one_is_cut(self, tokens):
        post(completion(tokens="x" * 10_000))
        assert len(UnreadValue.objects.get().value) == 200

    @pytest.mark.parametrize("value", ["NaN", "nan", "-Infinity", "inf", " Infinity "])
    def test_text_that_is_not_finite_is_refused_where_it_is_added_up(self, calls, tokens, value):
        with pytest.raises(BadEvents) as refusal:
            post(completion("a"), completion("b", tokens=value))
        (error,) = refusal.value.errors
        assert (error.field, error.value) == ("[1].properties.tokens", value)
        assert error.rule == "must be a finite number, as usage adds it up"
        assert everything() == [[]] * 6
        assert outcome(post(event("b", properties={"tokens": value}))) == (1, 0, 0)  # nothing adds it up

    def test_a_long_group_value_is_refused(self, tokens):
        assert outcome(post(completion(model="é" * 128))) == (1, 0, 0)
        with pytest.raises(BadEvents) as refusal:
            post(completion(model="é" * 128 + "x"))
        (error,) = refusal.value.errors
        assert error.field == "[0].properties.model"
        assert error.rule == "must have at most 256 bytes, as usage is grouped by it"


class TestFacts:
    MAY_2031 = datetime(2031, 5, 31, 23, 59, 59, 999999, tzinfo=UTC)

    def test_a_new_month_has_a_partition_of_its_own(self, calls):
        post(event("a"), at=self.MAY_2031)
        post(event("b"), at=self.MAY_2031 + timedelta(microseconds=1))
        with connection.cursor() as cursor:
            cursor.execute("SELECT transaction_id, tableoid::regclass::text FROM ledger_eventbody")
            assert dict(cursor.fetchall()) == {"a": "ledger_eventbody_2031_05", "b": "ledger_eventbody_2031_06"}
        assert partition_name(self.MAY_2031) == "ledger_eventbody_2031_05"
        assert usage_differs() == []

    @pytest.mark.parametrize(
        "table",
        [
            "ledger_eventkey",
            "ledger_eventbody",
            "ledger_eventbody_2031_05",
            "ledger_ingestcall",
            "ledger_series",
            "ledger_metricset",
        ],
    )
    @pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"])
    def test_facts_are_not_changed(self, tokens, table, change):
        post(completion(), completion(tokens="x"), at=self.MAY_2031)
        with connection.cursor() as cursor:
            cursor.execute("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", [table])
            (column,) = cursor.fetchone()
            with pytest.raises(IntegrityError, match=rf"{table}\w* is append-only"), transaction.atomic():
                cursor.execute(change.format(table, column, column))


class TestTheChecker:
    @pytest.mark.parametrize(
        "harm",
        [
            "UPDATE ledger_dailyusage SET sum = sum + 0.000000000001",
            "UPDATE ledger_dailyusage SET count = count + 1",
            "UPDATE ledger_dailyusage SET has_negative = true",
            "UPDATE ledger_dailyusage SET hour_sums[12] = 0",
            "UPDATE ledger_dailyusage SET hour_counts[3] = 1",
            "UPDATE ledger_dailyusage SET hour_sums[3] = 1",
            "UPDATE ledger_dailyusage SET hour_sums = NULL, hour_counts = NULL",
            "UPDATE ledger_dailyusage SET day = day + 1",
            "DELETE FROM ledger_dailyusage",
            "INSERT INTO ledger_dailyusage (subject, series_id, day, count, has_negative, sum) "
            "SELECT 'globex', series_id, day, 1, false, 0 FROM ledger_dailyusage",
        ],
    )
    def test_it_sees_every_kind_of_harm(self, tokens, harm):
        post(completion(tokens=5))
        assert usage_differs() == []
        with connection.cursor() as cursor:
            cursor.execute(harm)
        assert usage_differs()

    def test_it_says_what_is_held_and_what_the_events_say(self, calls):
        post(event(), event())
        DailyUsage.objects.update(count=3)
        (difference,) = usage_differs()
        assert (difference.subject, difference.day, difference.hour) == ("acme", NOON.date(), None)
        assert (difference.held.count, difference.events.count) == (3, 2)


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


def test_series_are_named_by_metric_and_values_alone(tokens):
    post(completion(model="xl"))
    (row,) = Series.objects.all()
    assert isinstance(row.pk, UUID)
    assert (row.metric_id, row.values) == (tokens.pk, {"model": "xl", "region": None})


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
