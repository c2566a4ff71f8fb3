"""What customers see of their documents and balances: lists, why a line is what it is, the events behind, and files."""

import csv
import io
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from pricing.models import PriceChange
from tests.factories.contracts import AccessSegmentFactory, CommitFactory, CustomerFactory, CustomerLoginFactory
from tests.invoicing.conftest import NOVEMBER, OCTOBER, commit_of
from tests.pages import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def dana(acme, clock_at) -> Client:
    """Signed in for Acme, on 20 October."""
    clock_at("2025-10-20T10:30")
    client = Client()
    client.force_login(CustomerLoginFactory(customer=acme.customer).user)
    return client


def own(acme, page) -> str:
    return f"/portal/{acme.customer.pk}/{page}"


def credit_of(acme, amount, **fields):
    """A credit over October that nobody paid for."""
    given = {"type": "CREDIT", "name": "Welcome", "segment": None, "invoice_item": None} | fields
    credit = CommitFactory(contract=acme.contract, **given)
    AccessSegmentFactory(commit=credit, amount=Decimal(amount), starting_at=OCTOBER, ending_before=NOVEMBER)
    return credit


def links(page) -> list[str]:
    return [found.replace("&amp;", "&") for found in re.findall(r'href="([^"]+)"', page.content.decode())]


def test_a_line_is_explained_down_to_its_events(dana, acme):
    PriceChange.objects.update(reason="Our secret margin")
    acme.uses_tokens("2025-10-02T10", 100)
    acme.uses_tokens("2025-10-03T10", 5, model="small")
    listed = dana.get(own(acme, "invoices/"))
    assert "Draft Usage, October 2025 final from 2 November 2025 $40.03" in words(listed)
    [_, of_xl, *_] = [link for link in links(listed) if "/why/" in link]

    why = dana.get(of_xl)
    text = words(why)
    assert "Tokens (model: xl): $40.00" in text
    assert "Measured by “Tokens”: the sum of “tokens” over this customer&#x27;s events of type tokens." in text
    assert "100 × $0.40 = $40.00" in text
    assert "List price $0.40 from 1 January 2025." in text
    for internal in ("Our secret margin", "publication", "List prices"):
        assert internal not in text

    [to_events] = [link for link in links(why) if "/events/" in link]
    events = words(dana.get(to_events))
    assert "Events behind Tokens (model: xl)" in events
    assert "100 was metered for this line: so much its events come to." in events
    assert "tokens" in events
    assert "small" not in events


def test_events_come_page_by_page(dana, acme, monkeypatch):
    monkeypatch.setattr("invoicing.views.portal.documents.EVENTS_SHOWN", 2)
    acme.calls("2025-10-02T10", 5)
    [document] = {
        link.split("/invoices/")[1].split("/")[0] for link in links(dana.get(own(acme, "invoices/"))) if "/why/" in link
    }
    lines = [line for line in range(9) if dana.get(own(acme, f"invoices/{document}/events/{line}")).status_code == 200]
    page = next(
        found
        for line in lines
        if (found := dana.get(own(acme, f"invoices/{document}/events/{line}"))).context["events"].total == "5"
    )
    seen = []
    for _ in range(5):
        seen += [row.id for row in page.context["events"].rows]
        following = [link for link in links(page) if "after=" in link]
        if not following:
            break
        page = dana.get(following[0])
    assert len(seen) == len(set(seen)) == 5
    first = own(acme, f"invoices/{document}/events/{lines[0]}")
    for wrong in ({"after": "abc"}, {"after": "WzFd"}):
        assert dana.get(first, wrong).status_code == 404
    assert dana.get(own(acme, f"invoices/{document}/events/99")).status_code == 404


