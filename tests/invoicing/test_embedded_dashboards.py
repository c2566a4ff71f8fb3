"""Dashboards in frames of other sites: by the official client, signed, expiring, and nobody's but the customer's."""

import importlib
import logging
import re
import time

import pytest
from django.core import signing
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from metronome import BadRequestError, NotFoundError

from billing_site.foundation import tokens
from billing_site.redaction import WithoutTokens
from invoicing.embedding import SECONDS, Embed, signed
from tests.factories.contracts import CustomerFactory, CustomerLoginFactory
from tests.invoicing.conftest import ADA, OCTOBER, commit_of, contract_for, sdk
from tests.pages import words

pytestmark = pytest.mark.django_db

GREEN = {"name": "Primary_medium", "value": "#0a7"}


@pytest.fixture(autouse=True)
def _evening(clock_at):
    clock_at("2025-10-20T10:30")


@pytest.fixture
def address(client, acme):
    """What the official client gets, as a path of this server."""

    def asked(dashboard="invoices", **more):
        for signal in (request_started, request_finished):  # a page that was asked for before has connected it again
            signal.disconnect(close_old_connections)
        given = client.v1.dashboards.get_embeddable_url(customer_id=str(acme.customer.pk), dashboard=dashboard, **more)
        assert given.data.url.startswith("http://localhost/embed/")
        return given.data.url.removeprefix("http://localhost")

    return asked


def options(**given):
    return [{"key": key, "value": value} for key, value in given.items()]


@pytest.mark.parametrize(
    ("dashboard", "shows"),
    [
        ("invoices", "Invoices of Acme Invoices and credit notes"),
        ("usage", "How much was used"),
        ("credits", "Balances of Acme"),
        ("commits_and_credits", "Balances of Acme"),
    ],
)
def test_each_dashboard_is_shown_without_a_login(address, acme, dashboard, shows):
    commit_of(acme, 100_000)
    acme.calls("2025-10-02T10", 3)
    answer = Client().get(address(dashboard))
    assert shows in words(answer)
    assert "Sign out" not in words(answer)
    assert answer.cookies == {}
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
    assert "X-Frame-Options" not in answer


def test_it_is_framed_by_the_sites_that_are_listed_and_nobody_else(address, settings):
    where = address()
    assert "frame-ancestors 'none'" in Client().get(where)["Content-Security-Policy"]
    settings.EMBED_ORIGINS = ["https://app.example", "https://*.example"]
    policy = Client().get(where)["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors https://app.example https://*.example")
    assert "unsafe" not in policy
    for other in ("/login", "/portal/", "/embedded/"):
        answer = Client().get(other)
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
        assert answer["X-Frame-Options"] == "DENY"


def test_an_address_that_was_changed_is_refused_in_words(address, acme):
    where = address()
    token = where.split("/")[2]
    foreign = CustomerFactory(name="Globex")
    forged = signing.dumps({"c": foreign.pk.hex, "d": "invoices"}, salt="another")
    for changed in (f"{token[:-1]}{'A' if token[-1] != 'A' else 'B'}", token[:-5], forged, "x", f"x{token}"):
        answer = Client().get(where.replace(token, changed))
        assert answer.status_code == 403
        assert "was changed, cut short or called back. Reload the page" in answer.content.decode()
        assert answer.cookies == {}


def test_an_address_expires_after_an_hour_by_the_wall_clock(address, monkeypatch):
    where = address()
    now = time.time()
    monkeypatch.setattr("django.core.signing.time.time", lambda: now + SECONDS - 5)
    assert Client().get(where).status_code == 200
    monkeypatch.setattr("django.core.signing.time.time", lambda: now + SECONDS + 5)
    answer = Client().get(where)
    assert answer.status_code == 403
    assert "This view has expired, as each does after an hour." in answer.content.decode()


def test_another_version_of_the_key_calls_all_addresses_back(address, settings):
    where = address()
    settings.EMBED_KEY_VERSION = 2
    assert Client().get(where).status_code == 403
    assert Client().get(address()).status_code == 200


def test_an_address_shows_its_own_dashboard_and_customer_alone(address, acme, price_list):
    foreign = CustomerFactory(name="Globex")
    contract_for(foreign, price_list)
    where, token = address("usage"), address("usage").split("/")[2]
    assert Client().get(where).status_code == 200
    for page in ("invoices/", "balances/", "balances.csv", "spend/", "", "tokens/", f"invoices/{foreign.pk}"):
        assert Client().get(f"/embed/{token}/{page}").status_code == 404
    other_login = Client()
    other_login.force_login(CustomerLoginFactory(customer=foreign).user)
    assert "Usage of Acme" in words(other_login.get(where))  # who is signed in changes nothing
    assert Client().post(where).status_code == 405


