"""`POST /v1/ingest`: what it answers, and what it refuses to everybody's peace."""

import gzip
import tracemalloc
from datetime import timedelta

import pytest
from django.test import Client
from metronome import BadRequestError, Metronome

from billing_site.api import authentication
from billing_site.foundation import tokens
from billing_site.foundation.actor import Actor
from billing_site.foundation.models import TestClock
from ledger.models import DailyUsage, EventBody, EventKey, IngestCall, UnreadValue
from ledger.queries.checks import usage_differs
from tests.factories.ledger import NOON, body, event
from tests.factories.pricing import MetricFactory

pytestmark = pytest.mark.django_db

MEBIBYTE = 2**20
ID_RULE = "must be text of 1 to 128 bytes"
INSTANT_RULE = "must be an ISO 8601 instant"
FUTURE_RULE = "must not lie more than 24 hours in the future"
DIGIT_RULE = "must have at most 38 digits on either side of the point"
LEVEL_RULE = "must be nested at most 8 levels deep"
NUL_RULE = "must not contain the character U+0000"
SURROGATE_RULE = "must be text without lone surrogates"
FINITE_RULE = "must be a finite number"


@pytest.fixture(autouse=True)
def _forget_tokens():
    authentication._remembered.clear()


@pytest.fixture(autouse=True)
def _at_noon(request, settings):
    """The site's clock says noon."""
    request.getfixturevalue("transactional_db" if "live_server" in request.fixturenames else "db")
    settings.SANDBOX = True
    TestClock.objects.create(instant=NOON)


@pytest.fixture
def metric():
    """Adds up `n`, by model."""
    return MetricFactory(aggregation_type="SUM", aggregation_key="n", group_keys=[["model"]])


def secret_of(scope, **options):
    return tokens.create_token("meter", scope=scope, at=NOON, by=Actor.command("tests"), **options)[1]


@pytest.fixture
def client():
    return Client(headers={"Authorization": f"Bearer {secret_of('ingest')}"}, raise_request_exception=False)


def send(client, data, **headers):
    return client.post("/v1/ingest", data=data, content_type="application/json", headers=headers)


def errors_of(response):
    """(field, rule) of each refused field."""
    assert response.status_code == 400, response.content[:500]
    answer = response.json()
    assert set(answer) == {"message", "request_id", "errors"}
    assert len(response.content) < 50_000
    return [(error["field"], error["rule"]) for error in answer["errors"]]


def nothing_is_stored():
    return not any(model.objects.exists() for model in (EventKey, EventBody, IngestCall, DailyUsage, UnreadValue))


class TestAnswer:
    def test_it_says_what_became_of_each_event(self, client, metric):
        first = send(client, body([event("a", properties={"n": 1}), event("b", properties={"n": 2})]))
        assert (first.status_code, first.json()) == (200, {"accepted": 2, "duplicates": 0, "conflicts": []})
        again = [event("a", properties={"n": 1}), event("b", properties={"n": 3}), event("c", properties={"n": 4})]
        second = send(client, body(again))
        conflict = {"index": 1, "transaction_id": "b", "customer_id": "acme", "differs": ["properties.n"]}
        assert (second.status_code, second.json()) == (200, {"accepted": 1, "duplicates": 1, "conflicts": [conflict]})
        assert DailyUsage.objects.get().sum == 7
        assert usage_differs() == []

    def test_calls_name_the_system_behind_the_token(self):
        token, secret = tokens.create_token(
            "gateway 3", scope="ingest", source="gateways", at=NOON, by=Actor.command("tests")
        )
        send(Client(headers={"Authorization": f"Bearer {secret}"}), body([event()]))
        call = IngestCall.objects.get()
        assert (call.source, call.token_id, call.received_at) == ("gateways", token.pk, NOON)

    @pytest.mark.parametrize("scope", ["ingest", "admin"])
    def test_scopes_that_may(self, scope):
        client = Client(headers={"Authorization": f"Bearer {secret_of(scope)}"})
        assert send(client, body([event()])).status_code == 200

    def test_a_read_token_may_not(self):
        client = Client(headers={"Authorization": f"Bearer {secret_of('read')}"})
        assert send(client, body([event()])).status_code == 403
        assert nothing_is_stored()

    def test_nobody_may_not(self):
        assert send(Client(), body([event()])).status_code == 401
        assert nothing_is_stored()

    @pytest.mark.parametrize("content_type", ["application/json", "application/octet-stream", "text/plain"])
    def test_the_body_is_json_whatever_it_is_called(self, client, content_type):
        response = client.post("/v1/ingest", data=body([event()]), content_type=content_type)
        assert response.json()["accepted"] == 1

    def test_ten_thousand_events_are_one_call(self, client, metric):
        sent = [event(f"{number}", properties={"n": number, "model": f"{number % 7}"}) for number in range(10_000)]
        assert send(client, body(sent)).json() == {"accepted": 10_000, "duplicates": 0, "conflicts": []}
        assert usage_differs() == []


