"""The October story by clicks: signing in, the contract at $51,000, the deal looked at and made, $36,000, and why."""

import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from metronome import Metronome
from playwright.sync_api import expect

from billing_site.demo import scenes, story
from billing_site.foundation import tokens
from billing_site.foundation.actor import Actor
from billing_site.foundation.models import TestClock
from billing_site.foundation.periods import Period

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(live_server, settings):
    """The story's services, on the evening of 31 October."""
    settings.SANDBOX = True
    TestClock.objects.create(instant=story.OPENING)
    _, secret = tokens.create_token("story", scope="admin", at=story.OPENING, by=Actor.command("tests"))
    return Metronome(bearer_token=secret, base_url=live_server.url)


@pytest.fixture
def cast(client):
    cast = scenes.Cast(**scenes.set_the_stage(client), admin_token="", customer_token="")
    scenes.send_usage(client, Period(story.TERM.starting_at, story.OPENING))
    User.objects.create_superuser("grace", password="secret")
    return cast


def fill_in_the_deal(page):
    page.get_by_label("Amount to be spent (USD)").fill("100,000")
    page.locator("[name=commit_name]").fill("Year end")
    page.get_by_label("Off the list price, in percent").fill("50")
    page.locator("[name=discount_starting_at_0]").fill("2025-10-15")
    discounted = page.locator("#id_discount_products")
    for product in ("API calls", "Model small", "Model medium", "Model large", "Model xl"):
        discounted.get_by_label(product, exact=True).check()
    page.get_by_label("Reason").fill("The deal with their CFO")


def amounts(page, rows):
    """Product, before and after of the rows that the preview marks as changed."""
    cells = page.locator(rows).evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.innerText))")
    return [(name.split("\n")[0], before, after) for name, before, after, _ in cells]


def drafts(client, cast):
    """The drafts as a client reads them, without what differs between two edits that say the same."""
    found = []
    for invoice in client.v1.customers.invoices.list(customer_id=cast.customer_id, sort="date_asc"):
        lines = [
            (line.name, line.quantity, line.unit_price, line.total, line.starting_at) for line in invoice.line_items
        ]
        found.append((invoice.type, invoice.issued_at, invoice.total, lines))
    return found


def test_the_deal_is_made_by_clicks_and_is_the_one_that_the_sdk_makes(client, cast, visit):
    page = visit("/admin/")
    page.get_by_label("Username").fill("grace")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name=re.compile("log in", re.IGNORECASE)).click()
    page.goto(reverse("admin:contracts_contract_changelist"))
    page.get_by_role("link", name="Acme").first.click()

    expect(page.get_by_text("October so far").first).to_be_visible()
    expect(page.locator(".headline")).to_have_text("$51,000.00")
    expect(page.get_by_text("final on 2 November 2025, 00:00 UTC")).to_be_visible()

    page.get_by_role("link", name="Make a deal").first.click()
    fill_in_the_deal(page)
    page.get_by_role("button", name="Preview").click()

    preview = page.locator("#preview")
    expect(preview.get_by_text("$51,000.00 → $36,000.00")).to_be_visible()
    expect(preview.get_by_text("1–31 October 2025 is open and is priced anew")).to_be_visible()
    assert amounts(page, "#preview article:nth-of-type(1) tr.is-changed") == [
        ("API calls", "$1,200.00", "$600.00"),
        ("Model small", "$1,200.00", "$600.00"),
        ("Model medium", "$5,400.00", "$2,700.00"),
        ("Model large", "$10,200.00", "$5,100.00"),
        ("Model xl", "$12,000.00", "$6,000.00"),
    ]
    expect(preview.get_by_role("row", name="1–14 October 2025, all products")).to_contain_text("unchanged")
    expect(preview.get_by_text("True-up, due 1 January 2026")).to_be_visible()
    assert drafts(client, cast)[0][2] == 5_100_000  # nothing is saved yet

    preview.get_by_role("button", name="Make this edit").click()
    expect(page.locator(".headline")).to_have_text("$36,000.00")
    expect(page.get_by_text("$36,000.00 of $100,000.00")).to_be_visible()
    expect(page.get_by_text("$64,000.00 left; at the present pace about")).to_be_visible()
    expect(page.get_by_text("$40.00 until 14 October, $20.00 since")).to_be_visible()
    expect(page.get_by_text("“The deal with their CFO”")).to_be_visible()

    page.get_by_role("link", name="Why: Model xl").click()
    expect(page.get_by_text("15–31 October 2025: 300 × $20.00 = $6,000.00")).to_be_visible()
    expect(page.get_by_text("agreed in edit 3 by grace")).to_be_visible()

    by_clicks = drafts(client, cast)
    twin = scenes.Cast(**_same_contract_again(client, cast), admin_token="", customer_token="")
    scenes.make_the_deal(client, twin)
    client.v1.customers.set_ingest_aliases(customer_id=cast.customer_id, ingest_aliases=[])
    client.v1.customers.set_ingest_aliases(customer_id=twin.customer_id, ingest_aliases=[story.ALIAS])
    by_sdk = drafts(client, twin)
    assert [total for _, _, total, _ in by_clicks] == [3_600_000, 6_400_000]
    assert _unnamed(by_clicks) == _unnamed(by_sdk)


def _same_contract_again(client, cast):
    """Another customer with the same contract; it takes the usage over afterwards."""
    card = client.v2.contracts.retrieve(customer_id=cast.customer_id, contract_id=cast.contract_id).data.rate_card_id
    customer = client.v1.customers.create(name="Acme's twin").data.id
    contract = client.v1.contracts.create(
        customer_id=customer, rate_card_id=card, starting_at=story.TERM.starting_at, ending_before=story.YEAR_END
    ).data.id
    return {
        "customer_id": customer,
        "contract_id": contract,
        "commitment_product_id": cast.commitment_product_id,
        "product_ids": cast.product_ids,
    }


def _unnamed(found):
    """The two commits have names of their own; everything else is the same to the last digit."""
    return [
        (type_, issued_at, total, [line if line[1] is not None and line[4] else ("", *line[1:]) for line in lines])
        for type_, issued_at, total, lines in found
    ]


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit_a_phone_and_the_dark(cast, visit, width, scheme):
    grace = User.objects.get(username="grace")
    for name in ("change", "edit"):
        page = visit(
            reverse(f"admin:contracts_contract_{name}", args=[cast.contract_id]), user=grace, width=width, scheme=scheme
        )
        page.wait_for_load_state()
        overflow = page.evaluate(
            "document.querySelector('.house').scrollWidth - document.querySelector('.house').clientWidth"
        )
        assert overflow <= 0
