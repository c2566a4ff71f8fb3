"""Usage of all customers and metrics by window, with the official SDK against the site in this process."""

from datetime import timedelta
from decimal import Decimal

import metronome
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.periods import Period
from ledger.queries import tables
from tests.factories.contracts import ClaimFactory, CustomerFactory
from tests.ledger.sdk import sdk_client
from tests.ledger.usage_api.reading import CALLS, NOVEMBER, NOWHERE, OCTOBER, at, exact, usage

pytestmark = pytest.mark.django_db


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


def test_a_cut_goes_on_where_a_page_ended():
    cut = tables.Cut(Period(at(1, 5), at(3, 2)), "DAY")
    windows = [Period(at(1, 5), at(2)), Period(at(2), at(3)), Period(at(3), at(3, 2))]
    assert list(cut.windows()) == windows
    assert list(cut.windows(since=at(2))) == windows[1:]
    assert list(cut.windows(since=at(2, 1))) == windows[2:]
    assert list(cut.windows(since=at(4))) == []