def test_colours_come_as_a_stylesheet_of_hex_values(address, client, acme):
    where = address(color_overrides=[GREEN, {"name": "UsageLine_0", "value": "#A1B2C3"}])
    page = Client().get(where).content.decode()
    [sheet] = re.findall(r'href="(/embed/[^"]+colours\.css)"', page)
    assert 'data-theme="light"' in page
    answer = Client().get(sheet)
    assert answer["Content-Type"] == "text/css; charset=utf-8"
    assert answer.content.decode() == ":root[data-theme] {\n  --accent: #0a7;\n  --series-1: #A1B2C3;\n}\n"
    for bad in ("red", "#0a7;}", "#12345", "url(x)", "#0a7\n", ""):
        with pytest.raises(BadRequestError, match=r"color_overrides\[?0?\]?"):
            address(color_overrides=[{"name": "Action", "value": bad}])
    smuggled = signed(Embed(acme.customer.pk, "invoices", colours={"Action": "red;}body{display:none", "x": "#fff"}))
    assert Client().get(f"/embed/{smuggled}/colours.css").content.decode() == ":root[data-theme] {\n}\n"


def test_options_decide_which_documents_are_there(address, acme, price_list):
    other = contract_for(acme.customer, price_list, starting_at=OCTOBER.replace(month=12))
    acme.calls("2025-10-02T10", 3)
    for given, is_there in (
        ({"invoice_status_filter": "DRAFT"}, True),
        ({"invoice_status_filter": "FINALIZED_AND_DRAFT"}, True),
        ({"invoice_status_filter": "VOID"}, False),
        ({"invoice_type": "SCHEDULED"}, False),
        ({"contract_id": str(acme.contract.pk)}, True),
        ({"contract_id": str(other.pk)}, False),
    ):
        where = address(dashboard_options=options(**given))
        page = words(Client().get(where))
        assert ("Usage, October 2025" in page) is is_there, given
    [draft] = set(re.findall(r"invoices/([0-9a-f-]{36})", Client().get(address()).content.decode()))
    for page in (draft, f"{draft}.pdf", f"{draft}/why/0", f"{draft}/events/0"):
        assert Client().get(f"{where}{page}").status_code == 404  # of another contract than the address is for
        assert Client().get(f"{address()}{page}").status_code == 200


def test_lines_of_nothing_are_left_out_unless_they_are_asked_for(address, acme):
    acme.calls("2025-10-02T10", 3)
    assert "Tokens" not in words(Client().get(address()))
    shown = words(Client().get(address(dashboard_options=options(show_zero_usage_line_items="true"))))
    assert "API calls" in shown


def test_group_keys_and_values_have_names_of_their_own(address, acme):
    acme.uses_tokens("2025-10-02T10", 3)
    names = {"group_key_name": "model", "display_name": "<b>Engine</b>", "value_display_names": {"xl": "Extra large"}}
    where = address("usage", bm_group_key_overrides=[names])
    page = Client().get(where, {"metric": str(acme.prices.tokens_used.pk), "key": "model"}).content.decode()
    assert "&lt;b&gt;Engine&lt;/b&gt;" in page
    assert "<b>Engine" not in page
    assert '<th scope="col" class="number">Extra large</th>' in page


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"dashboard": "plans"}, "dashboard"),
        ({"dashboard_options": options(colour="x")}, r"dashboard_options\[0\].key: must be an option"),
        ({"dashboard_options": options(contract_id="x")}, r"dashboard_options\[0\].value: must be a UUID"),
        ({"dashboard_options": options(invoice_type="X")}, r"dashboard_options\[0\].value: must be one of USAGE"),
        ({"dashboard": "usage", "dashboard_options": options(invoice_type="USAGE")}, "which are: none"),
        ({"color_overrides": [{"name": "Purple", "value": "#fff"}]}, "Purple"),
        (
            {
                "bm_group_key_overrides": [
                    {"group_key_name": f"{number * 7919 % 1000003}", "display_name": f"{number**9}"}
                    for number in range(1_000)
                ]
            },
            "name fewer values",
        ),
    ],
)
def test_what_is_wrong_with_a_request_is_said(address, asked, told):
    with pytest.raises(BadRequestError, match=told):
        address(**asked)


def test_a_token_of_one_customer_gets_no_address_of_another(acme):
    foreign = CustomerFactory(name="Globex")
    _, secret = tokens.create_token("acme", scope="read", customer_id=acme.customer.pk, at=OCTOBER, by=ADA)
    dashboards = sdk(secret).v1.dashboards
    assert dashboards.get_embeddable_url(customer_id=str(acme.customer.pk), dashboard="usage").data.url
    with pytest.raises(NotFoundError):
        dashboards.get_embeddable_url(customer_id=str(foreign.pk), dashboard="usage")


def test_no_log_has_what_it_takes_to_look(address):
    where = address()
    token = where.split("/")[2]
    record = logging.LogRecord("django.request", logging.ERROR, "", 0, "%s: %s", ("Internal Server Error", where), None)
    assert WithoutTokens().filter(record)
    assert record.getMessage() == "Internal Server Error: /embed/…/invoices/"
    other = logging.LogRecord("x", logging.ERROR, "", 0, "%s of %d", ("one", 2), None)
    assert WithoutTokens().filter(other)
    assert (other.getMessage(), other.args) == ("one of 2", ("one", 2))
    assert len(token) < 250


def test_origins_that_could_say_more_stop_the_start(monkeypatch):
    monkeypatch.setenv("COUNTINGHOUSE_EMBED_ORIGINS", "https://a.example; script-src *")
    with pytest.raises(ImproperlyConfigured, match="is no origin such as"):
        importlib.reload(importlib.import_module("billing_site.settings"))
