"""The `Idempotency-Key` header: a POST sent again is answered again, and carried out once."""

import json
import threading
from datetime import UTC, datetime, timedelta

import metronome
import pytest
from django.db import DatabaseError, connection
from django.test import Client
from metronome import Metronome

from billing_site.foundation import clock, idempotency, jobs, tokens
from billing_site.foundation.actor import Actor
from billing_site.foundation.models import IdempotencyKey
from billing_site.foundation.refusals import InFlight
from contracts.models import Customer
from contracts.services import create_customer
from ledger.models import EventKey
from pricing.models import Product
from tests.factories.contracts import CustomerFactory

NOW = datetime(2025, 10, 31, 23, tzinfo=UTC)
TESTER = Actor.command("tests")
CUSTOMERS = "/v1/customers"
PRODUCTS = "/v1/contract-pricing/products/create"

committing = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """The process ends here."""


def killed_at(start: str):
    """Ends the process at the first statement that begins so."""

    def die(execute, sql, params, many, context):
        if sql.startswith(start):
            raise Killed
        return execute(sql, params, many, context)

    return connection.execute_wrapper(die)


KEEPING = 'UPDATE "foundation_idempotencykey" SET "status"'


class Caller:
    """A machine with a token of its own."""

    def __init__(self, scope: str = "admin") -> None:
        self.token, self.secret = tokens.create_token("tests", scope=scope, at=NOW, by=TESTER)
        self.client = Client(headers={"Authorization": f"Bearer {self.secret}"}, raise_request_exception=False)

    def post(self, path, body, *, key=None, **headers):
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.client.post(path, json.dumps(body), content_type="application/json", headers=headers)


@pytest.fixture
def caller(db):
    return Caller()


@pytest.fixture
def later(monkeypatch):
    """Lets wall time pass."""

    def pass_by(**time):
        then = clock.wall_time() + timedelta(**time)
        monkeypatch.setattr(clock, "wall_time", lambda: then)

    return pass_by


def at_once(*calls):
    """What each call returned, all started together, each in a thread of its own."""
    barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(index, call):
        try:
            barrier.wait(10)
            results[index] = call()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


# --- Replies ---------------------------------------------------------------------------------------------------------


@committing
def test_the_sdk_sends_a_request_twice_and_makes_one_customer(live_server):
    with Metronome(bearer_token=Caller().secret, base_url=live_server.url, max_retries=0) as client:
        create = client.v1.customers.with_raw_response.create
        first, second = (create(name="Acme", extra_headers={"Idempotency-Key": "acme-1"}) for _ in range(2))
        with pytest.raises(metronome.ConflictError, match="used with another address or body"):
            create(name="Globex", extra_headers={"Idempotency-Key": "acme-1"})
    assert first.read() == second.read()
    assert [reply.headers.get("idempotent-replayed") for reply in (first, second)] == [None, "true"]
    assert [customer.name for customer in Customer.objects.all()] == ["Acme"]


def test_a_reply_is_repeated_to_the_byte_with_its_status_and_headers(caller):
    first, second = (caller.post(CUSTOMERS, {"name": "Acme"}, key="k") for _ in range(2))
    assert (first.status_code, first.content) == (second.status_code, second.content)
    told_anew = {"X-Request-ID", "Idempotent-Replayed"}
    assert dict(first.headers) == {name: value for name, value in second.headers.items() if name not in told_anew} | {
        "X-Request-ID": first["X-Request-ID"]
    }


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param(CUSTOMERS, {"name": "Globex"}, id="another body"),
        pytest.param(PRODUCTS, {"name": "Acme"}, id="another address"),
        pytest.param(f"{CUSTOMERS}?limit=1", {"name": "Acme"}, id="another query"),
    ],
)
def test_a_key_belongs_to_one_request(caller, path, body):
    caller.post(CUSTOMERS, {"name": "Acme"}, key="k")
    other = caller.post(path, body, key="k")
    assert (other.status_code, other["x-should-retry"]) == (409, "false")
    assert (
        other.json()["message"] == "The Idempotency-Key 'k' was used with another address or body. Nothing was written."
    )
    assert (Customer.objects.count(), Product.objects.count()) == (1, 0)


def test_a_key_belongs_to_one_token(caller):
    replies = [each.post(CUSTOMERS, {"name": "Acme"}, key="k").json()["data"]["id"] for each in (caller, Caller())]
    assert replies[0] != replies[1]


def test_an_error_is_repeated_though_its_cause_is_gone(caller):
    holder = caller.post(CUSTOMERS, {"name": "Acme", "ingest_aliases": ["acme"]}).json()["data"]["id"]
    wanted = {"name": "Other", "ingest_aliases": ["acme"]}
    first = caller.post(CUSTOMERS, wanted, key="k")
    caller.post(f"{CUSTOMERS}/{holder}/setIngestAliases", {"ingest_aliases": []})
    second = caller.post(CUSTOMERS, wanted, key="k")
    assert (first.status_code, first["x-should-retry"]) == (409, "false")
    assert (second.status_code, second["x-should-retry"], second.content) == (409, "false", first.content)
    assert caller.post(CUSTOMERS, wanted, key="another").status_code == 200


