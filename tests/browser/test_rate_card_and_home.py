"""RevOps in a browser: from Home to a scheduled price in a few clicks, and Home that follows what happens."""

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
from invoicing.services import summaries
from pricing.models import Rate, RateCard

pytestmark = pytest.mark.django_db(transaction=True)

SOON = 15_000  # ms, on a busy machine


@pytest.fixture
def client(live_server, settings):
    """The story's services, on the evening of 31 October."""
    settings.SANDBOX = True
    TestClock.objects.create(instant=story.OPENING)
    _, secret = tokens.create_token("story", scope="admin", at=story.OPENING, by=Actor.command("tests"))
    return Metronome(bearer_token=secret, base_url=live_server.url)


@pytest.fixture
def acme(client):
    return scenes.Cast(**scenes.set_the_stage(client), admin_token="", customer_token="")


@pytest.fixture
def grace(db):
    return User.objects.create_superuser("grace")


def test_a_price_is_scheduled_in_a_few_clicks(acme, grace, visit):
    card = RateCard.objects.get(contracts=acme.contract_id)
    page = visit(reverse("admin:pricing_ratecard_change", args=[card.pk]), user=grace)
    page.get_by_role("link", name="Change price of Model xl").click()
    page.get_by_label("New price").fill("30")
    page.get_by_label("date").first.fill("2025-12-01")
    page.get_by_label("Reason").fill("Cheaper chips")
    expect(page.get_by_text("from 1 December 2025")).to_be_visible(timeout=SOON)  # while it is typed, without a click
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published: Model xl from 1 December 2025.")).to_be_visible(timeout=SOON)
    new = Rate.objects.get(price=3000, starting_at="2025-12-01T00:00Z")
    assert new.publication.price_change.reason == "Cheaper chips"

    for name in ("Model xl", "Model large"):
        page.get_by_label(f"Pick {name}", exact=True).check()
    page.get_by_role("button", name="Change picked prices").click()
    expect(page.get_by_text("2 picked prices")).to_be_visible(timeout=SOON)
    page.get_by_label("Percent").fill("-10")
    page.get_by_label("date").first.fill("2025-11-15")
    page.get_by_label("Reason").fill("Sooner, and less")
    page.get_by_role("button", name="Show what changes").last.click()
    page.get_by_label("Withdraw $30.00").check(timeout=SOON)  # which was to begin later
    page.get_by_role("button", name="Show what changes").last.click()
    expect(page.get_by_label("Withdraw $30.00")).to_be_checked(timeout=SOON)
    page.get_by_role("button", name="Publish 2 prices").click()
    expect(page.get_by_text("Published: 0 new, 2 changed.")).to_be_visible(timeout=SOON)
    new.refresh_from_db()
    assert new.withdrawal.publication.price_change.reason == "Sooner, and less"
    customer = visit(reverse("portal_terms", args=[acme.customer_id]), user=grace)
    expect(customer.get_by_text("$36.00").first).to_be_visible(timeout=SOON)  # what is to come
    expect(customer.get_by_text("$30.00")).to_have_count(0)


def test_what_is_wrong_is_said_beside_the_field(acme, grace, visit):
    card = RateCard.objects.get(contracts=acme.contract_id)
    page = visit(reverse("admin:pricing_ratecard_change", args=[card.pk]), user=grace, width=390)
    page.get_by_role("link", name="Change price of Model xl").click()
    page.get_by_label("New price").fill("-3")
    page.get_by_role("button", name="Show what happens").click()
    expect(page.get_by_text("Must not be negative.")).to_be_visible(timeout=SOON)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_home_follows_what_happens(client, acme, grace, visit, scheme):
    while summaries.refresh_what_is_due():
        pass
    page = visit(reverse("admin:index"), user=grace, scheme=scheme)
    drafts = page.locator("section", has=page.get_by_role("heading", name="Open drafts"))
    expect(drafts.get_by_role("row", name="Acme")).to_contain_text("$0.00")
    scenes.send_usage(client, Period(story.DISCOUNT_FROM, story.OPENING))
    while summaries.refresh_what_is_due():
        pass
    expect(drafts.get_by_role("row", name="Acme")).to_contain_text("$30,000.00", timeout=SOON)  # by itself
    page.get_by_role("link", name="Open Acme").click()
    expect(page.get_by_role("link", name="Make a deal").first).to_be_visible(timeout=SOON)
    page.go_back()
    page.reload()
    expect(page.locator("li.is-done", has_text="Open Acme")).to_be_visible()
