"""The customer's pages of spend and usage: by what, for whom, as a file, and what they cost."""

import csv
import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from pricing.sheets.cells import unguarded
from tests.factories.contracts import CustomerFactory, CustomerLoginFactory
from tests.invoicing.conftest import contract_for
from tests.pages import words

pytestmark = pytest.mark.django_db

HOSTILE = "=HYPERLINK(1)<script>alert(1)</script>"


@pytest.fixture
def dana(acme, clock_at) -> Client:
    """Signed in for Acme, on 20 October."""
    clock_at("2025-10-20T10:30")
    client = Client()
    client.force_login(CustomerLoginFactory(customer=acme.customer).user)
    return client


def own(acme, page) -> str:
    return f"/portal/{acme.customer.pk}/{page}"


def rows_of(response) -> list[list[str]]:
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))


def test_spend_is_told_by_product_and_by_a_group_key(dana, acme):
    acme.uses_tokens("2025-10-02T10", 100)  # $40.00
    acme.uses_tokens("2025-10-03T10", 200, model="small")  # $1.00
    acme.calls("2025-10-03T11", 50)  # $1.00

    by_product = words(dana.get(own(acme, "spend/")))
    assert "1–20 October 2025: $42.00 in all. The most on 2 October 2025, $40.00" in by_product

    by_model = words(dana.get(own(acme, "spend/"), {"by": "model"}))
    assert "Most by model" in by_model
    assert "xl 95.2 % $40.00 (not by model) 2.4 % $1.00 small 2.4 % $1.00 Total $42.00" in by_model

    file = dana.get(own(acme, "spend.csv"), {"by": "model", "from_": "2025-10-02", "to": "2025-10-03"})
    assert rows_of(file) == [
        ["model", "from", "to", "amount", "currency"],
        ["xl", "2025-10-02T00:00Z", "2025-10-03T00:00Z", "40", "USD"],
        ["small", "2025-10-03T00:00Z", "2025-10-04T00:00Z", "1", "USD"],
        ["(not by model)", "2025-10-03T00:00Z", "2025-10-04T00:00Z", "1", "USD"],
    ]


def test_usage_is_told_by_hour_and_group(dana, acme):
    acme.uses_tokens("2025-10-02T10", 100)
    acme.uses_tokens("2025-10-02T12", 7, model="small")
    asked = {
        "metric": acme.prices.tokens_used.pk,
        "from_": "2025-10-02",
        "to": "2025-10-02",
        "window": "HOUR",
        "key": "model",
    }
    page = words(dana.get(own(acme, "usage/"), asked))
    assert "107 in all. The most on 2 October 2025, 10:00 UTC, 100; the most for xl, 100." in page
    rows = rows_of(dana.get(own(acme, "usage.csv"), asked))
    assert rows[0] == ["metric", "model", "from", "to", "quantity"]
    assert [row for row in rows if row[-1] not in ("0", "quantity")] == [
        ["Tokens", "xl", "2025-10-02T10:00Z", "2025-10-02T11:00Z", "100"],
        ["Tokens", "small", "2025-10-02T12:00Z", "2025-10-02T13:00Z", "7"],
    ]


def test_a_split_that_a_metric_does_not_have_is_said_to_be_none(dana, acme):
    acme.calls("2025-10-02T10", 3)
    page = words(dana.get(own(acme, "usage/"), {"metric": acme.prices.calls_made.pk, "key": "model"}))
    assert "“API calls” cannot be split by “model”: shown is all of it." in page
    assert "3 in all." in page


