"""RevOps type tiers in a browser: rows come and go, and what another type needs is out of sight."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from billing_site.foundation.models import TestClock
from pricing.models import Rate
from tests.factories.pricing import NOW, ProductFactory, RateFactory

pytestmark = pytest.mark.django_db(transaction=True)

SOON = 15_000  # ms, on a busy machine


@pytest.fixture
def grace(settings):
    settings.SANDBOX = True
    TestClock.objects.create(instant=NOW)
    return User.objects.create_superuser("grace")


def test_tiers_are_typed_row_by_row(grace, visit):
    flat = RateFactory()
    page = visit(reverse("admin:pricing_ratecard_change", args=[flat.rate_card_id]), user=grace)
    page.get_by_role("link", name="Change price of API calls").click()
    expect(page.get_by_label("New price")).to_have_value("0.01")
    expect(page.get_by_label("Tier 1, price").first).to_be_hidden()
    page.get_by_label("Charged as").first.select_option("TIERED")
    expect(page.get_by_label("New price")).to_be_hidden()
    page.get_by_role("button", name="Add a tier").first.click()
    for tier, bound in enumerate(("100", "200", "1,000", ""), 1):
        page.get_by_label(f"Tier {tier}, up to").first.fill(bound)
        page.get_by_label(f"Tier {tier}, price").first.fill(str(5 - tier))
    page.get_by_role("button", name="Remove this tier").nth(1).click()
    effect = "$4.00 a unit for the first 100 units, $2.00 for the next 900 units, then $1.00"
    expect(page.get_by_text(effect)).to_be_visible(timeout=SOON)  # while it is typed, without a click
    page.get_by_label("Reason").fill("Tiers from now on")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published: API calls")).to_be_visible(timeout=SOON)
    assert Rate.objects.exclude(pk=flat.pk).get().tiers == [
        {"price": "400", "size": "100"},
        {"price": "200", "size": "900"},
        {"price": "100"},
    ]


def test_another_product_is_asked_for_its_values_as_it_is_chosen(grace, visit):
    card = RateFactory().rate_card
    tokens = ProductFactory(name="Tokens", version__pricing_group_key=["model"])
    page = visit(reverse("admin:pricing_ratecard_change", args=[card.pk]), user=grace)
    page.get_by_role("link", name="Price another product").click()
    page.get_by_label("Product").select_option(label="Tokens")
    page.get_by_label("model").fill("xl")  # it has come without a click
    page.get_by_role("button", name="To its price").click()
    expect(page.get_by_role("heading", name="Tokens model: xl")).to_be_visible()
    page.get_by_label("New price").fill("3")
    page.get_by_label("Reason").fill("Launch")
    expect(page.get_by_text("no price → $3.00")).to_be_visible(timeout=SOON)
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published: Tokens")).to_be_visible(timeout=SOON)
    assert Rate.objects.get(product=tokens).pricing_group_values == {"model": "xl"}


def test_a_product_is_asked_only_what_its_type_has(grace, visit):
    page = visit(reverse("admin:pricing_product_add"), user=grace)
    metric, composite = page.locator("#id_billable_metric"), page.locator("#id_composite_tags")
    for type_, asks_for_a_metric, asks_for_a_share in (
        ("USAGE", True, False),
        ("COMPOSITE", False, True),
        ("FIXED", False, False),
    ):
        page.locator("#id_type").select_option(type_)
        expect(metric).to_be_visible(visible=asks_for_a_metric)
        expect(composite).to_be_visible(visible=asks_for_a_share)
    sold = ProductFactory(version__billable_metric__name="Calls counted")
    page.goto(reverse("admin:pricing_product_change", args=[sold.pk]))
    expect(page.get_by_role("link", name="Calls counted")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_wrong_with_a_tier_stands_under_it_on_a_telephone(grace, visit, scheme):
    rate = RateFactory(rate_type="VOLUME", price=None, tiers=[{"price": "200", "size": "1000"}, {"price": "100"}])
    page = visit(
        reverse("admin:pricing_ratecard_change", args=[rate.rate_card_id]), user=grace, width=390, scheme=scheme
    )
    page.get_by_role("link", name="Change price of API calls").click()
    expect(page.get_by_label("Tier 1, up to").first).to_have_value("1000")
    page.get_by_label("Tier 2, price").first.fill("-1")
    page.get_by_role("button", name="Show what happens").click()
    row = page.get_by_role("row").filter(has=page.get_by_label("Tier 2, price"))
    expect(row.get_by_text("Must not be negative.").first).to_be_visible(timeout=SOON)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