def test_what_says_nothing_about_the_request_is_not_kept(caller):
    assert Caller("read").post(CUSTOMERS, {"name": "Acme"}, key="k").status_code == 403
    assert caller.post("/v1/credits/createGrant", {}, key="k").status_code == 501
    stranger = Client(headers={"Authorization": "Bearer nobody", "Idempotency-Key": "k" * 300})
    assert stranger.post(CUSTOMERS).status_code == 401
    assert not IdempotencyKey.objects.exists()


def test_after_a_failure_the_key_is_free_again(caller):
    def break_down(execute, sql, params, many, context):
        if sql.startswith('INSERT INTO "contracts_customer"'):
            raise DatabaseError("out of order")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(break_down):
        assert caller.post(CUSTOMERS, {"name": "Acme"}, key="k").status_code >= 500
    assert caller.post(CUSTOMERS, {"name": "Acme"}, key="k").status_code == 200


def test_only_posts_take_keys(caller):
    assert caller.client.get(CUSTOMERS, headers={"Idempotency-Key": "k"}).status_code == 200
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("key", ["", "k" * 256, "a\x00b", "clé", "a\nb"], ids=ascii)
def test_a_bad_key_is_refused_by_name(caller, key):
    refused = caller.post(CUSTOMERS, {"name": "Acme"}, key=key)
    [error] = refused.json()["errors"]
    assert (refused.status_code, error["field"]) == (400, "Idempotency-Key")
    assert error["rule"] == "must have 1 to 255 characters, all of them printable ASCII"
    assert not Customer.objects.exists()


def test_the_longest_key_is_taken(caller):
    assert caller.post(CUSTOMERS, {"name": "Acme"}, key="k" * 255).status_code == 200


def test_a_body_too_large_to_compare_is_refused_by_name(caller, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    refused = caller.post(CUSTOMERS, {"name": "Acme"}, key="k")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "body")


def test_staff_have_keys_of_their_own(admin_client):
    replies = [
        admin_client.post(
            CUSTOMERS, '{"name": "Acme"}', content_type="application/json", headers={"Idempotency-Key": "k"}
        )
        for _ in range(2)
    ]
    assert replies[0].status_code == 200
    assert replies[0].content == replies[1].content


@committing
def test_events_posted_again_under_a_key_have_the_first_receipt():
    caller = Caller()
    event = {"transaction_id": "t", "customer_id": "a", "event_type": "calls", "timestamp": "2025-10-31T22:00:00Z"}
    replies = []
    for _ in range(2):
        replies.append(
            caller.client.post(
                "/v1/ingest", json.dumps([event]), content_type="application/json", headers={"Idempotency-Key": "k"}
            ).json()
        )
    assert replies == [{"accepted": 1, "duplicates": 0, "conflicts": []}] * 2
    assert EventKey.objects.count() == 1


# --- Two at once, and processes that end -----------------------------------------------------------------------------


@committing
def test_twins_at_once_make_one_customer():
    caller = Caller()
    replies = at_once(*[lambda: caller.post(CUSTOMERS, {"name": "Acme"}, key="k")] * 4)
    answered = {reply.content for reply in replies if reply.status_code == 200}
    waiting = [reply for reply in replies if reply.status_code == 409]
    assert len(answered) == 1
    assert len(waiting) + sum(reply.status_code == 200 for reply in replies) == 4
    assert all(reply["Retry-After"] == "1" and "x-should-retry" not in reply for reply in waiting)
    assert Customer.objects.count() == 1
    assert caller.post(CUSTOMERS, {"name": "Acme"}, key="k").content in answered


@committing
def test_verbs_are_retried_under_a_key_as_without_one():
    caller, customer = Caller(), CustomerFactory()
    path = f"{CUSTOMERS}/{customer.pk}/setName"
    calls = [lambda name=name: caller.post(path, {"name": name}, key=name) for name in "ABCD"]
    replies = at_once(*calls)
    assert [reply.status_code for reply in replies] == [200] * 4
    assert [reply.json()["data"]["name"] for reply in replies] == list("ABCD")
    assert IdempotencyKey.objects.filter(is_carried_out=True, status=200).count() == 4


@committing
@pytest.mark.parametrize(
    ("path", "table"), [(CUSTOMERS, "contracts_customer"), (PRODUCTS, "pricing_product")], ids=["customer", "product"]
)
def test_a_request_killed_before_it_has_written_is_carried_out_once_the_lease_is_over(later, path, table):
    caller, body = Caller(), {"name": "Acme", "type": "FIXED"}
    with pytest.raises(Killed), killed_at(f'INSERT INTO "{table}"'):
        caller.post(path, body, key="k")
    waiting = caller.post(path, body, key="k")
    assert (waiting.status_code, waiting["Retry-After"]) == (409, "1")
    assert "is still being answered" in waiting.json()["message"]
    later(seconds=61)
    healed = caller.post(path, body, key="k")
    assert healed.status_code == 200
    assert caller.post(path, body, key="k").content == healed.content
    assert Customer.objects.count() + Product.objects.count() == 1