@pytest.mark.parametrize(
    ("page", "asked", "problem"),
    [
        ("spend", {"from_": "2025-10-05", "to": "2025-10-04"}, "Must not be before the first day."),
        ("spend", {"from_": "yesterday"}, "Enter a valid date."),
        ("spend", {"from_": "2024-01-01", "to": "2025-10-04"}, "Ask for 400 days at the most; these are 643."),
        ("spend", {"from_": "0001-01-01", "to": "0001-01-02"}, "Is too far away."),
        ("usage", {"window": "HOUR"}, "Ask for 14 days at the most; these are 20."),
        ("usage", {"window": "YEAR"}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_shown_is_refused_beside_its_field(dana, acme, page, asked, problem):
    assert problem in words(dana.get(own(acme, f"{page}/"), asked))
    file = dana.get(own(acme, f"{page}.csv"), asked)
    assert file.status_code == 400
    assert problem in file.content.decode()


def test_values_that_senders_chose_are_text_everywhere(dana, acme):
    acme.uses_tokens("2025-10-02T10", 100, model=HOSTILE)
    asked = {"metric": acme.prices.tokens_used.pk, "key": "model"}
    page = dana.get(own(acme, "usage/"), asked).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    cells = {row[1] for row in rows_of(dana.get(own(acme, "usage.csv"), asked))[1:]}
    assert [cell[0] for cell in cells] == ["'"]
    assert set(map(unguarded, cells)) == {HOSTILE}


def test_metrics_that_only_others_buy_are_not_told(dana, acme):
    stranger = CustomerFactory(name="Globex")
    client = Client()
    client.force_login(CustomerLoginFactory(customer=stranger).user)
    page = words(client.get(f"/portal/{stranger.pk}/usage/"))
    assert "Nothing is measured yet." in page
    assert "API calls" not in page
    assert client.get(f"/portal/{stranger.pk}/usage.csv").status_code == 404


def test_pages_are_written_as_their_reader_writes(dana, acme):
    acme.uses_tokens("2025-10-02T10", 100_000)
    assert "40.000,00 $" in words(
        dana.get(own(acme, "spend/"), headers={"Accept-Language": "xx, de-DE;q=0.9, en;q=0.1"})
    )
    asked = dana.get(own(acme, "spend/"), {"locale": "fr_FR", "theme": "dark"}).content.decode()
    assert "40\u202f000,00" in asked
    assert '<html lang="en" data-locale="fr-FR" data-theme="dark">' in asked
    assert f'href="{own(acme, "usage/")}?locale=fr_FR&amp;theme=dark"' in asked
    assert 'portal_dark.css" media="screen">' in asked
    odd = dana.get(own(acme, "spend/"), {"locale": '"><script>', "theme": "x"}).content.decode()
    assert '<html lang="en" data-locale="en-US">' in odd
    assert 'portal_dark.css" media="screen and (prefers-color-scheme: dark)">' in odd
    assert "portal_dark.css" not in dana.get(own(acme, "spend/"), {"theme": "light"}).content.decode()


@pytest.mark.parametrize(("page", "asked"), [("spend/", {"by": "model"}), ("usage/", {"key": "model"})])
def test_a_page_costs_the_same_for_one_value_and_day_as_for_many(dana, acme, page, asked):
    asked = {"metric": acme.prices.tokens_used.pk, **asked}
    acme.uses_tokens("2025-10-02T10", 100)
    dana.get(own(acme, page), asked)
    with CaptureQueriesContext(connection) as one:
        dana.get(own(acme, page), asked)
    for number in range(12):
        acme.uses_tokens(f"2025-10-{number + 3:02}T10", 100, model="small" if number % 2 else "xl")
    with CaptureQueriesContext(connection) as many:
        dana.get(own(acme, page), asked)
    assert len(many) == len(one)


def test_foreign_pages_look_like_missing_ones(dana, acme, price_list):
    foreign = CustomerFactory(name="Globex", aliases=["globex"])
    contract_for(foreign, price_list)
    for page in ("spend/", "spend.csv", "usage/", "usage.csv"):
        assert dana.get(f"/portal/{foreign.pk}/{page}").status_code == 404
        assert Client().get(own(acme, page))["Location"].startswith("/login?next=")
        assert dana.post(own(acme, page)).status_code == 405
