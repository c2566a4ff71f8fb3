"""What events add up to, and the values that cannot be read."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.db import connection

from ledger.models import (
    DailyUsage,
    EventBody,
    HourlyUsage,
    MetricSet,
    UnreadValue,
)
from ledger.queries.checks import usage_differs
from ledger.services.ingest import BadEvents, Call, Source, ingest_calls, read_events
from tests.factories.ledger import NOON, body, event, post
from tests.factories.pricing import MetricFactory
from tests.ledger.ingest.stored import HOUR, LATER, by_hour, completion, everything, outcome

pytestmark = pytest.mark.django_db


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
