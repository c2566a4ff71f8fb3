"""Every endpoint that takes a body, with hostile values in each of its fields: refused, or taken, and never a 500."""

import json
import re

import pytest
from django.test import Client

from billing_site.api import authentication
from billing_site.foundation import tokens
from billing_site.foundation.actor import Actor
from billing_site.foundation.periods import parse_instant
from tests.factories.contracts import CustomerFactory
from tests.factories.ledger import event, post
from tests.factories.pricing import MetricFactory

pytestmark = pytest.mark.django_db

SOMEBODY = "00000000-0000-4000-8000-000000000000"

# As they are on the wire.
_WORDS = r"""
null true -1 0 1e400 1e9999999999999999999999 -0.0 1E-50 [] {} [[]] [null] [{}] {"":""} "" "NaN" "1e400" "../.." "{}"
"\ud83d" "null" "2025-10-01" "2025-10-01T00:00:00Z" "0000-01-01T00:00:00Z" "9999-12-31T23:00:00Z"
"10000-01-01T00:00:00Z" "0001-01-01T00:00:00+14:00"
"""
VALUES = (
    *_WORDS.split(),
    f'"{SOMEBODY}"',
    f'["{SOMEBODY}"]',
    f'{{"in": ["{SOMEBODY}"], "out": null}}',
    "9" * 400,
    '"' + "x" * 300 + '"',
)
BODIES = (
    *VALUES,
    *("", "{", "\x00", '{"a":1,"a":2}', json.dumps({"x" * 10_000: 1})),
    "9" * 5_000,
    "0." + "0" * 400 + "1",
    '"' + "x" * 100_000 + '"',
    "[" * 500 + "]" * 500,
    '{"a":' * 500 + "1" + "}" * 500,
    "[" + "{}," * 2_000 + "{}]",
)


@pytest.fixture
def client():
    authentication._remembered.clear()
    told = {"at": parse_instant("2025-10-31T23"), "by": Actor.command("tests")}
    _, secret = tokens.create_token("tests", scope="admin", **told)
    return Client(headers={"Authorization": f"Bearer {secret}"}, raise_request_exception=False)


def operations():
    """(method, path, names of the fields of the body, names of the fields of the query) of every operation."""
    document = Client().get("/openapi.json").json()

    def fields(schema):
        while "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        if "items" in schema:
            return fields(schema["items"])
        parts = [part for kind in ("allOf", "oneOf", "anyOf") for part in schema.get(kind, ())]
        return sorted({*schema.get("properties", {}), *(name for part in parts for name in fields(part))})

    for path, methods in sorted(document["paths"].items()):
        for method, operation in sorted(methods.items()):
            contents = operation.get("requestBody", {}).get("content", {})
            body = next((content["schema"] for content in contents.values()), {})
            query = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
            yield method.upper(), re.sub(r"\{[^}]+\}", SOMEBODY, path), fields(body), sorted(query)


def failures(client, requests):
    """What was answered with 500 or more, and is not said to be unsupported."""
    found = []
    for method, path, body in requests:
        answer = client.generic(method, path, body, content_type="application/json")
        if answer.status_code >= 500 and answer.status_code != 501:
            found.append((method, path, body[:200], answer.status_code))
    return found


def test_no_hostile_value_of_a_field_is_our_fault(client):
    requests = [
        (method, path, f'{{"{field}": {value}}}')
        for method, path, fields, _ in operations()
        for field in fields
        for value in VALUES
    ]
    assert len(requests) > 1_000
    assert failures(client, requests) == []


def leaves(value, path=()):
    """The path of everything inside a JSON value, containers too."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*path, key)
        yield from leaves(item, (*path, key))


def with_hostile(value, path, hostile):
    """The value as JSON with `hostile` in the place of what is at the path."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = "@hostile@"
    return json.dumps(copy).replace('"@hostile@"', hostile)


def good_bodies():
    """Of the endpoints of usage, each with all that it can be asked."""
    metric = MetricFactory(aggregation_type="SUM", aggregation_key="n", group_keys=[["region"], ["model", "region"]])
    customer = CustomerFactory(aliases=["acme"])
    post(event("a", properties={"n": 1, "region": "eu", "model": "xl"}))
    bounds = {"starting_on": "2025-10-01T00:00:00Z", "ending_before": "2025-10-03T00:00:00Z", "window_size": "DAY"}
    one = {"customer_id": str(customer.pk), "billable_metric_id": str(metric.pk)}
    split = {"id": str(metric.pk), "group_by": {"key": "region", "values": ["eu"]}}
    corrected = {"transaction_id": "a", "customer_id": "acme", "reason": "Sent by mistake"}
    content = {"event_type": "x", "timestamp": "2025-10-01T12:00:00Z", "properties": {"n": 2, "deep": [{"x": 1}]}}
    return {
        "/v1/usage": bounds | {"customer_ids": [str(customer.pk)], "billable_metrics": [split]},
        "/v1/usage/groups": bounds | one | {"group_key": ["region"], "group_filters": {"region": ["eu"]}},
        "/v1/events/search": {"transactionIds": ["a", "b"]},
        "/v1/usage/events/amend": corrected | content,
        "/v1/usage/events/void": corrected,
    }


def test_no_hostile_value_in_a_good_body_is_our_fault(client):
    requests = []
    for path, body in good_bodies().items():
        if not path.endswith("void"):  # what is voided stays so, and would hide what is wrong
            assert client.post(path, body, content_type="application/json").status_code == 200, path
        requests += [("POST", path, with_hostile(body, place, value)) for place in leaves(body) for value in VALUES]
    assert failures(client, requests) == []


def test_no_hostile_body_as_a_whole_is_our_fault(client):
    methods = [(method, path) for method, path, *_ in operations() if method != "GET"]
    assert failures(client, [(*one, body) for one in methods for body in BODIES]) == []


def test_no_hostile_query_is_our_fault(client):
    values = ("", "%00", "%FF", "-1", "0", "9" * 400, "1e400", "NaN", "[]", "x" * 5_000, "0000-01-01T00:00:00Z", "null")
    requests = [
        (method, f"{path}?{name}={value}&{name}={value}", "{}")
        for method, path, _, names in operations()
        for name in names
        for value in values
    ]
    assert len(requests) > 100
    assert failures(client, requests) == []


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "BREW", "HEAD", "PATCH"])
def test_a_method_that_an_address_does_not_have_is_refused(client, method):
    for _, path, *_ in operations():
        answer = client.generic(method, path)
        assert answer.status_code in ({200, 404} if method == "HEAD" else set()) | {400, 405, 501}, (method, path)
