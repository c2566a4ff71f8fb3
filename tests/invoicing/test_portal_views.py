"""Who sees which customer's page, what it costs to look, and that nothing in a name becomes markup."""

import json
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.ids import uuid7
from contracts.models import Customer
from invoicing.queries.changes import version_of
from pricing.models import ProductVersion
from tests.factories.contracts import CustomerFactory, CustomerLoginFactory, UserFactory
from tests.factories.pricing import ProductFactory, RateFactory
from tests.invoicing.conftest import at, commit_of

pytestmark = pytest.mark.django_db


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def dana(acme, clock_at):
    """Signed in for Acme, on 20 October."""
    clock_at("2025-10-20T10:30")
    return signed_in(CustomerLoginFactory(customer=acme.customer).user)


def member(*permissions) -> Client:
    user = User.objects.create_user("grace", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return signed_in(user)


def own(customer, more="") -> str:
    return f"/portal/{customer.pk}/{more}"


def test_a_login_sees_its_customer_at_both_addresses(dana, acme):
    for address in ("/portal/", own(acme.customer)):
        page = dana.get(address)
        assert page.status_code == 200
        assert page["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
        assert "<h1>Acme</h1>" in page.content.decode()
        assert "You are staff" not in page.content.decode()


@pytest.mark.parametrize("more", ["", "?seen=1"])
def test_a_foreign_customer_looks_like_a_missing_one(dana, more):
    foreign = CustomerFactory(name="Globex")
    answers = [dana.get(own(customer, more)) for customer in (foreign, Customer(pk=uuid7()))]
    assert [answer.status_code for answer in answers] == [404, 404]
    texts = [answer.content.decode() for answer in answers]
    tokens = [answer.context["csrf_token"] for answer in answers]
    assert texts[0].replace(str(tokens[0]), "") == texts[1].replace(str(tokens[1]), "")
    assert "Globex" not in texts[0]


def test_whoever_is_not_signed_in_is_asked_to(acme):
    assert Client().get("/portal/")["Location"] == "/login?next=/portal/"
    assert Client().get(own(acme.customer))["Location"] == f"/login?next={own(acme.customer)}"
    assert (
        Client().get(own(acme.customer), {"seen": "1"}).status_code == 401
    )  # not a page that would be taken for the answer


def test_somebody_without_a_customer_is_told_so(acme):
    stranger = signed_in(UserFactory())
    page = stranger.get("/portal/")
    assert page.status_code == 404
    assert "does not belong to a customer yet" in page.content.decode()
    assert stranger.get(own(acme.customer)).status_code == 404


def test_staff_who_may_view_documents_of_customers_see_the_page_as_the_customer_does(acme, clock_at):
    clock_at("2025-10-20T10:30")
    staff = member("view_customer", "view_invoice")
    page = staff.get(own(acme.customer))
    assert page.status_code == 200
    assert "You are staff" in page.content.decode()
    assert staff.get("/portal/")["Location"] == "/admin/contracts/customer/"
    assert staff.get(own(Customer(pk=uuid7()))).status_code == 404
    assert staff.get(own(Customer(pk=uuid7()), "?seen=1")).status_code == 404


@pytest.mark.parametrize("permission", ["view_invoice", "view_customer"])
def test_staff_who_may_view_only_one_of_them_do_not(acme, permission):
    staff = member(permission)
    assert staff.get(own(acme.customer)).status_code == 404
    assert staff.get(own(acme.customer, "?seen=1")).status_code == 404


def test_a_login_made_inactive_is_out_at_once(dana):
    User.objects.update(is_active=False)
    assert dana.get("/portal/").status_code == 302


def test_pages_are_read_only(dana, acme):
    for address in ("/portal/", own(acme.customer), own(acme.customer, "spend/")):
        assert dana.post(address).status_code == 405


@pytest.mark.parametrize("page", ["", "spend/", "usage/", "balances/"])
def test_what_has_not_changed_is_not_sent_and_costs_little(dana, acme, django_assert_num_queries, page):
    acme.calls("2025-10-07T00", 3)
    seen = version_of(acme.customer.pk, at=at("2025-10-20T10:30"))
    # session, user, the login's customer, the test clock, and one look at everything that could have changed
    with django_assert_num_queries(5):
        answer = dana.get(own(acme.customer, page), {"seen": seen})
    assert (answer.status_code, answer.content) == (204, b"")
    [(name, told)] = json.loads(answer["HX-Trigger"]).items()
    assert (name, told) == ("portal:live", {"asOf": "20 October 2025, 10:30 UTC"})  # as of the test clock

    acme.calls("2025-10-07T00", 1)
    changed = dana.get(own(acme.customer, page), {"seen": seen})
    assert changed.status_code == 200
    assert "HX-Trigger" in changed
    text = changed.content.decode()
    [parts] = re.findall(r'hx-select-oob="([^"]+)"', text)
    assert all(text.count(f'id="{part.removeprefix("#")}"') == 1 for part in parts.split(","))
    assert "$0.08" in text or page in ("usage/", "balances/")
    assert f'value="{version_of(acme.customer.pk, at=at("2025-10-20T10:30"))}"' in text


def test_a_page_costs_the_same_for_one_product_and_for_four(dana, acme):
    commit_of(acme, 100_000)
    acme.calls("2025-10-07T00", 3)
    dana.get("/portal/")
    with CaptureQueriesContext(connection) as one:
        dana.get("/portal/")
    for name in ("Storage", "Seats", "Support"):
        product = ProductFactory(name=name, version__billable_metric=acme.prices.calls_made)
        RateFactory(rate_card=acme.prices.card, product=product)
    dana.get("/portal/")
    with CaptureQueriesContext(connection) as four:
        page = dana.get("/portal/")
    assert "Support" in page.content.decode()
    assert len(four) == len(one)


def test_older_documents_are_asked_for_on_the_page_and_by_what_renews_it(dana, acme):
    page = dana.get("/portal/", {"documents": "all"}).content.decode()
    assert f'hx-get="{own(acme.customer)}?documents=all"' in page
    assert f'hx-get="{own(acme.customer)}"' in dana.get("/portal/").content.decode()


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)> & \"'"


def test_nothing_in_a_name_becomes_markup(acme, clock_at):
    clock_at("2025-10-20T10:30")
    Customer.objects.update(name=HOSTILE)
    product = ProductFactory(name=HOSTILE, version__billable_metric=acme.prices.calls_made)
    assert ProductVersion.objects.filter(name=HOSTILE).count() == 1
    RateFactory(rate_card=acme.prices.card, product=product)
    RateFactory(rate_card=acme.prices.card, product=product, starting_at=at("2025-12-01"))
    commit_of(acme, 100_000, name=HOSTILE)
    acme.calls("2025-10-07T00", 3)
    client = signed_in(CustomerLoginFactory(customer=acme.customer).user)
    for address in ("/portal/", own(acme.customer, "spend/"), own(acme.customer, "balances/")):
        text = client.get(address).content.decode()
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "&lt;img src=x" in text


def test_the_test_clock_is_said_where_there_is_one(dana, settings):
    assert "The test clock stands at 20 October 2025, 10:30 UTC." in dana.get("/portal/").content.decode()
    settings.SANDBOX = False
    assert "test clock" not in dana.get("/portal/").content.decode()
