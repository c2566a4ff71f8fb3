"""What customers see of prices and terms, and the tokens that they make for their own programs."""

import csv
import io
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing_site.foundation import tokens
from billing_site.foundation.models import ApiToken
from tests.factories.contracts import CustomerFactory, CustomerLoginFactory, OverrideFactory, UserFactory
from tests.factories.pricing import ProductFactory, RateFactory
from tests.invoicing.conftest import ADA, OCTOBER, at, commit_of, contract_for
from tests.pages import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def dana(acme, clock_at) -> Client:
    """Signed in for Acme, on 20 October."""
    clock_at("2025-10-20T10:30")
    client = Client()
    client.force_login(CustomerLoginFactory(customer=acme.customer, user__username="dana").user)
    return client


def own(acme, page) -> str:
    return f"/portal/{acme.customer.pk}/{page}"


def discount(acme, multiplier, since, product):
    return OverrideFactory(contract=acme.contract, multiplier=multiplier, starting_at=at(since), product=product)


def test_prices_are_told_beside_the_list_with_since_when(dana, acme):
    discount(acme, "0.5", "2025-10-15", acme.prices.calls)
    RateFactory(rate_card=acme.prices.card, product=acme.prices.calls, price=4, starting_at=at("2025-12-01"))
    text = words(dana.get(own(acme, "terms/")))
    assert "API calls since 15 October 2025 List price: $0.02 your price: $0.01" in text
    assert "Tokens (model: xl) since 1 October 2025 $0.40" in text
    assert "API calls: $0.01 → $0.02 from 1 December 2025" in text
    assert "50 % off the list price of API calls from 15 October 2025" in text
    file = dana.get(own(acme, "prices.csv")).content.decode("utf-8-sig")
    rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(file))}
    assert rows["API calls"] == ["$0.01", "", "$0.02", "2025-10-15T00:00Z"]
    assert rows["Tokens (model: small)"] == ["$0.005", "", "$0.005", "2025-10-01T00:00Z"]


def test_terms_are_told_without_what_is_the_houses_own(dana, acme):
    commit_of(acme, 100_000, name="A thousand by New Year")
    contract_for(
        acme.customer,
        acme.prices,
        starting_at=at("2025-12-01"),
        salesforce_opportunity_id="SF-1",
        netsuite_sales_order_id="NS-1",
    )
    text = words(dana.get(own(acme, "terms/")))
    assert "1 October – 31 December 2025" in text
    assert "Billed monthly. At its end it stops." in text
    assert "“A thousand by New Year”" in text
    assert "SF-1" not in text
    assert "NS-1" not in text
    assert "List prices" not in text


def test_terms_of_who_has_none_say_what_will_be_there(clock_at):
    clock_at("2025-10-20T10:30")
    login, client = CustomerLoginFactory(), Client()
    client.force_login(login.user)
    text = words(client.get(f"/portal/{login.customer.pk}/terms/"))
    assert "No contract runs now." in text
    assert "There is no contract yet." in text


def test_many_prices_are_found_by_name(dana, acme, monkeypatch):
    monkeypatch.setattr("invoicing.views.portal.terms.PRICES_SHOWN", 2)
    text = words(dana.get(own(acme, "terms/")))
    assert "1 more: find them by the name" in text
    found = words(dana.get(own(acme, "terms/"), {"q": "small"}))
    assert "Tokens (model: small)" in found
    assert "API calls" not in found.split("Prices to come")[0]
    assert "No product of that name is sold to you." in words(dana.get(own(acme, "terms/"), {"q": "<b>"}))


def test_the_page_of_terms_costs_the_same_for_one_product_as_for_four(dana, acme):
    dana.get(own(acme, "terms/"))
    discount(acme, "0.5", "2025-10-15", acme.prices.calls)
    with CaptureQueriesContext(connection) as one:
        dana.get(own(acme, "terms/"))
    for name in ("Storage", "Seats", "Support"):
        product = ProductFactory(name=name, version__billable_metric=acme.prices.calls_made)
        RateFactory(rate_card=acme.prices.card, product=product)
        discount(acme, "0.5", "2025-10-15", product)
    dana.get(own(acme, "terms/"))
    with CaptureQueriesContext(connection) as four:
        assert "Storage" in words(dana.get(own(acme, "terms/")))
    assert len(four) == len(one)