def test_documents_are_filtered_and_a_cut_address_is_said_to_be_one(dana, acme):
    acme.calls("2025-10-02T10", 5)
    assert "Draft" in words(dana.get(own(acme, "invoices/"), {"status": "DRAFT"}))
    assert "No document is like that." in words(dana.get(own(acme, "invoices/"), {"status": "VOID"}))
    assert "was cut short" in words(dana.get(own(acme, "invoices/"), {"after": "abc"}))
    assert "Select a valid choice." in words(dana.get(own(acme, "invoices/"), {"status": "ODD"}))


def test_a_balance_says_when_it_will_be_used_up_and_how_that_was_made(dana, acme):
    credit_of(acme, 10_000)
    acme.uses_tokens("2025-10-02T10", 50)  # $20.00, before the last 14 days
    for day in range(7, 20):
        acme.uses_tokens(f"2025-10-{day:02}T10", 7)  # $2.80 a day
    text = words(dana.get(own(acme, "balances/")))
    assert "Welcome Credit" in text
    assert "$43.60 left of $100.00" in text
    assert "At your pace about $13.50 of it will be left when it expires, at the end of 31 October." in text
    assert "Made from the $36.40 drawn from 6 October, 10:00 UTC to 20 October, 10:00 UTC: about $2.60 a day" in text
    acme.uses_tokens("2025-10-20T09", 50)
    assert "At your pace it runs out about 26 October." in words(dana.get(own(acme, "balances/")))


@pytest.mark.parametrize(
    ("when", "outlook"),
    [
        ("2025-10-01T10:00", "When it will be used up is shown once a day has passed."),
        ("2025-10-20T10:30", "Nothing was drawn on it since 6 October: $100.00 expires on 31 October."),
        ("2025-11-20T10:30", "Ended"),
    ],
)
def test_a_balance_that_nothing_is_drawn_on(dana, acme, clock_at, when, outlook):
    credit_of(acme, 10_000)
    clock_at(when)
    assert outlook in words(dana.get(own(acme, "balances/")))


def test_a_commitment_says_what_will_be_missing(dana, acme):
    commit_of(acme, 100_000)
    acme.uses_tokens("2025-10-15T10", 700)  # $280.00 in 14 days
    text = words(dana.get(own(acme, "balances/")))
    assert "$720.00 left of $1,000.00" in text
    assert "you will have met it by about 25 November." in text


def test_ledgers_come_as_a_file(dana, acme):
    credit_of(acme, 10_000, name="=1+1")
    acme.uses_tokens("2025-10-02T10", 50)
    file = dana.get(own(acme, "balances.csv")).content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(file))) == [
        ["balance", "contract", "when", "what", "amount", "left", "unit"],
        ["'=1+1", "", "2025-10-01T00:00Z", "Granted", "100", "100", "USD"],
        ["'=1+1", "", "2025-11-01T00:00Z", "Drawn, pending in a draft", "-20", "80", "USD"],
    ]


@pytest.mark.parametrize("page", ["invoices/", "balances/"])
def test_a_page_costs_the_same_for_one_balance_as_for_three(dana, acme, page):
    credit_of(acme, 100)
    acme.uses_tokens("2025-10-02T10", 50)
    dana.get(own(acme, page))
    with CaptureQueriesContext(connection) as one:
        dana.get(own(acme, page))
    credit_of(acme, 200)
    credit_of(acme, 300)
    dana.get(own(acme, page))
    with CaptureQueriesContext(connection) as three:
        text = words(dana.get(own(acme, page)))
    assert len(three) == len(one), text


def test_foreign_documents_and_balances_look_like_missing_ones(dana, acme):
    foreign = CustomerFactory(name="Globex")
    for page in (
        "invoices/",
        f"invoices/{foreign.pk}/why/0",
        f"invoices/{foreign.pk}/events/0",
        "balances/",
        "balances.csv",
    ):
        assert dana.get(f"/portal/{foreign.pk}/{page}").status_code == 404
        assert Client().get(own(acme, page))["Location"].startswith("/login?next=")
    assert dana.get(own(acme, f"invoices/{foreign.pk}/why/0")).status_code == 404
