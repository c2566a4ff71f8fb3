"""Texts that would be markup, script, a formula or a template, planted wherever somebody may choose one: every page,
sheet and document shows them as they are."""

import csv
import io
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from invoicing.admin.finance import SHEETS
from tests.invoicing.test_printed_documents import text_of
from tests.site.addresses import Ids, addresses
from tests.site.callers import client_of
from tests.site.house import House

pytestmark = pytest.mark.django_db

HOSTILE = "=1+1\"'></script><xss onxss=1>{{7*7}}#w*"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
CODE = ("on", "x-", "@", ":", "hx-on")  # attributes whose value is run


def hostile(word: str) -> str:
    return HOSTILE + word


@pytest.fixture
def house(settings):
    settings.SANDBOX = True
    return House(hostile).build()


class Broken(HTMLParser):
    """What of a planted text has become more than text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Any] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "xss":
            self.found.append(("element", self.getpos()))
        for name, value in attributes:
            if name == "onxss" or (name.startswith(CODE) and "onxss" in (value or "")):
                self.found.append((tag, name, value))


def wrong_in_page(text: str) -> list[Any]:
    return Broken(text).found + ["rendered twice"] * ("49#w*" in text)


def wrong_in_sheet(text: str) -> list[str]:
    """Cells that a spreadsheet would evaluate; numbers may be negative."""
    cells = [cell for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"))) for cell in row]
    return [cell for cell in cells if cell.startswith(FORMULA) and not is_number(cell)]


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def wrong_in(kind: str, content: bytes) -> list[Any]:
    if kind.startswith("text/html"):
        return wrong_in_page(content.decode())
    return wrong_in_sheet(content.decode()) if kind.startswith("text/csv") else []


class Walk:
    """What one login is shown, and what is wrong with it."""

    def __init__(self, client: Client) -> None:
        self.client, self.wrong = client, []
        self.with_texts: set[str] = set()

    def look_at(self, name: str, path: str) -> None:
        response = self.client.get(path)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        self.wrong += [(name, found) for found in wrong_in(response["Content-Type"], content)]
        if response.status_code >= 500 or response["X-Content-Type-Options"] != "nosniff":
            self.wrong.append((name, response.status_code, response.headers))
        if response.status_code == 200 and any(text in content for text in (b"onxss=1&gt;", b"onxss=1>")):
            self.with_texts.add(name)


def walked(client: Client, house: House, beginning: str) -> Walk:
    walk, ids = Walk(client), Ids(house)
    for page in addresses():
        if page.name and page.pattern.startswith(beginning) and not page.name.endswith("logout"):
            walk.look_at(page.name, ids.path(page))
    return walk


def test_the_back_office_takes_no_text_for_more_than_text(house):
    walk = walked(client_of("superuser", house), house, "admin")
    for name in SHEETS:
        walk.look_at(f"{name}.csv", reverse("admin:invoicing_finance_csv", args=[name]))
    assert walk.wrong == [], "\n".join(map(str, walk.wrong))
    assert len(walk.with_texts) > 120
    assert {"index", "contracts_contract_change", "pricing_ratecard_change", "invoicing_invoice_csv"} <= walk.with_texts
    assert {"foundation_apitoken_changelist", "ledger_unmatched", "invoicing_finance"} <= walk.with_texts


@pytest.mark.parametrize("who", ["customer", "superuser"])
def test_the_pages_of_a_customer_take_no_text_for_more_than_text(house, who):
    walk = walked(client_of(who, house), house, "portal/")
    assert walk.wrong == [], "\n".join(map(str, walk.wrong))
    assert {
        "portal_of_customer",
        "portal_spend_csv",
        "portal_terms",
        "portal_invoices",
        "portal_why",
    } <= walk.with_texts


def test_embedded_pages_take_no_text_for_more_than_text(house):
    """Nor those that come with them, and with the reference of the API."""
    walk, document = Walk(Client()), f"invoices/{house.invoice.pk}"
    named = [
        {"group_key_name": hostile("model"), "display_name": HOSTILE, "value_display_names": {hostile("xl"): HOSTILE}}
    ]
    for dashboard, pages in {
        "invoices": ("invoices/", document, f"{document}/why/0", f"{document}/events/0", "nothing"),
        "usage": ("usage/", "usage.csv", "colours.css"),
        "commits_and_credits": ("balances/", "balances.csv"),
    }.items():
        url = house.v1.dashboards.get_embeddable_url(
            customer_id=house.customer, dashboard=dashboard, bm_group_key_overrides=named
        ).data.url
        base = url[url.index("/embed/") :].rpartition(f"{pages[0]}")[0]
        for page in pages:
            walk.look_at(page, f"{base}{page}?{urlencode({'key': hostile('model'), 'from_': '2025-10-01'})}")
    for page in ("/docs", "/login", f"/embed/{quote(HOSTILE)}/usage/", f"/{quote(HOSTILE)}"):
        walk.look_at(page, page)
    assert walk.wrong == [], "\n".join(map(str, walk.wrong))
    assert {"invoices/", document, f"{document}/why/0", "usage/", "usage.csv", "balances/"} <= walk.with_texts


@pytest.mark.parametrize(
    "text", [f"<p>{HOSTILE}</p>", f'<p title="{HOSTILE}">', f"<script>var x = '{HOSTILE}'</script>"]
)
def test_what_breaks_out_is_seen(text):
    assert wrong_in_page(text) != []
    assert wrong_in_page(text.replace(HOSTILE, escape(HOSTILE))) == []
    assert wrong_in_page("<p x-data=\"{ name: '" + escape(HOSTILE) + "' }\">") != []
    assert wrong_in_sheet(f'a,"{HOSTILE.replace(chr(34), chr(34) * 2)}",-1') == [HOSTILE]


@pytest.mark.parametrize("path", ["/admin/search/", "/admin/contracts/customer/", "/login"])
def test_what_is_asked_for_is_shown_as_text(house, path):
    asked = dict.fromkeys(("s", "q", "next", "subject", "as_of"), HOSTILE)
    answer = client_of("nobody" if path == "/login" else "superuser", house).get(path, asked)
    assert wrong_in(answer["Content-Type"], answer.content) == []


def test_a_document_prints_a_text_as_it_is(house):
    printed = client_of("superuser", house).get(f"/portal/{house.customer}/invoices/{house.invoice.pk}.pdf")
    assert "".join(hostile("legal_name").split()) in text_of(printed.content)
