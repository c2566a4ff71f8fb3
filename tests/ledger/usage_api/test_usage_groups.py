"""Usage by group, and the events found by their ids, with the official SDK against the site in this process."""

from decimal import Decimal

import metronome
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.ids import uuid7
from billing_site.foundation.models import TestClock
from tests.factories.contracts import ClaimFactory, ContractFactory
from tests.factories.pricing import MetricFactory
from tests.ledger.sdk import sdk_client
from tests.ledger.usage_api.reading import CALLS, NOVEMBER, OCTOBER, at, exact

pytestmark = pytest.mark.django_db


class TestGroups:
    def ask(self, client, customer, metric, **changes):
        bounds = {"starting_on": OCTOBER, "ending_before": NOVEMBER, "window_size": "NONE"}
        return client.v1.usage.list_with_groups(
            customer_id=str(customer.pk), billable_metric_id=str(metric.pk), **bounds | changes
        )

    @pytest.fixture
    def sent(self, send, acme, globex, calls):
        send(
            ("acme", "call", at(1), {"region": "eu", "team": "a"}),
            ("acme", "call", at(1), {"region": "eu", "team": "a"}),
            ("acme", "call", at(1), {"region": "eu", "team": "b"}),
            ("acme", "call", at(3), {"region": "us"}),
            ("acme", "call", at(3), {"team": "a"}),
            ("globex", "call", at(3), {"region": "ap"}),
        )

    def test_one_row_for_each_group(self, client, sent, acme, calls):
        rows = list(self.ask(client, acme, calls, group_key=["region"]))
        assert [(row.group, row.group_key, row.group_value, row.value) for row in rows] == [
            ({"region": None}, "region", None, 1),
            ({"region": "eu"}, "region", "eu", 3),
            ({"region": "us"}, "region", "us", 1),
        ]
        assert {(row.starting_on, row.ending_before) for row in rows} == {(OCTOBER, NOVEMBER)}

    def test_a_compound_key_in_any_order(self, client, sent, acme, calls):
        rows = list(self.ask(client, acme, calls, group_key=["team", "region"]))
        assert [(row.group, row.value) for row in rows] == [
            ({"region": None, "team": "a"}, 1),
            ({"region": "eu", "team": "a"}, 2),
            ({"region": "eu", "team": "b"}, 1),
            ({"region": "us", "team": None}, 1),
        ]
        assert {(row.group_key, row.group_value) for row in rows} == {(None, None)}

    def test_filters(self, client, sent, acme, calls):
        rows = self.ask(
            client, acme, calls, group_key=["region", "team"], group_filters={"region": ["eu", "ap"], "team": []}
        )
        assert [(row.group["team"], row.value) for row in rows] == [("a", 2), ("b", 1)]

    def test_the_older_spelling(self, client, sent, acme, calls):
        rows = self.ask(client, acme, calls, group_by={"key": "region"})
        assert [(row.group_value, row.value) for row in rows] == [(None, 1), ("eu", 3), ("us", 1)]
        rows = self.ask(client, acme, calls, group_by={"key": "region", "values": ["us"]})
        assert [(row.group_value, row.value) for row in rows] == [("us", 1)]

    def test_windows_come_first_and_groups_within_them(self, client, sent, acme, calls):
        asked = {"group_key": ["region"], "window_size": "DAY", "ending_before": at(4)}
        whole = list(self.ask(client, acme, calls, **asked))
        assert [(row.starting_on.day, row.group_value, row.value) for row in whole] == [
            (1, None, 0),
            (1, "eu", 3),
            (1, "us", 0),
            (2, None, 0),
            (2, "eu", 0),
            (2, "us", 0),
            (3, None, 1),
            (3, "eu", 0),
            (3, "us", 1),
        ]
        for limit in (1, 2, 4, 9):
            assert list(self.ask(client, acme, calls, limit=limit, **asked)) == whole

    def test_without_a_group_key_there_is_one_row_a_window(self, client, sent, acme, calls):
        rows = list(self.ask(client, acme, calls, window_size="DAY", ending_before=at(4)))
        assert [(row.starting_on.day, row.group, row.value) for row in rows] == [
            (1, None, 3),
            (2, None, 0),
            (3, None, 2),
        ]

    def test_without_usage_there_are_no_groups(self, client, acme, calls):
        assert list(self.ask(client, acme, calls, group_key=["region"])) == []

    def test_the_current_period_of_the_customers_contract(self, client, send, acme, calls, settings):
        settings.SANDBOX = True
        TestClock.objects.create(instant=at(20))
        ContractFactory(customer=acme, starting_at=at(10, 5), billing_anchor_at=OCTOBER)
        send(("acme", "call", at(10, 4), {}), ("acme", "call", at(10, 5), {}), ("acme", "call", at(11), {}))
        rows = client.v1.usage.list_with_groups(
            customer_id=str(acme.pk), billable_metric_id=str(calls.pk), window_size="DAY", current_period=True
        )
        shown = [(row.starting_on, row.ending_before, row.value) for row in rows]
        assert shown[:3] == [(at(10, 5), at(11), 1), (at(11), at(12), 1), (at(12), at(13), 0)]
        assert shown[-1] == (at(31), NOVEMBER, 0)

    @pytest.mark.parametrize(
        ("changes", "field", "rule"),
        [
            (
                {"group_key": ["team"]},
                "group_key",
                "must be one of the metric's group keys, which are: region; region + team",
            ),
            ({"group_key": ["region"], "group_by": {"key": "region"}}, "group_key", "must be left out with group_by"),
            (
                {"group_key": ["region"], "group_filters": {"team": ["a"]}},
                "group_filters.team",
                "must be a property in group_key",
            ),
            (
                {"group_key": ["region"], "group_filters": {"region": ["r"] * 201}},
                "group_filters",
                "must not have more than 200 values in all",
            ),
            ({"current_period": True}, "starting_on", "must be left out with current_period"),
            ({"starting_on": at(1, 1)}, "starting_on", "must be a UTC midnight"),
        ],
    )
    def test_what_cannot_be_answered_is_refused_by_field(self, client, acme, calls, changes, field, rule):
        with pytest.raises(metronome.BadRequestError) as refused:
            self.ask(client, acme, calls, **changes)
        assert (field, rule) in [(error["field"], error["rule"]) for error in refused.value.body["errors"]]

    def test_a_customer_without_contract_has_no_current_period(self, client, acme, calls):
        with pytest.raises(metronome.BadRequestError, match="no contract in force"):
            client.v1.usage.list_with_groups(
                customer_id=str(acme.pk), billable_metric_id=str(calls.pk), window_size="DAY", current_period=True
            )

    def test_a_token_bound_to_another_customer_finds_nothing(self, acme, globex, calls):
        with pytest.raises(metronome.NotFoundError):
            self.ask(sdk_client("read", customer_id=globex.pk), acme, calls)


