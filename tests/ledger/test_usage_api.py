"""The calls that read usage, with the official SDK against the site in this process."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import metronome
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.ids import uuid7
from billing_site.foundation.models import TestClock
from billing_site.foundation.periods import Period
from ledger.queries import tables
from tests.factories.contracts import ClaimFactory, ContractFactory, CustomerFactory
from tests.factories.pricing import MetricFactory
from tests.ledger.sdk import sdk_client

pytestmark = pytest.mark.django_db

OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
NOVEMBER = datetime(2025, 11, 1, tzinfo=UTC)
ACME, GLOBEX = sorted([uuid7(), uuid7()])
CALLS, TOKENS = sorted([uuid7(), uuid7()])
NOWHERE = "00000000-0000-0000-0000-000000000000"


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return OCTOBER + timedelta(days=day - 1, hours=hour, minutes=minute)


@pytest.fixture
def client():
    return sdk_client()


@pytest.fixture
def acme():
    return CustomerFactory(id=ACME, name="Acme", aliases=["acme"])


@pytest.fixture
def globex():
    return CustomerFactory(id=GLOBEX, name="Globex", aliases=["globex"])


@pytest.fixture
def calls():
    """Counts calls, by region, and by region and team."""
    return MetricFactory(
        id=CALLS,
        name="API calls",
        event_type_filter={"in_values": ["call"]},
        group_keys=[["region"], ["region", "team"]],
    )


@pytest.fixture
def amounts():
    """Adds up tokens, by model."""
    return MetricFactory(
        id=TOKENS,
        name="Tokens",
        aggregation_type="SUM",
        aggregation_key="tokens",
        event_type_filter={"in_values": ["completion"]},
        property_filters=[{"name": "tokens", "exists": True}],
        group_keys=[["model"]],
    )


@pytest.fixture
def send(client):
    """Post events: (customer_id, event_type, timestamp, properties), each under an id of its own or a given one."""

    def post(*events: tuple[str, str, datetime, dict], ids: list[str] | None = None) -> None:
        client.v1.usage.ingest(
            usage=[
                {
                    "transaction_id": ids[index] if ids else str(uuid4()),
                    "customer_id": customer_id,
                    "event_type": event_type,
                    "timestamp": timestamp.isoformat(),
                    "properties": properties,
                }
                for index, (customer_id, event_type, timestamp, properties) in enumerate(events)
            ]
        )

    return post


def usage(client, **changes):
    bounds = {"starting_on": OCTOBER, "ending_before": NOVEMBER, "window_size": "NONE"}
    return list(client.v1.usage.list(**bounds | changes))


def exact(response) -> dict:
    return json.loads(response.http_response.content, parse_float=Decimal)


class TestList:
    def test_one_row_for_each_customer_metric_and_window(self, client, send, acme, globex, calls, amounts):
        send(
            ("acme", "call", at(1, 5), {"region": "eu"}),
            (str(acme.pk), "call", at(1, 23, 59), {"region": "us"}),
            ("acme", "call", at(3), {}),
            ("acme", "completion", at(2, 12), {"tokens": "1.5", "model": "xl"}),
            ("globex", "completion", at(31, 23, 59), {"tokens": 2, "model": "xl"}),
            ("globex", "completion", NOVEMBER, {"tokens": 1000, "model": "xl"}),
            ("nobody", "call", at(1), {}),
        )
        rows = usage(client, window_size="DAY")
        assert [(row.customer_id, row.billable_metric_id, row.start_timestamp) for row in rows] == [
            (str(customer.pk), str(metric.pk), at(day))
            for customer in (acme, globex)
            for metric in (calls, amounts)
            for day in range(1, 32)
        ]
        assert all(row.end_timestamp == row.start_timestamp + timedelta(days=1) for row in rows)
        assert {
            (row.customer_id, row.billable_metric_name, row.start_timestamp.day): row.value for row in rows if row.value
        } == {
            (str(acme.pk), "API calls", 1): 2,
            (str(acme.pk), "API calls", 3): 1,
            (str(acme.pk), "Tokens", 2): 1.5,
            (str(globex.pk), "Tokens", 31): 2,
        }
        assert {row.value for row in rows if row.start_timestamp == at(10)} == {0}

    def test_by_hour_and_over_the_whole_range(self, client, send, acme, calls):
        send(*[("acme", "call", at(2, hour, 30), {}) for hour in (0, 7, 7, 23)])
        asked = {"customer_ids": [str(acme.pk)], "billable_metrics": [{"id": str(calls.pk)}]}
        rows = usage(client, window_size="HOUR", starting_on=at(2), ending_before=at(3), **asked)
        assert [row.value for row in rows] == [1, *[0] * 6, 2, *[0] * 15, 1]
        assert (rows[7].start_timestamp, rows[7].end_timestamp) == (at(2, 7), at(2, 8))
        [row] = usage(client, **asked)
        assert (row.start_timestamp, row.end_timestamp, row.value) == (OCTOBER, NOVEMBER, 4)
        assert row.groups is None

    def test_values_are_exact(self, client, send, acme, amounts):
        send(
            ("acme", "completion", at(1), {"tokens": "12345678901234567890.123456789012"}),
            ("acme", "completion", at(2), {"tokens": "-0.000000000012"}),
        )
        response = client.v1.usage.with_raw_response.list(
            starting_on=OCTOBER, ending_before=NOVEMBER, window_size="NONE", billable_metrics=[{"id": str(amounts.pk)}]
        )
        [row] = exact(response)["data"]
        assert row["value"] == Decimal("12345678901234567890.123456789")

    def test_groups_by_value(self, client, send, acme, calls):
        send(
            ("acme", "call", at(1), {"region": "eu", "team": "a"}),
            ("acme", "call", at(1), {"region": "eu", "team": "b"}),
            ("acme", "call", at(2), {"region": "us"}),
            ("acme", "call", at(3), {}),
        )
        [row] = usage(client, billable_metrics=[{"id": str(calls.pk), "group_by": {"key": "region"}}])
        assert (row.value, row.groups) == (4, {"eu": 2, "us": 1})
        [row] = usage(
            client, billable_metrics=[{"id": str(calls.pk), "group_by": {"key": "region", "values": ["us", "ap"]}}]
        )
        assert (row.value, row.groups) == (4, {"us": 1, "ap": None})

    def test_a_row_shows_two_hundred_groups(self, client, send, acme, calls):
        send(*[("acme", "call", at(1), {"region": f"r{number:03}"}) for number in range(203)])
        [row] = usage(client, billable_metrics=[{"id": str(calls.pk), "group_by": {"key": "region"}}])
        assert row.value == 203
        assert list(row.groups) == [f"r{number:03}" for number in range(200)]

    def test_usage_follows_its_subject_to_the_owner_of_the_hour(self, client, send, acme, globex, calls):
        send(*[("app", "call", at(2, hour), {}) for hour in (9, 10, 11)])
        ClaimFactory(customer=acme, subject="app", sequence=1)
        assert [row.value for row in usage(client)] == [3, 0]
        ClaimFactory(customer=globex, subject="app", sequence=2, starting_at=at(2, 10))
        assert [row.value for row in usage(client)] == [1, 2]

    def test_pages_add_up_to_the_whole(self, client, send, acme, globex, calls, amounts):
        send(*[("acme", "call", at(day), {}) for day in range(1, 32, 3)], ("globex", "call", at(31), {}))
        whole = usage(client, window_size="DAY")
        assert len(whole) == 4 * 31
        for limit in (1, 7, 31, 100):
            assert usage(client, window_size="DAY", extra_query={"limit": limit}) == whole
        response = client.v1.usage.with_raw_response.list(
            starting_on=OCTOBER, ending_before=NOVEMBER, window_size="NONE", extra_query={"limit": 4}
        )
        assert exact(response)["next_page"] is None

    def test_more_customers_and_windows_cost_no_more_queries(self, client, acme, calls):
        def queries(**changes) -> int:
            usage(client, **changes)  # the token is looked up once
            with CaptureQueriesContext(connection) as captured:
                assert usage(client, **changes)
            return len(captured)

        one = queries()
        for number in range(3):
            CustomerFactory(name=f"Customer {number}", aliases=[f"customer-{number}"])
        assert queries() == one
        assert queries(window_size="HOUR", ending_before=at(2)) == one

    def test_an_archived_metric_keeps_metering(self, client, send, acme, calls):
        calls.archived_at = OCTOBER
        calls.save()
        send(("acme", "call", at(5), {}))
        assert [row.value for row in usage(client)] == [1]

    def test_no_customers_named_is_not_all_of_them(self, client, acme, calls):
        assert usage(client, customer_ids=[]) == []

    @pytest.mark.parametrize(
        ("changes", "field", "rule"),
        [
            ({"starting_on": at(1, 1)}, "starting_on", "must be a UTC midnight"),
            ({"ending_before": NOVEMBER - timedelta(seconds=1)}, "ending_before", "must be a UTC midnight"),
            ({"ending_before": OCTOBER}, "ending_before", "must be at least one day after starting_on"),
            ({"window_size": "WEEK"}, "window_size", "must be one of HOUR, DAY, NONE"),
            ({"customer_ids": ["acme"]}, "customer_ids[0]", "Must be a valid UUID"),
            (
                {"billable_metrics": [{"id": str(CALLS), "group_by": {"key": "team"}}]},
                "billable_metrics[0].group_by.key",
                "must be one of the metric's group keys, which are: region; region + team",
            ),
            (
                {"billable_metrics": [{"id": str(CALLS)}, {"id": str(CALLS)}]},
                "billable_metrics[1].id",
                "must be there only once",
            ),
            ({"extra_query": {"limit": 101}}, "limit", "Ensure this value is less than or equal to 100"),
            ({"next_page": "elsewhere"}, "next_page", "must be a cursor from an earlier page of the same list"),
            ({"next_page": "WzEsMiwzXQ"}, "next_page", "must be a cursor from an earlier page of the same list"),
        ],
    )
    def test_what_cannot_be_answered_is_refused_by_field(self, client, acme, calls, changes, field, rule):
        with pytest.raises(metronome.BadRequestError) as refused:
            usage(client, **changes)
        assert [(error["field"], error["rule"]) for error in refused.value.body["errors"]] == [(field, rule)]

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"customer_ids": [NOWHERE]}, "customer_ids[0]"),
            ({"billable_metrics": [{"id": NOWHERE}]}, "billable_metrics[0].id"),
        ],
    )
    def test_what_does_not_exist_is_not_found(self, client, acme, calls, changes, field):
        with pytest.raises(metronome.NotFoundError) as missing:
            usage(client, **changes)
        assert missing.value.body["errors"][0]["field"] == field

    def test_bounds_are_needed(self, client):
        with pytest.raises(metronome.BadRequestError) as refused:
            client.post("/v1/usage", body={"window_size": "DAY"}, cast_to=object)
        assert [error["field"] for error in refused.value.body["errors"]] == ["starting_on", "ending_before"]

    def test_a_token_bound_to_a_customer_sees_that_customer(self, send, acme, globex, calls):
        send(("acme", "call", at(1), {}), ("globex", "call", at(1), {}), ("globex", "call", at(2), {}))
        bound = sdk_client("read", customer_id=globex.pk)
        assert [(row.customer_id, row.value) for row in usage(bound)] == [(str(globex.pk), 2)]
        with pytest.raises(metronome.NotFoundError):
            usage(bound, customer_ids=[str(acme.pk)])

    def test_a_token_that_only_sends_cannot_read(self, acme, calls):
        with pytest.raises(metronome.PermissionDeniedError):
            usage(sdk_client("ingest"))


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


def test_a_cut_goes_on_where_a_page_ended():
    cut = tables.Cut(Period(at(1, 5), at(3, 2)), "DAY")
    windows = [Period(at(1, 5), at(2)), Period(at(2), at(3)), Period(at(3), at(3, 2))]
    assert list(cut.windows()) == windows
    assert list(cut.windows(since=at(2))) == windows[1:]
    assert list(cut.windows(since=at(2, 1))) == windows[2:]
    assert list(cut.windows(since=at(4))) == []
