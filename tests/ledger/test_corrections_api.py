"""Correcting events over HTTP."""

import pytest

from billing_site.foundation import tokens
from billing_site.foundation.actor import Actor
from ledger.queries.checks import usage_differs
from tests.factories.ledger import NOON, event, post
from tests.factories.pricing import MetricFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(client):
    MetricFactory()

    def send(path, body, scope="admin", status=200):
        _, secret = tokens.create_token(f"tests {scope}", scope=scope, at=NOON, by=Actor.command("Ada"))
        headers = {"Authorization": f"Bearer {secret}"}
        response = client.post(f"/v1/{path}", body, content_type="application/json", headers=headers)
        assert response.status_code == status, response.content
        return response.json()

    return send


def test_voiding_and_amending(call):
    post(event("a"), event("b"))
    made = call("usage/events/amend", {"transaction_id": "a", "properties": {"n": "1.50"}, "reason": "Wrong"})["data"]
    assert (made["kind"], made["number"], made["customer_id"], made["properties"]) == (
        "AMEND",
        1,
        "acme",
        {"n": "1.50"},
    )
    assert made["created_by"] == "tests admin"
    assert (
        call("usage/events/void", {"transaction_id": "a", "customer_id": "acme", "reason": "Twice"})["data"]["number"]
        == 2
    )
    assert call("usage/events/void", {"transaction_id": "a", "reason": "Twice"})["data"]["is_repeat"] is True
    found = call("events/search", {"transactionIds": ["a", "b"]}, scope="read")
    assert [(one.get("is_void"), len(one["matched_billable_metrics"])) for one in found] == [(True, 0), (None, 1)]
    assert usage_differs() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"transaction_id": "a"}, 400),
        ({"transaction_id": "a", "reason": " "}, 400),
        ({"transaction_id": "nowhere", "reason": "Wrong"}, 404),
        ({"transaction_id": "twice", "reason": "Wrong"}, 409),
    ],
)
def test_refusals(call, body, status):
    post(event("a"), event("twice"), event("twice", customer_id="globex"))
    call("usage/events/void", body, status=status)


def test_it_takes_an_admin_token(call):
    post(event("a"))
    for scope in ("read", "ingest"):
        call("usage/events/void", {"transaction_id": "a", "reason": "Wrong"}, scope=scope, status=403)
