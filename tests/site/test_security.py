"""What the browser is told it may load, by path; and where people sign in."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.factories.contracts import CustomerLoginFactory

pytestmark = pytest.mark.django_db

POLICY = "Content-Security-Policy"


def directives(response):
    return dict(part.strip().split(" ", 1) for part in response[POLICY].split(";"))


@pytest.fixture
def dana():
    client = Client()
    client.force_login(CustomerLoginFactory(user__username="dana", user__password="secret").user)
    return client


@pytest.mark.parametrize("path", ["/login", "/portal/", "/livez", "/v1/nothing"])
def test_nothing_in_the_markup_runs_on_pages_of_customers(dana, path):
    response = (Client() if path == "/login" else dana).get(path)
    allowed = directives(response)
    assert allowed["default-src"] == "'self'"
    assert allowed["frame-ancestors"] == allowed["object-src"] == allowed["base-uri"] == "'none'"
    assert "unsafe" not in response[POLICY]
    assert "http" not in response[POLICY]


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/docs"])
def test_the_admins_skin_may_evaluate_but_loads_nothing_from_elsewhere(path):
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="x"))
    allowed = directives(client.get(path))
    assert allowed["script-src"] == "'self' 'unsafe-eval' 'unsafe-inline'"
    assert allowed["style-src"] == "'self' 'unsafe-inline'"
    assert allowed["img-src"] == "'self' data:"
    assert (allowed["default-src"], allowed["frame-ancestors"]) == ("'self'", "'none'")


def test_pages_of_customers_have_no_script_or_style_in_their_markup(dana):
    for page in (Client().get("/login"), dana.get("/portal/")):
        text = page.content.decode()
        assert "style=" not in text
        assert "<style" not in text
        assert " on" not in "".join(part.split(">")[0] for part in text.split("<")[1:] if "=" in part.split(">")[0])
        scripts = [part.split(">")[0] for part in text.split("<script")[1:]]
        assert all('src="/static/' in script or 'type="application/json"' in script for script in scripts)
        assert "http" not in text.replace("http://localhost", "")


def test_signing_in_leads_to_ones_page_and_signing_out_back():
    CustomerLoginFactory(user__username="dana", user__password="secret")
    client = Client(enforce_csrf_checks=False)
    wrong = client.post("/login", {"username": "dana", "password": "wrong"})
    assert "do not match" in wrong.content.decode()
    right = client.post("/login", {"username": "dana", "password": "secret"})
    assert (right.status_code, right["Location"]) == (302, "/portal/")
    assert client.get("/portal/").status_code == 200
    assert client.get("/login")["Location"] == "/portal/"
    assert client.post("/logout")["Location"] == "/login"
    assert client.get("/portal/")["Location"] == "/login?next=/portal/"


@pytest.mark.parametrize("where", ["https://evil.example/", "//evil.example"])
def test_signing_in_never_leads_elsewhere(where):
    CustomerLoginFactory(user__username="dana", user__password="secret")
    answer = Client().post("/login", {"username": "dana", "password": "secret", "next": where})
    assert answer["Location"] == "/portal/"


def test_a_customers_login_gets_neither_into_the_admin_nor_into_the_api(dana):
    assert dana.get("/admin/")["Location"].startswith("/admin/login/")
    assert dana.get(reverse("admin:contracts_customer_changelist")).status_code == 302
    assert dana.get("/v1/customers").status_code == 401
    assert dana.get("/v1/billable-metrics").status_code == 401


@pytest.mark.parametrize("path", ["/login", "/admin/login/", "/portal/", "/docs", "/v1/customers", "/livez"])
def test_every_answer_says_what_a_browser_need_not_do_with_it(dana, path):
    """No feature that nothing here asks for, no guess at its type, no frame, no address handed to other sites, no index
    of it."""
    answer = dana.get(path)
    assert "camera=(), microphone=(), geolocation=(), payment=()" in answer["Permissions-Policy"]
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/admin/", "/admin/contracts/customer/", "/portal/"])
def test_pages_of_people_are_kept_by_nobody_on_the_way(path):
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="x"))
    if path == "/portal/":
        client.force_login(CustomerLoginFactory().user)
    assert {"no-store", "private"} <= set(client.get(path)["Cache-Control"].split(", "))


def test_cookies_of_a_session_are_out_of_reach_of_scripts_and_of_other_sites():
    CustomerLoginFactory(user__username="dana", user__password="secret")
    client = Client()
    client.post("/login", {"username": "dana", "password": "secret"})
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
