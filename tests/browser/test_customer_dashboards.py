"""The customer's pages in a browser: in frames of other sites, as files, on phones, by keyboard."""

import csv
import io
from pathlib import Path

import pytest
from django.test import override_settings
from metronome import Metronome
from playwright.sync_api import expect

from billing_site.demo import scenes, story
from billing_site.foundation import tokens
from billing_site.foundation.actor import Actor
from billing_site.foundation.models import TestClock
from billing_site.foundation.periods import Period
from contracts.models import Customer
from pricing.sheets.cells import unguarded
from tests.factories.contracts import CustomerLoginFactory

pytestmark = pytest.mark.django_db(transaction=True)

HOSTILE = '=cmd()"><img src=x onerror=alert(1)>'
SECTIONS = ("", "spend/", "usage/", "balances/", "terms/", "invoices/", "tokens/")


@pytest.fixture
def client(live_server, settings):
    """The story's services, on the evening of 31 October."""
    settings.SANDBOX = True
    TestClock.objects.create(instant=story.OPENING)
    _, secret = tokens.create_token("story", scope="admin", at=story.OPENING, by=Actor.command("tests"))
    return Metronome(bearer_token=secret, base_url=live_server.url)


@pytest.fixture
def login(client):
    """Dana's, of Acme after the deal."""
    cast = scenes.Cast(**scenes.set_the_stage(client), admin_token="", customer_token="")
    scenes.send_usage(client, Period(story.DISCOUNT_FROM, story.OPENING))
    scenes.make_the_deal(client, cast)
    customer = Customer.objects.get(pk=cast.customer_id)
    Customer.objects.filter(pk=customer.pk).update(name="Acme " + "Donaudampfschifffahrt" * 4)
    return CustomerLoginFactory(customer=customer)


def address(client, login, dashboard, **more):
    return client.v1.dashboards.get_embeddable_url(
        customer_id=str(login.customer_id), dashboard=dashboard, **more
    ).data.url


def test_a_view_in_a_frame_refuses_an_address_that_was_changed(client, login, visit, complaints, live_server):
    good = address(client, login, "usage", color_overrides=[{"name": "UsageLine_0", "value": "#7c3aed"}])
    head, token, rest = good.rsplit("/", 2)[0].rsplit("/", 1)[0], good.split("/embed/")[1].split("/")[0], "usage/"
    with override_settings(EMBED_ORIGINS=[live_server.url]):
        page = visit("/livez")
        page.evaluate(
            """(address) => {
                window.heights = [];
                addEventListener("message", (event) => heights.push(event.data.height));
                const frame = document.createElement("iframe");
                frame.src = address; frame.width = 800; frame.height = 600;
                document.body.append(frame);
            }""",
            good,
        )
        frame = page.frame_locator("iframe")
        expect(frame.get_by_role("heading", name="How much was used")).to_be_visible()
        expect(frame.locator("canvas")).to_be_visible()
        for _ in range(50):
            if page.evaluate("window.heights.some((height) => height > 300)"):
                break
            page.wait_for_timeout(100)
        else:
            pytest.fail("The page around the frame was not told its height.")
        assert page.context.cookies() == []
        dataset = "Chart.getChart(document.querySelector('canvas')).data.datasets[0].backgroundColor"
        assert page.frames[1].evaluate(dataset) == "#7c3aed"

        changed = f"{head}/{token[:-2]}{'zz' if token[-2:] != 'zz' else 'yy'}/{rest}"
        page.evaluate("(address) => { document.querySelector('iframe').src = address; }", changed)
        expect(frame.get_by_role("alert")).to_contain_text("was changed, cut short or called back")
        expect(frame.locator("canvas")).to_have_count(0)
    complaints.forget("403")


def test_no_other_site_frames_a_view(client, login, visit, complaints):
    good = address(client, login, "invoices")
    page = visit("/livez")
    page.evaluate(
        "(address) => { const f = document.createElement('iframe'); f.src = address; document.body.append(f); }", good
    )
    page.wait_for_timeout(500)
    assert page.frame_locator("iframe").get_by_role("heading").count() == 0
    assert any("frame-ancestors" in each for each in complaints.heard)
    complaints.forget("frame")


def test_what_a_file_says_is_what_the_page_says(client, login, visit, tmp_path):
    client.v1.usage.ingest(
        usage=[
            {
                "transaction_id": HOSTILE,
                "customer_id": story.ALIAS,
                "event_type": "api_calls",
                "timestamp": "2025-10-31T22:30:00Z",
                "properties": {"calls": 1_000},
            }
        ]
    )
    page = visit(f"/portal/{login.customer_id}/spend/", user=login.user)
    page.get_by_text("The same as a table").click()
    shown = [row.all_inner_texts() for row in (row.locator("th, td") for row in page.locator("#days-1 tbody tr").all())]
    with page.expect_download() as downloading:
        page.get_by_role("link", name="As CSV").click()
    saved = Path(tmp_path / "spend.csv")
    downloading.value.save_as(saved)
    [_, *rows] = csv.reader(io.StringIO(saved.read_text("utf-8-sig")))
    columns = page.locator("#days-1 thead th").all_inner_texts()
    products = {name: index for index, name in enumerate(columns)}
    by_cell = {(row[1][:10], products[unguarded(row[0])]): float(row[3]) for row in rows}
    total = sum(by_cell.values())
    assert round(total, 2) == round(sum(float(row[products["In all"]].strip("$").replace(",", "")) for row in shown), 2)
    assert len(by_cell) == len(shown) * 5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_phone(client, login, visit, scheme):
    page = visit("/portal/", user=login.user, width=390, scheme=scheme)
    for section in SECTIONS:
        page.goto(f"/portal/{login.customer_id}/{section}")
        page.locator("details").evaluate_all("(all) => all.forEach((each) => { each.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, section
        assert page.get_by_role("main").count() == page.get_by_role("navigation").count() == 1
        unnamed = "Array.from(document.querySelectorAll('select, input:not([type=hidden])'))"
        assert page.evaluate(f"{unnamed}.filter((each) => !each.labels.length).length") == 0


def test_pages_are_walked_by_keyboard_and_dressed_as_asked(client, login, visit):
    page = visit(f"/portal/{login.customer_id}/invoices/", user=login.user)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"

    page.get_by_label("Colours").select_option("dark")
    page.get_by_label("Numbers and dates").select_option("de_DE")
    page.get_by_role("button", name="Apply").click()
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ground').trim()") == "#101615"
    page.get_by_role("link", name="Overview").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    expect(page.locator(".headline.first .amount")).to_have_text("15.000,00 $")


def test_a_line_is_followed_to_its_events(client, login, visit):
    page = visit(f"/portal/{login.customer_id}/invoices/", user=login.user)
    page.get_by_text("Usage, October 2025").click()
    page.get_by_role("link", name="Why: Model xl").click()
    expect(page.get_by_role("heading", name="Model xl: $6,000.00")).to_be_visible()
    page.get_by_role("link", name="The events behind it").first.click()
    expect(page.get_by_role("heading", name="Events behind Model xl")).to_be_visible()
    assert page.locator(".events tbody tr").count() > 0