class TestPacked:
    @pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP"])
    def test_gzip_is_accepted(self, client, encoding):
        packed = gzip.compress(body([event(f"{number}") for number in range(100)]))
        assert send(client, packed, **{"Content-Encoding": encoding}).json()["accepted"] == 100

    def test_gzip_in_several_members_is_accepted(self, client):
        text = body([event("a"), event("b")])
        packed = gzip.compress(text[:50]) + gzip.compress(b"") + gzip.compress(text[50:])
        assert send(client, packed, **{"Content-Encoding": "gzip"}).json()["accepted"] == 2

    @pytest.mark.parametrize(
        ("packed", "rule"),
        [
            (b"[]", "must be gzip"),
            (gzip.compress(b"[" * 1000, mtime=0)[:-9], "must be complete gzip"),
            (gzip.compress(b"[]", mtime=0) + b"rest", "must be gzip"),
            (gzip.compress(b"[]", mtime=0)[:-8] + bytes(8), "must be gzip"),
            (b"", "must be a JSON array of events"),
        ],
    )
    def test_what_is_not_gzip_is_refused(self, client, packed, rule):
        assert errors_of(send(client, packed, **{"Content-Encoding": "gzip"})) == [("body", rule)]

    def test_other_encodings_are_refused(self, client):
        refused = errors_of(send(client, body([event()]), **{"Content-Encoding": "br"}))
        assert refused == [("Content-Encoding", "must be gzip or identity")]

    @pytest.mark.parametrize("members", [1, 300])
    def test_a_bomb_takes_no_more_memory_than_a_large_body(self, client, members):
        bomb = gzip.compress(bytes(300 * MEBIBYTE // members)) * members
        tracemalloc.start()
        try:
            response = send(client, bomb, **{"Content-Encoding": "gzip"})
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert errors_of(response) == [("body", "must have at most 16777216 bytes")]
        assert peak < 64 * MEBIBYTE
        assert nothing_is_stored()

    def test_a_body_that_is_too_large_is_refused(self, client):
        large = body([event()]) + b" " * (16 * MEBIBYTE)
        assert errors_of(send(client, large)) == [("body", "must have at most 16777216 bytes")]
        fitting = large[: 16 * MEBIBYTE]
        assert send(client, fitting).status_code == 200


def with_properties(json_text):
    """An event whose properties are this text, unread."""
    return body([event(properties="@")]).replace(b'"@"', json_text)


def without(name):
    return body([{key: value for key, value in event().items() if key != name}])


def at(text):
    return body([event(timestamp=text)])


POISON = {
    # numbers
    "NaN": (with_properties(b'{"n": NaN}'), "[0].properties.n", FINITE_RULE),
    "Infinity": (with_properties(b'{"n": Infinity}'), "[0].properties.n", FINITE_RULE),
    "-Infinity": (with_properties(b'{"x": [-Infinity]}'), "[0].properties.x[0]", FINITE_RULE),
    "NaN in text": (with_properties(b'{"n": "NaN"}'), "[0].properties.n", FINITE_RULE + ", as usage adds it up"),
    "1e400": (with_properties(b'{"n": 1e400}'), "[0].properties.n", DIGIT_RULE),
    "1e-400": (with_properties(b'{"n": 1e-400}'), "[0].properties.n", DIGIT_RULE),
    "1e99999999999999999999": (with_properties(b'{"n": 1e99999999999999999999}'), "[0].properties.n", DIGIT_RULE),
    "39 digits": (with_properties(b'{"n": %s}' % (b"9" * 39)), "[0].properties.n", DIGIT_RULE),
    "39 digits, deep": (with_properties(b'{"x": {"y": [%s]}}' % (b"9" * 39)), "[0].properties.x.y[0]", DIGIT_RULE),
    "39 digits behind the point": (with_properties(b'{"n": 0.%s1}' % (b"0" * 38)), "[0].properties.n", DIGIT_RULE),
    "10,000 digits": (with_properties(b'{"n": %s}' % (b"9" * 10_000)), "[0].properties.n", DIGIT_RULE),
    "a number as a timestamp": (at(1759320000), "[0].timestamp", INSTANT_RULE),
    # text
    "NUL in a value": (with_properties(b'{"x": "a\\u0000"}'), "[0].properties.x", NUL_RULE),
    "NUL in a deep value": (with_properties(b'{"x": [{"y": "\\u0000"}]}'), "[0].properties.x[0].y", NUL_RULE),
    "NUL in a key": (with_properties(b'{"a\\u0000": 1}'), "[0].properties.(name)", NUL_RULE),
    "NUL in customer_id": (body([event(customer_id="a\0")]), "[0].customer_id", NUL_RULE),
    "NUL in transaction_id": (body([event("a\0")]), "[0].transaction_id", NUL_RULE),
    "NUL in event_type": (body([event(event_type="a\0")]), "[0].event_type", NUL_RULE),
    "a lone surrogate in a value": (with_properties(b'{"x": "\\ud800"}'), "[0].properties.x", SURROGATE_RULE),
    "a lone surrogate in a key": (with_properties(b'{"\\udc00": 1}'), "[0].properties.(name)", SURROGATE_RULE),
    "a lone surrogate in an id": (body([event("\ud800")]), "[0].transaction_id", SURROGATE_RULE),
    "bad UTF-8": (with_properties(b'{"x": "\xff"}'), "body", "must be UTF-8, and byte "),
    "bad UTF-8 in an id": (body([event("@")]).replace(b"@", b"\xc3\x28"), "body", "must be UTF-8, and byte "),
    "an encoded surrogate": (with_properties(b'{"x": "\xed\xa0\x80"}'), "body", "must be UTF-8, and byte "),
    "UTF-16": (body([event()]).decode().encode("utf-16"), "body", "must be UTF-8, and byte 0 is not"),
    "a byte order mark": (b"\xef\xbb\xbf" + body([event()]), "body", "must not begin with a byte order mark"),
    "a control character": (with_properties(b'{"x": "\n"}'), "body", "must be JSON: "),
    # shape
    "nothing": (b"", "body", "must be a JSON array of events"),
    "space": (b" \n", "body", "must be a JSON array of events"),
    "no JSON": (b"[{]", "body", "must be JSON: "),
    "half of it": (body([event()])[:-5], "body", "must be JSON: "),
    "two documents": (body([event()]) * 2, "body", "must be JSON: "),
    "an object": (body([event()])[1:-1], "body", "must be an array of events"),
    "null": (b"null", "body", "must be an array of events"),
    "a number": (b"1", "body", "must be an array of events"),
    "text": (b'"[]"', "body", "must be an array of events"),
    "an array of arrays": (b"[[]]", "[0]", "must be an object"),
    "an array of null": (b"[null]", "[0]", "must be an object"),
    "0 events": (b"[]", "body", "must hold 1 to 10000 events"),
    "10,001 events": (body([event()] * 10_001), "body", "must hold 1 to 10000 events"),
    "100,000 levels": (b"[" * 100_000, "body", LEVEL_RULE),
    "100,000 levels of properties": (
        with_properties(b'{"x": %s%s}' % (b"[" * 100_000, b"]" * 100_000)),
        "body",
        LEVEL_RULE,
    ),
    "9 levels": (with_properties(b'{"x": %s%s}' % (b"[" * 8, b"]" * 8)), "[0].properties.x" + "[0]" * 7, LEVEL_RULE),
    "65 properties": (
        body([event(properties={str(number): number for number in range(65)})]),
        "[0].properties",
        "must have at most 64 properties",
    ),
    "100,000 properties": (
        body([event(properties={str(number): 1 for number in range(100_000)})]),
        "[0].properties",
        "must have at most ",
    ),
    "a megabyte of text": (
        body([event(properties={"x": "x" * MEBIBYTE})]),
        "[0].properties",
        "must have at most 16384 bytes",
    ),
    "properties in an array": (with_properties(b"[]"), "[0].properties", "must be an object"),
    "properties in text": (with_properties(b'"{}"'), "[0].properties", "must be an object"),
    # fields
    "no customer_id": (without("customer_id"), "[0].customer_id", "is required"),
    "no transaction_id": (without("transaction_id"), "[0].transaction_id", "is required"),
    "no event_type": (without("event_type"), "[0].event_type", "is required"),
    "no timestamp": (without("timestamp"), "[0].timestamp", "is required"),
    "an empty customer_id": (body([event(customer_id="")]), "[0].customer_id", ID_RULE),
    "an empty transaction_id": (body([event(transaction_id="")]), "[0].transaction_id", ID_RULE),
    "an empty event_type": (body([event(event_type="")]), "[0].event_type", "must be text of 1 to 256 bytes"),
    "129 bytes of customer_id": (body([event(customer_id="x" * 129)]), "[0].customer_id", ID_RULE),
    "129 bytes of transaction_id": (body([event("x" * 129)]), "[0].transaction_id", ID_RULE),
    "129 bytes in 128 characters": (body([event("é" + "x" * 127)]), "[0].transaction_id", ID_RULE),
    "257 bytes of event_type": (
        body([event(event_type="x" * 257)]),
        "[0].event_type",
        "must be text of 1 to 256 bytes",
    ),
    "null for an id": (body([event(transaction_id=None)]), "[0].transaction_id", ID_RULE),
    "a number for an id": (body([event(customer_id=7)]), "[0].customer_id", ID_RULE),
    "NaN for an id": (body([event(customer_id=float("nan"))]), "[0].customer_id", ID_RULE),
    # time
    "an empty timestamp": (at(""), "[0].timestamp", INSTANT_RULE),
    "a timestamp of nonsense": (at("yesterday"), "[0].timestamp", INSTANT_RULE),
    "a timestamp of NUL": (at("\0"), "[0].timestamp", INSTANT_RULE),
    "the 30th of February": (at("2025-02-30T00:00:00Z"), "[0].timestamp", INSTANT_RULE),
    "a leap second": (at("2016-12-31T23:59:60Z"), "[0].timestamp", INSTANT_RULE),
    "infinity": (at("infinity"), "[0].timestamp", INSTANT_RULE),
    "the year 0": (at("0000-01-01T00:00:00Z"), "[0].timestamp", INSTANT_RULE),
    "the year 294276": (at("294276-01-01T00:00:00Z"), "[0].timestamp", INSTANT_RULE),
    "before the year 1": (at("0001-01-01T00:00:00+14:00"), "[0].timestamp", INSTANT_RULE),
    "beyond the year 9999": (at("9999-12-31T23:59:59-14:00"), "[0].timestamp", INSTANT_RULE),
    "the year 9999": (at("9999-12-31T23:59:59Z"), "[0].timestamp", FUTURE_RULE),
    "24 hours and a second ahead": (at("2025-10-02T12:00:01Z"), "[0].timestamp", FUTURE_RULE),
    "ahead by its offset": (at("2025-10-02T12:00:00-00:01"), "[0].timestamp", FUTURE_RULE),
    # measures
    "10 kB to group by": (
        body([event(properties={"n": 1, "model": "x" * 10_000})]),
        "[0].properties.model",
        "must have at most 256 bytes, as usage is grouped by it",
    ),
}


class TestPoison:
    @pytest.mark.parametrize("name", POISON)
    def test_it_is_refused_by_field_and_rule(self, client, metric, name):
        poison, field, rule = POISON[name]
        response = send(client, poison)
        ((named, broken),) = errors_of(response)
        assert named == field
        assert broken.startswith(rule)
        assert f"{named}: {broken} (got " in response.json()["message"]
        assert nothing_is_stored()

    def test_one_bad_event_refuses_all_and_each_is_named(self, client, metric):
        sent = [event() for _ in range(50)]
        sent[7]["customer_id"] = ""
        sent[7]["timestamp"] = None
        sent[23]["properties"] = {"x": "\ud83d", "y": "\ud83d"}
        sent[42]["timestamp"] = (NOON + timedelta(hours=25)).isoformat()
        response = send(client, body(sent))
        assert errors_of(response) == [
            ("[7].customer_id", ID_RULE),
            ("[7].timestamp", INSTANT_RULE),
            ("[23].properties.x", SURROGATE_RULE),
            ("[23].properties.y", SURROGATE_RULE),
            ("[42].timestamp", FUTURE_RULE),
        ]
        assert "Nothing was stored. 3 of 50 events broke a rule." in response.json()["message"]
        assert nothing_is_stored()

    def test_of_many_bad_events_a_hundred_are_named(self, client):
        assert len(errors_of(send(client, body([event(customer_id="")] * 5_000)))) == 100

    @pytest.mark.parametrize(
        "odd",
        [
            {"customer_id": "x" * 128, "transaction_id": "é" * 64, "event_type": "x" * 256},
            {"timestamp": "2025-10-02T12:00:00Z"},
            {"timestamp": "0001-01-01T00:00:00Z"},
            {"timestamp": "2025-10-01"},
            {"timestamp": "2025-10-01T12:00:00.123456789Z"},
            {"timestamp": "2025-10-02T02:00:00+14:00"},
            {"properties": None},
            {"properties": {"x": "\u202eevil\u2066", "\ufeff": "\uffff", "": "\u0001", "\\u0000": "\\u0000"}},
            {"properties": {"n": 10**38 - 1, "x": 1e-38, "y": -0.0}},
            {"properties": {"x": [[[[[[[]]]]]]]}},
            {"properties": {"x": "'; DROP TABLE ledger_eventkey; --", "y": "{}", "z": "\\x00", "w": "{NULL}"}},
            {"customer_id": "{a,b}", "transaction_id": "NULL", "event_type": "\\N\t\n"},
        ],
    )
    def test_what_is_only_odd_is_stored_as_it_is(self, client, odd):
        sent = event(**odd)
        assert send(client, body([sent])).json()["accepted"] == 1
        stored = EventBody.objects.get()
        assert stored.properties == (sent["properties"] or {})
        assert (stored.subject, stored.transaction_id, stored.event_type) == (
            sent["customer_id"],
            sent["transaction_id"],
            sent["event_type"],
        )
        assert send(client, body([sent])).json() == {"accepted": 0, "duplicates": 1, "conflicts": []}
        assert usage_differs() == []

    def test_of_a_key_that_comes_twice_the_last_one_counts(self, client, metric):
        send(client, with_properties(b'{"n": 1, "n": "2"}'))
        assert EventBody.objects.get().properties == {"n": "2"}
        assert DailyUsage.objects.get().sum == 2


class TestSDK:
    """The official client, unmodified, against a running server."""

    @pytest.fixture
    def sdk(self, live_server):
        with Metronome(bearer_token=secret_of("ingest"), base_url=live_server.url, max_retries=0) as client:
            yield client

    def test_events_come_in_once(self, sdk, metric):
        usage = [event("a", properties={"n": "1.5"}), event("b", properties={"n": 2})]
        assert sdk.v1.usage.ingest(usage=usage) is None
        sdk.v1.usage.ingest(usage=usage)
        assert DailyUsage.objects.get().sum == 3.5
        assert list(IngestCall.objects.order_by("id").values_list("accepted", "duplicates")) == [(2, 0), (0, 2)]
        assert usage_differs() == []

    def test_a_refusal_names_the_field(self, sdk, metric):
        with pytest.raises(BadRequestError) as refusal:
            sdk.v1.usage.ingest(usage=[event("a"), event("")])
        (error,) = refusal.value.body["errors"]
        assert error == {"field": "[1].transaction_id", "value": "''", "rule": ID_RULE}
        assert nothing_is_stored()