@committing
@pytest.mark.parametrize("path", [CUSTOMERS, PRODUCTS])
def test_a_request_killed_after_it_has_written_is_not_carried_out_again(later, path):
    caller, body = Caller(), {"name": "Acme", "type": "FIXED"}
    with pytest.raises(Killed), killed_at(KEEPING):
        caller.post(path, body, key="k")
    later(seconds=61)
    told = caller.post(path, body, key="k")
    assert (told.status_code, told["x-should-retry"]) == (409, "false")
    assert "was carried out, but its reply was lost" in told.json()["message"]
    assert Customer.objects.count() + Product.objects.count() == 1
    later(hours=24)
    idempotency.sweep()
    assert caller.post(path, body, key="k").status_code == 200


@committing
def test_a_reply_that_cannot_be_kept_goes_out_all_the_same(caplog):
    caller = Caller()

    def break_down(execute, sql, params, many, context):
        if sql.startswith(KEEPING):
            raise DatabaseError("out of order")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(break_down):
        assert caller.post(CUSTOMERS, {"name": "Acme"}, key="k").status_code == 200
    assert "The reply to k could not be kept" in caplog.text


@committing
def test_a_request_that_fails_after_it_has_written_is_not_carried_out_again(monkeypatch):
    caller = Caller()

    def fail(*_):
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr("contracts.views.customers._reply", fail)
        assert caller.post(CUSTOMERS, {"name": "Acme"}, key="k").status_code == 500
    told = caller.post(CUSTOMERS, {"name": "Acme"}, key="k")
    assert (told.status_code, Customer.objects.count()) == (409, 1)
    assert "its reply was lost" in told.json()["message"]


@committing
def test_what_was_rolled_back_does_not_count_as_carried_out():
    caller = Caller()
    path = "/v1/credit-types/create"
    assert caller.post(path, {"name": "Tokens"}, key="new").status_code == 200
    assert caller.post(path, {"name": "Tokens"}, key="taken").status_code == 409  # the database refused the row
    marks = IdempotencyKey.objects.values_list("key", "status", "is_carried_out")
    assert set(marks) == {("new", 200, True), ("taken", 409, False)}


@committing
def test_a_slow_process_that_lost_its_claim_writes_nothing(later):
    owner = Caller().token.pk
    slow = idempotency.claim(owner, "k", address=CUSTOMERS, body=b"{}")
    with pytest.raises(InFlight):
        idempotency.claim(owner, "k", address=CUSTOMERS, body=b"{}")
    later(seconds=61)
    quick = idempotency.claim(owner, "k", address=CUSTOMERS, body=b"{}")
    with connection.execute_wrapper(slow.witness), pytest.raises(InFlight):
        create_customer("Slow", at=NOW, by=TESTER)
    slow.settle(idempotency.Reply(409, {}, b"slow"))
    with connection.execute_wrapper(quick.witness):
        create_customer("Quick", at=NOW, by=TESTER)
    quick.settle(idempotency.Reply(200, {}, b"quick"))
    assert [customer.name for customer in Customer.objects.all()] == ["Quick"]
    assert idempotency.claim(owner, "k", address=CUSTOMERS, body=b"{}") == idempotency.Reply(200, {}, b"quick")


# --- How long --------------------------------------------------------------------------------------------------------


def test_keys_are_kept_for_a_day_and_swept_afterwards(caller, later, monkeypatch):
    monkeypatch.setattr(idempotency, "SWEPT_AT_ONCE", 2)
    first = caller.post(CUSTOMERS, {"name": "0"}, key="0")
    for number in range(1, 5):
        caller.post(CUSTOMERS, {"name": str(number)}, key=str(number))
    later(hours=23, minutes=59)
    idempotency.sweep()
    assert caller.post(CUSTOMERS, {"name": "0"}, key="0").content == first.content
    caller.post(CUSTOMERS, {"name": "young"}, key="young")
    later(minutes=2)
    idempotency.sweep()
    assert [row.key for row in IdempotencyKey.objects.all()] == ["young"]


def test_the_sweep_is_among_what_runs_every_minute(caller, later):
    caller.post(CUSTOMERS, {"name": "Acme"}, key="k")
    later(hours=25)
    jobs.tick()
    assert not IdempotencyKey.objects.exists()


# --- The reference ---------------------------------------------------------------------------------------------------


def test_the_openapi_document_names_the_header_at_every_post_and_nowhere_else(db):
    paths = Client().get("/openapi.json").json()["paths"]
    operations = [(method, said) for path in paths.values() for method, said in path.items()]
    naming = [
        method
        for method, said in operations
        if any(given["name"] == "Idempotency-Key" and given["in"] == "header" for given in said.get("parameters", []))
    ]
    assert naming == [method for method, _ in operations if method == "post"]