class TestSearch:
    def test_an_event_is_shown_with_what_it_counts_for(self, client, send, acme, calls, amounts):
        send(
            ("acme", "completion", at(2, 3, 4), {"tokens": "12.50", "model": "xl", "extra": {"n": [1, True, None]}}),
            ("acme", "other", at(2), {}),
            ids=["first", "second"],
        )
        [second, first] = client.v1.usage.search(transaction_ids=["second", "missing", "first"])
        assert (first.transaction_id, first.customer_id, first.event_type) == ("first", "acme", "completion")
        assert first.timestamp == at(2, 3, 4)
        assert first.properties == {"tokens": "12.50", "model": "xl", "extra": {"n": [1, True, None]}}
        assert (first.is_duplicate, first.processed_at is None) == (False, False)
        assert (first.matched_customer.id, first.matched_customer.name) == (str(acme.pk), "Acme")
        [metric] = first.matched_billable_metrics
        assert (metric.id, metric.name, metric.aggregation_type) == (str(amounts.pk), "Tokens", "SUM")
        assert metric.group_keys == [["model"]]
        assert second.matched_billable_metrics == []
        assert client.v1.usage.search(transaction_ids=["first"])[0].id == first.id != second.id

    def test_a_metric_made_later_did_not_count_it(self, client, send, acme, calls):
        send(("acme", "call", at(1), {}), ids=["before"])
        later = MetricFactory(id=max(uuid7(), CALLS), name="Also calls", event_type_filter={"in_values": ["call"]})
        send(("acme", "call", at(1), {}), ids=["after"])
        found = client.v1.usage.search(transaction_ids=["before", "after"])
        assert [[metric.id for metric in event.matched_billable_metrics] for event in found] == [
            [str(calls.pk)],
            [str(calls.pk), str(later.pk)],
        ]

    def test_more_events_cost_no_more_queries(self, client, send, acme, globex, calls):
        send(*[(subject, "call", at(1), {}) for subject in ("acme", "globex", "nobody")], ids=["a", "b", "c"])

        def queries(*ids: str) -> int:
            client.v1.usage.search(transaction_ids=ids)  # the token is looked up once
            with CaptureQueriesContext(connection) as captured:
                assert len(client.v1.usage.search(transaction_ids=ids)) == len(ids)
            return len(captured)

        assert queries("a") == queries("a", "b", "c")

    def test_one_id_under_several_subjects(self, client, send, acme, globex, calls):
        send(*[(subject, "call", at(1), {}) for subject in ("acme", "globex", "nobody")], ids=["one"] * 3)
        found = client.v1.usage.search(transaction_ids=["one", "one"])
        assert [(event.customer_id, event.matched_customer and event.matched_customer.name) for event in found] == [
            ("acme", "Acme"),
            ("globex", "Globex"),
            ("nobody", None),
        ]
        assert len({event.id for event in found}) == 3

    def test_the_owner_is_that_of_the_events_hour(self, client, send, acme, globex):
        ClaimFactory(customer=acme, subject="app")
        ClaimFactory(customer=globex, subject="app", sequence=2, starting_at=at(2, 10))
        send(("app", "call", at(2, 9, 59), {}), ("app", "call", at(2, 10), {}), ids=["before", "after"])
        found = client.v1.usage.search(transaction_ids=["before", "after"])
        assert [event.matched_customer.name for event in found] == ["Acme", "Globex"]

    def test_a_token_bound_to_a_customer_finds_its_events_only(self, send, acme, globex):
        ClaimFactory(customer=acme, subject="app")
        ClaimFactory(customer=globex, subject="app", sequence=2, starting_at=at(2, 10))
        send(("app", "call", at(2, 9, 59), {}), ("app", "call", at(2, 10), {}), ids=["before", "after"])
        bound = sdk_client("read", customer_id=globex.pk)
        found = bound.v1.usage.search(transaction_ids=["before", "after"])
        assert [event.transaction_id for event in found] == ["after"]

    def test_the_reply_is_a_bare_array_with_exact_numbers(self, client, acme):
        body = """[{"transaction_id": "one", "customer_id": "acme", "event_type": "call",
                    "timestamp": "2025-10-01T00:00:00Z", "properties": {"tokens": 0.1000000000000000055}}]"""
        client.post("/v1/ingest", content=body.encode(), cast_to=object)
        response = client.v1.usage.with_raw_response.search(transaction_ids=["one"])
        [event] = exact(response)
        assert event["properties"] == {"tokens": Decimal("0.1000000000000000055")}

    def test_a_hundred_ids_at_most(self, client):
        with pytest.raises(metronome.BadRequestError) as refused:
            client.v1.usage.search(transaction_ids=["x"] * 101)
        assert refused.value.body["errors"][0]["field"] == "transactionIds"

    def test_nothing_asked_nothing_found(self, client):
        assert client.v1.usage.search(transaction_ids=[]) == []
