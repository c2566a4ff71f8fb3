"""A new company, in a browser: from a pasted event to the line of its test invoice, and why."""

import json

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from billing_site.foundation import clock
from tests.browser.test_accessibility import found
from tests.factories.ledger import event

pytestmark = pytest.mark.django_db(transaction=True)

SOON = 30_000  # ms, on a busy machine


def test_from_a_paste_to_the_test_invoice(visit):
    page = visit(reverse("admin:index"), user=User.objects.create_superuser("grace"))
    page.set_default_timeout(SOON)
    page.get_by_role("link", name="A test invoice").click()
    sent = event("e-1", event_type="api_calls", timestamp=clock.wall_time().isoformat(), properties={"calls": 10})
    page.get_by_label("Paste one event").fill(json.dumps(sent))
    page.get_by_role("button", name="Read it").click()
    page.get_by_label("Price of one").fill("0.002")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview")).to_contain_text("10 × $0.002", timeout=SOON)
    assert found(page) == []
    page.locator("#preview").get_by_role("button", name="Make all of it").click()
    expect(page.locator("#invoice")).to_contain_text("10 × $0.002", timeout=SOON)
    page.get_by_role("link", name="Why: Api calls").click()
    expect(page.get_by_text("$0.02").first).to_be_visible(timeout=SOON)
