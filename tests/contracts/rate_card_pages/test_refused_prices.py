"""Prices that break a rule: what stands beside what was typed, and no rate comes of it."""

import pytest

from contracts.admin.price_shown import change_url
from pricing.models import Rate
from pricing.queries import Key
from tests.contracts.rate_card_pages.typed_prices import PRODUCTS, Typing, tiers
from tests.pages import words

pytestmark = pytest.mark.django_db

TIERED = {"rate_type": "TIERED"}


@pytest.mark.parametrize(
    ("kind", "typed", "complaint"),
    [
        pytest.param("USAGE", {**TIERED}, "Is required for the rate type TIERED.", id="no tiers"),
        pytest.param(
            "USAGE",
            {**TIERED, **tiers(("100", "2"), ("50", "1"), ("", "1"))},
            "Tier 2, up to: Must be above 100, where the tier begins.",
            id="a bound below the one before",
        ),
        pytest.param(
            "USAGE",
            {**TIERED, **tiers(("", "2"), ("", "1"))},
            "Tier 1, up to: Is required on every tier but the last.",
            id="two open tiers",
        ),
        pytest.param(
            "USAGE",
            {**TIERED, **tiers(("100", "2"), ("200", "1"))},
            "Tier 2, up to: Must not be given on the last tier: it takes all the rest.",
            id="no open tier",
        ),
        pytest.param(
            "USAGE",
            {**TIERED, **tiers(("100", ""), ("", "1"))},
            "Tier 1, price: This field is required.",
            id="a tier without a price",
        ),
        pytest.param(
            "USAGE", {**TIERED, **tiers(("", "-1"))}, "Tier 1, price: Must not be negative.", id="a price below zero"
        ),
        pytest.param(
            "USAGE", {**TIERED, **tiers(("", "1", "-1"))}, "Tier 1, fee: Must not be negative.", id="a fee below zero"
        ),
        pytest.param(
            "USAGE",
            {**TIERED, **tiers(("many", "1"), ("", "1"))},
            "Tier 1, up to: Write a number, such as 30 or 0.0025.",
            id="a bound that is no number",
        ),
        pytest.param(
            "USAGE",
            {"rate_type": "PACKAGE", "price": "1", "package_size": "0"},
            "Units in a package: Must be greater than 0.",
            id="an empty package",
        ),
        pytest.param(
            "USAGE",
            {"rate_type": "PACKAGE", "price": "1"},
            "Units in a package: Is required for the rate type PACKAGE.",
            id="a package of no size",
        ),
        pytest.param(
            "USAGE",
            {"rate_type": "FLAT", "price": "1", "commit-rate_type": "TIERED", "commit-tiers-0-price": "-1"},
            "Commit rate, Tier 1, price: Must not be negative.",
            id="in the commit rate",
        ),
        pytest.param(
            "USAGE",
            {"rate_type": "PERCENTAGE"},
            "Charged as: Select a valid choice. PERCENTAGE is not one of the available choices.",
            id="a share of usage",
        ),
        pytest.param(
            "USAGE",
            {"rate_type": "FLAT", "price": "1e999999"},
            "New price: Write a number, such as 30 or 0.0025.",
            id="a number that is too long",
        ),
        pytest.param(
            "COMPOSITE",
            {"rate_type": "PERCENTAGE", "percent": "101"},
            "Percent of the spend: Must be from 0 to 100 percent.",
            id="more than all",
        ),
        pytest.param(
            "COMPOSITE",
            {"rate_type": "PERCENTAGE"},
            "Percent of the spend: Is required for the rate type PERCENTAGE.",
            id="no share",
        ),
        pytest.param(
            "COMPOSITE",
            {"rate_type": "TIERED_PERCENTAGE", **tiers(("10", "10"), ("", "-5"))},
            "Tier 2, price: Must be from 0 to 100 percent.",
            id="a share below zero",
        ),
        pytest.param(
            "SUBSCRIPTION",
            {"rate_type": "SUBSCRIPTION", "price": "1", "quantity": "-1"},
            "Quantity: Must not be negative.",
            id="a quantity below zero",
        ),
    ],
)
def test_what_is_refused_stands_beside_what_was_typed(revops, card, kind, typed, complaint):
    product = PRODUCTS[kind]()
    page = Typing(revops, change_url(card, Key(product.pk))).show(**typed)
    assert list(page.context["form"].complaints()) == [complaint]
    assert page.context["effect"] is None
    assert complaint.split(": ", 1)[-1] in words(page)
    assert not Rate.objects.exists()
