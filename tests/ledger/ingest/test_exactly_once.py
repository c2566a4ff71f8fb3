"""Events are stored and folded exactly once, whatever is sent, in whatever order."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from ledger.models import (
    EventBody,
    EventKey,
    IngestCall,
    MetricSet,
    Series,
)
from ledger.queries.checks import usage_differs
from ledger.services.ingest import Call, Source, ingest_calls, read_events
from ledger.services.partitions import partition_name
from tests.factories.ledger import NOON, body, event, post
from tests.ledger.ingest.stored import HOUR, LATER, PARTITION, by_hour, completion, everything, outcome

pytestmark = pytest.mark.django_db


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


def test_series_are_named_by_metric_and_values_alone(tokens):
    post(completion(model="xl"))
    (row,) = Series.objects.all()
    assert isinstance(row.pk, UUID)
    assert (row.metric_id, row.values) == (tokens.pk, {"model": "xl", "region": None})
