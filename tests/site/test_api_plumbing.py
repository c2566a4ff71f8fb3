"""Authentication, errors and exact JSON, on real endpoints."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client

from billing_site.api import authentication
from billing_site.api.json import ExactJSONRenderer, plain
from billing_site.foundation import cursors, tokens
from billing_site.foundation.actor import Actor

NOW = datetime(2025, 10, 31, 23, tzinfo=UTC)
TESTER = Actor.command("tests")


@pytest.fixture(autouse=True)
def _forget_tokens():
    authentication._remembered.clear()


def client_of(scope: str, **options: object) -> Client:
    _, secret = tokens.create_token("tests", scope=scope, at=NOW, by=TESTER, **options)
    return Client(headers={"Authorization": f"Bearer {secret}"})


@pytest.mark.parametrize(
    ("number", "text"),
    [("12.500000000000", "12.5"), ("1E+3", "1000"), ("-0", "0"), ("0.000002500000", "0.0000025"), ("-0.00", "0")],
)
def test_decimals_are_written_as_plain_numbers(number, text):
    assert plain(Decimal(number)) == text


def test_a_rendered_number_keeps_all_its_digits():
    number = Decimal("12345678901234567890123456.123456789012")
    body = ExactJSONRenderer().render({"total": number, "lines": [number]})
    assert json.loads(body, parse_float=Decimal) == {"total": number, "lines": [number]}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic eDp5"}])
def test_without_a_good_token_the_answer_is_401(db, headers):
    response = Client(headers=headers).get("/v1/customers")
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert set(response.json()) == {"message", "request_id"}


def test_a_revoked_token_is_dead(db):
    token, secret = tokens.create_token("tests", scope="read", at=NOW, by=TESTER)
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    assert client.get("/v1/customers").status_code == 200
    tokens.revoke_token(token, at=NOW, by=TESTER)
    authentication._remembered.clear()  # what a second does
    assert client.get("/v1/customers").status_code == 401


def test_an_ingest_token_reads_nothing_and_a_read_token_writes_nothing(db):
    assert client_of("ingest").get("/v1/customers").status_code == 403
    refused = client_of("read").post("/v1/customers", {"name": "x"}, content_type="application/json")
    assert refused.status_code == 403
    assert "scope is read; admin is needed" in refused.json()["message"]


def test_a_bound_token_cannot_tell_a_foreign_customer_from_a_missing_one(db):
    bound = client_of("read", customer_id=uuid4())
    other = client_of("admin").post("/v1/customers", {"name": "Other"}, content_type="application/json").json()["data"]
    foreign = bound.get(f"/v1/customers/{other['id']}")
    missing = bound.get(f"/v1/customers/{uuid4()}")
    assert (foreign.status_code, foreign.json()["message"]) == (404, missing.json()["message"])


def test_a_secret_is_not_in_the_database(db):
    token, secret = tokens.create_token("tests", scope="read", at=NOW, by=TESTER)
    assert secret.encode() not in bytes(token.digest)
    assert tokens.token_of(secret) == token
    assert tokens.token_of(secret + "x") is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{", "not JSON"),
        ("[1]", "must be a JSON object"),
        ('{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_a_body_that_cannot_be_read_says_why(db, body, words):
    response = client_of("admin").post("/v1/customers", body, content_type="application/json")
    assert response.status_code == 400
    assert words in response.json()["message"]


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ('{"a": [1, {"price": NaN}]}', "a[1].price", "must be a finite number"),
        ('{"price": -Infinity}', "price", "must be a finite number"),
        ('{"price": -1e9999999999999999999}', "price", "must be a finite number"),
        ('{"name": "a\\u0000b"}', "name", "must not contain the character U+0000"),
        ('{"name": "\\ud800"}', "name", "must be text without lone surrogates"),
    ],
)
def test_a_value_that_cannot_be_stored_is_refused_by_field_and_rule(db, body, field, rule):
    response = client_of("admin").post("/v1/customers", body, content_type="application/json")
    [error] = response.json()["errors"]
    assert (response.status_code, error["field"], error["rule"]) == (400, field, rule)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nowhere", 404),
        ("POST", "/v1/nowhere", 404),
        ("POST", "/v1/customers/", 404),
        ("GET", "/v1/plans", 501),
        ("POST", "/v1/credits/createGrant", 501),
    ],
)
def test_unknown_addresses_answer_json_and_known_unserved_ones_501(db, method, path, status):
    answer = Client(enforce_csrf_checks=True).generic(method, path, "{}", content_type="application/json")
    assert answer.status_code == status
    assert path in answer.json()["message"]
    assert answer.headers.get("x-should-retry") == ("false" if status == 501 else None)


@pytest.mark.parametrize("cursor", ["x", cursors.encode("now", "me"), cursors.encode(1), cursors.encode([], {})])
def test_a_forged_cursor_is_refused_by_name(db, cursor):
    response = client_of("read").get("/v1/customers", {"next_page": cursor})
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "next_page"


def test_a_request_id_of_the_caller_is_kept_and_a_strange_one_is_not(db):
    assert Client().get("/livez", headers={"X-Request-ID": "abc-1"})["X-Request-ID"] == "abc-1"
    assert Client().get("/livez", headers={"X-Request-ID": "a b"})["X-Request-ID"] != "a b"


def test_no_two_shapes_of_the_openapi_document_share_a_name(capsys):
    call_command("spectacular", file="/dev/null")
    assert "identical names" not in capsys.readouterr().err


def test_the_openapi_document_is_complete_and_the_reference_page_needs_no_other_host(db):
    document = Client().get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert {"/v1/ingest", "/v2/contracts/edit", "/v1/customers/{customer_id}/invoices"} <= set(document["paths"])
    page = Client().get("/docs").content.decode()
    assert "https://" not in page.replace("https://github.com", "")
    assert '<html lang="en">' in page
