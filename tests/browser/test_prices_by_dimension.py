"""RevOps in a browser: the prices of a product's dimensions typed into a grid, and brought in as a file."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from pricing.models import Rate
from tests.factories.pricing import ProductFactory, RateCardFactory, RateFactory

pytestmark = pytest.mark.django_db(transaction=True)

SOON = 15_000  # ms, on a busy machine
PASTE = """text => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
}"""


@pytest.fixture
def card(db):
    return RateCardFactory()


@pytest.fixture
def tokens(card):
    product = ProductFactory(name="Tokens", version__pricing_group_key=["model", "region"])
    for model in ("s", "m", "l"):
        for region in ("ap", "eu", "us"):
            RateFactory(
                rate_card=card, product=product, pricing_group_values={"model": model, "region": region}, price=25
            )
    return product


@pytest.fixture
def grace(db):
    return User.objects.create_superuser("grace")


def prices():
    """The new ones."""
    return sorted(
        (*rate.pricing_group_values.values(), rate.price) for rate in Rate.objects.exclude(price=25).order_by("id")
    )


def test_cells_are_pasted_as_they_lie_in_a_spreadsheet_and_enter_only_shows(card, tokens, grace, visit):
    page = visit(reverse("admin:pricing_ratecard_change", args=[card.pk]), user=grace)
    page.get_by_role("link", name="Tokens", exact=True).first.click()
    page.wait_for_url("**/grid/**")  # its script is there, so that what is pasted is heard
    page.get_by_label("model: l, region: eu", exact=True).focus()
    page.evaluate(PASTE, "0.30\t0.31\r\n0.40\t0.41\r\n")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("model: m, region: eu", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("0 new, 4 changed, 5 unchanged")).to_be_visible(timeout=SOON)
    page.get_by_label("Reason").fill("Cheaper chips")
    page.keyboard.press("Enter")  # still shows: only the button publishes
    expect(page.get_by_role("button", name="Publish 4 prices")).to_be_visible(timeout=SOON)
    assert prices() == []
    page.get_by_role("button", name="Publish 4 prices").click()
    expect(page.get_by_text("Published: 0 new, 4 changed")).to_be_visible(timeout=SOON)
    assert prices() == [("l", "eu", 30), ("l", "us", 31), ("m", "eu", 40), ("m", "us", 41)]


def test_a_file_is_looked_at_and_published(card, tokens, grace, visit):
    page = visit(reverse("admin:pricing_ratecard_import", args=[card.pk]), user=grace, width=390)
    sheet = b"product;model;region;price\r\nTokens;s;eu;0.30\r\nTokens;s;us;\r\n"
    page.get_by_label("CSV file").set_input_files({"name": "prices.csv", "mimeType": "text/csv", "buffer": sheet})
    page.get_by_role("button", name="Show what changes").last.click()
    expect(page.get_by_text("is required; 0 is free")).to_be_visible(timeout=SOON)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    right = sheet.replace(b"us;", b"us;0.31")
    page.get_by_label("CSV file").set_input_files({"name": "prices.csv", "mimeType": "text/csv", "buffer": right})
    page.get_by_label("Reason").fill("Cheaper chips")
    page.get_by_role("button", name="Show what changes").last.click()
    page.get_by_role("button", name="Publish 2 prices").click(timeout=SOON)
    expect(page.get_by_text("Published: 0 new, 2 changed")).to_be_visible(timeout=SOON)
    assert prices() == [("s", "eu", 30), ("s", "us", 31)]