def key_of(page) -> str:
    [key] = re.findall(r'name="key" value="([0-9a-f-]{36})"', page.content.decode())
    return key


def test_a_customer_makes_a_token_that_reads_its_own_and_revokes_it(dana, acme):
    where = own(acme, "tokens/")
    form = {"name": "<b>Warehouse</b>", "key": key_of(dana.get(where))}
    made = dana.post(where, form)
    [secret] = set(re.findall(r"cth_[\w-]{43}", made.content.decode()))
    assert "<b>Warehouse" not in made.content.decode()
    token = ApiToken.objects.get()
    assert (token.scope, token.customer_id, token.created_by) == ("READ", acme.customer.pk, "dana")
    assert bytes(token.digest) == tokens.digest_of(secret)

    bearer = {"Authorization": f"Bearer {secret}"}
    foreign = CustomerFactory(name="Globex")
    assert Client().get(f"/v1/customers/{acme.customer.pk}/invoices", headers=bearer).status_code == 200
    assert Client().get(f"/v1/customers/{foreign.pk}/invoices", headers=bearer).status_code == 404
    assert secret not in dana.get(where).content.decode()

    again = dana.post(where, form)  # the browser sends the form once more
    assert "was made already, and whose secret was shown then" in words(again)
    assert ApiToken.objects.count() == 1

    assert dana.post(f"{where}{token.pk}/revoke")["Location"] == where
    assert "Revoked on 20 October 2025, 10:30 UTC by dana" in words(dana.get(where))
    token.refresh_from_db()
    assert token.revoked_by == "dana"


def test_tokens_of_others_are_not_there(dana, acme):
    foreign = CustomerFactory(name="Globex")
    theirs, _ = tokens.create_token("Theirs", scope="read", customer_id=foreign.pk, at=OCTOBER, by=ADA)
    ours, _ = tokens.create_token("Everything", scope="admin", at=OCTOBER, by=ADA)
    page = words(dana.get(own(acme, "tokens/")))
    assert "Theirs" not in page
    assert "Everything" not in page
    for token in (theirs, ours):
        assert dana.post(own(acme, f"tokens/{token.pk}/revoke")).status_code == 404
        token.refresh_from_db()
        assert token.revoked_at is None
    assert dana.get(f"/portal/{foreign.pk}/tokens/").status_code == 404


def test_staff_make_no_tokens_of_customers_and_forms_of_other_sites_none_either(dana, acme):
    staff = Client()
    staff.force_login(UserFactory(is_staff=True, is_superuser=True))
    assert staff.get(own(acme, "tokens/")).status_code == 404
    assert own(acme, "tokens/") not in staff.get(own(acme, "terms/")).content.decode()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = dana.cookies
    assert strict.post(own(acme, "tokens/"), {"name": "x"}).status_code == 403
    assert ApiToken.objects.count() == 0


@pytest.mark.parametrize(
    ("name", "problem"), [("", "This field is required."), ("x" * 161, "at most 160 characters"), ("  ", "required")]
)
def test_a_name_that_is_none_is_refused_beside_the_field(dana, acme, name, problem):
    where = own(acme, "tokens/")
    assert problem in words(dana.post(where, {"name": name, "key": key_of(dana.get(where))}))
    assert ApiToken.objects.count() == 0


def test_no_more_tokens_live_than_somebody_can_keep_in_mind(dana, acme, monkeypatch):
    monkeypatch.setattr("invoicing.views.portal.tokens.MOST", 1)
    where = own(acme, "tokens/")
    dana.post(where, {"name": "one", "key": key_of(dana.get(where))})
    refused = words(dana.post(where, {"name": "two", "key": key_of(dana.get(where))}))
    assert "1 tokens are in use, which are the most: revoke one first" in refused
    assert ApiToken.objects.count() == 1
