"""The customer's page in a browser: signed in, followed while events arrive, without the server, on a phone."""

import pytest
from django.contrib.sessions.models import Session
from metronome import Metronome
from playwright.sync_api import expect

from billing_site.demo import scenes, story
from billing_site.foundation import tokens
from billing_site.foundation.actor import Actor
from billing_site.foundation.models import TestClock
from billing_site.foundation.periods import Period
from contracts.models import Customer
from tests.factories.contracts import CustomerFactory, CustomerLoginFactory

pytestmark = pytest.mark.django_db(transaction=True)

SOON = 15_000  # ms: the page asks every 1.5 s; a busy machine may take longer


@pytest.fixture
def client(live_server, settings):
    """The story's services, on the evening of 31 October."""
    settings.SANDBOX = True
    TestClock.objects.create(instant=story.OPENING)
    _, secret = tokens.create_token("story", scope="admin", at=story.OPENING, by=Actor.command("tests"))
    return Metronome(bearer_token=secret, base_url=live_server.url)


@pytest.fixture
def cast(client):
    """Acme after the deal, and Dana, who may look at Acme's page."""
    cast = scenes.Cast(**scenes.set_the_stage(client), admin_token="", customer_token="")
    scenes.send_usage(client, Period(story.DISCOUNT_FROM, story.OPENING))
    scenes.make_the_deal(client, cast)
    CustomerLoginFactory(
        customer=Customer.objects.get(pk=cast.customer_id), user__username="dana", user__password="secret"
    )
    return cast


def calls(transaction_id, number):
    return {
        "transaction_id": transaction_id,
        "customer_id": story.ALIAS,
        "event_type": "api_calls",
        "timestamp": "2025-10-31T22:30:00Z",
        "properties": {"calls": number},
    }


def last_bar(page):
    """What the chart draws for API calls on the last day, in dollars."""
    return page.evaluate("Chart.getChart(document.querySelector('canvas')).data.datasets[0].data.at(-1)")


def test_the_page_follows_events_and_says_when_it_cannot(client, cast, visit, complaints):
    page = visit("/portal/")
    page.get_by_label("User name").fill("dana")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Sign in").click()

    amount = page.locator(".headline.first .amount")
    expect(page.get_by_role("heading", level=1)).to_have_text("Acme")
    expect(amount).to_have_text("$15,000.00")
    expect(page.get_by_text("$15,000.00 saved since 15 October")).to_be_visible()
    expect(page.get_by_text("$15,000.00 of $100,000.00, $85,000.00 left")).to_be_visible()
    expect(page.locator("#live")).to_have_class("live is-live", timeout=SOON)
    assert page.locator("#live").get_attribute("hx-trigger") == "every 1500ms, wake"

    page.get_by_text("The same as a table").click()
    page.evaluate("document.querySelector('canvas').dataset.mark = 'the same'")
    page.hover("canvas")
    before = last_bar(page)
    for number in (1, 2):
        client.v1.usage.ingest(usage=[calls(f"live-{number}", 100_000)])
        expect(amount).to_have_text(f"${15_000 + 100 * number:,}.00", timeout=SOON)
        expect(page.get_by_text(f"${15_000 + 100 * number:,}.00 of $100,000.00")).to_be_visible()
        page.wait_for_function(
            f"Chart.getChart(document.querySelector('canvas')).data.datasets[0].data.at(-1) > {before}", timeout=SOON
        )
        before = last_bar(page)
    assert page.locator("canvas").get_attribute("data-mark") == "the same"  # drawn on, not drawn anew
    assert page.evaluate("Chart.getChart(document.querySelector('canvas')).tooltip.opacity") == 1
    expect(page.locator("#days-1 table")).to_be_visible()  # opened before, and still

    for section, shown in (("spend/", ".ranking tfoot"), ("usage/", ".summary"), ("balances/", ".standing")):
        page.goto(f"/portal/{cast.customer_id}/{section}")
        told = page.locator(shown).first.inner_text()
        client.v1.usage.ingest(usage=[calls(f"live-on-{section}", 1_000_000)])
        expect(page.locator(shown).first).not_to_have_text(told, timeout=SOON)
    page.goto("/portal/")

    page.route("**/*seen=*", lambda route: route.abort())
    expect(page.locator("#live")).to_contain_text("Not live: the server does not answer.", timeout=SOON)
    page.unroute("**/*seen=*")
    expect(page.locator("#live")).to_contain_text("Live, as of", timeout=SOON)

    Session.objects.all().delete()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=SOON)
    for provoked in ("net::ERR_FAILED", "401", "htmx:"):
        complaints.forget(provoked)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_long_names_fit_a_phone(visit, scheme):
    login = CustomerLoginFactory(customer=CustomerFactory(name="Donaudampfschifffahrt" * 6))
    page = visit("/portal/", user=login.user, width=390, scheme=scheme)
    expect(page.get_by_text("There is no contract yet.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
