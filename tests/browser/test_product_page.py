"""RevOps changes a product in a browser: from an instant on, and only what it typed."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from tests.factories.pricing import MetricFactory, ProductFactory

pytestmark = pytest.mark.django_db(transaction=True)

SOON = 15_000  # ms, on a busy machine


def test_a_product_is_sold_in_thousands_from_november_on(visit):
    grace = User.objects.create_superuser("grace")
    made = ProductFactory(
        name="Tokens",
        version__billable_metric=MetricFactory(group_keys=[["model"]]),
        version__pricing_group_key=["model"],
        version__tags=["ai"],
    )
    page = visit(reverse("admin:pricing_product_change", args=[made.pk]), user=grace)
    page.locator("#id_starting_at_0").fill("2025-11-01")
    page.locator("#id_starting_at_1").fill("00:00")
    page.locator("#id_conversion_operation").select_option("DIVIDE")
    page.locator("#id_conversion_factor").fill("1000")
    page.locator("#id_conversion_name").fill("thousand tokens")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible(timeout=SOON)
    first, second = made.versions.order_by("publication")
    assert first.conversion_factor is None
    assert (second.starting_at, second.conversion_factor) == (datetime(2025, 11, 1, tzinfo=UTC), Decimal(1000))
    assert (second.changed_fields, second.tags) == (["quantity_conversion"], ["ai"])
