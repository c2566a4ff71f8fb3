"""RevOps in a browser: one number of a formula is changed, and what it moves is seen before it is published."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from pricing import services
from pricing.models import Formula
from pricing.services import NewNode, WholeFormula
from tests.factories.pricing import ADA, NOW, ProductFactory, RateCardFactory

pytestmark = pytest.mark.django_db(transaction=True)

SOON = 15_000  # ms, on a busy machine
OCTOBER = datetime(2025, 10, 1, tzinfo=UTC)
WIDER = "document.documentElement.scrollWidth > window.innerWidth"


@pytest.mark.parametrize("width", [1280, 390])
def test_enter_shows_what_would_move_and_only_the_button_publishes(visit, width):
    card = RateCardFactory()
    product = ProductFactory(name="Tokens", version__pricing_group_key=["model", "region"])
    models = [NewNode("cost", D(number), {"model": model}) for model, number in (("s", 2), ("m", 9), ("xl", 30))]
    regions = [NewNode("region", D(number), {"region": region}) for region, number in (("eu", 2), ("us", 1))]
    whole = WholeFormula([*models, *regions], True)
    services.state_formula(card.pk, product.pk, whole, starting_at=OCTOBER, at=NOW, by=ADA)
    page = visit(
        reverse("admin:pricing_ratecard_change", args=[card.pk]),
        user=User.objects.create_superuser("grace"),
        width=width,
    )
    page.get_by_role("link", name="Formula of Tokens").click()
    page.get_by_label("cost (model: xl)").fill("40")
    page.get_by_label("Reason").fill("Dearer chips")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 of 6 prices move")).to_be_visible(timeout=SOON)
    assert Formula.objects.count() == 1
    assert not page.evaluate(WIDER)
    page.get_by_role("button", name="Publish 2 prices").click()
    expect(page.get_by_text("Published: 2 of 6 prices move, of Tokens")).to_be_visible(timeout=SOON)
    expect(page.get_by_label("cost (model: xl)")).to_have_value("40")
