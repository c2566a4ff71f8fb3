"""Prices of every type as they are typed on the page of a rate card, and the rates that come of it."""

from decimal import Decimal as D

import pytest
from django.urls import reverse

from contracts.admin.price_shown import change_url
from pricing.queries import Key
from tests.contracts.rate_card_pages.typed_prices import PRODUCTS, Typing, said, tiers
from tests.factories.pricing import (
    CompositeRateFactory,
    PricingUnitFactory,
    ProductFactory,
    RateCardConversionFactory,
    RateFactory,
    SubscriptionProductFactory,
    SubscriptionRateFactory,
)
from tests.pages import words

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kind", "typed", "expected", "text"),
    [
        pytest.param(
            "USAGE",
            {"rate_type": "FLAT", "price": "0.0025"},
            {"rate_type": "FLAT", "price": D("0.25")},
            "no price → $0.0025 each from 1 December 2025",
            id="flat",
        ),
        pytest.param(
            "USAGE",
            {"rate_type": "TIERED", **tiers(("100", "2", "5"), ("1,000", "$1.00"), ("", "0.5"))},
            {
                "rate_type": "TIERED",
                "tiers": [
                    {"price": "200", "size": "100", "flat_fee": "500"},
                    {"price": "100", "size": "900"},
                    {"price": "50"},
                ],
            },
            "$2.00 a unit for the first 100 units (and $5.00 once), $1.00 for the next 900 units, then $0.50",
            id="tiered",
        ),
        pytest.param(
            "USAGE",
            {"rate_type": "VOLUME", **tiers(("100.5", "2"), ("", "1", "20"))},
            {"rate_type": "VOLUME", "tiers": [{"price": "200", "size": "100.5"}, {"price": "100", "flat_fee": "2000"}]},
            "all units at $2.00 up to 100.5, at $1.00 above (and $20.00 once)",
            id="volume",
        ),
        pytest.param(
            "USAGE",
            {"rate_type": "PACKAGE", "price": "12", "package_size": "1,000"},
            {"rate_type": "PACKAGE", "price": D(1_200), "package_size": D(1_000)},
            "$12.00 for each package of 1,000 units",
            id="package",
        ),
        pytest.param(
            "COMPOSITE",
            {"rate_type": "PERCENTAGE", "percent": "12.5"},
            {"rate_type": "PERCENTAGE", "price": D("0.125")},
            "12.5 %",
            id="percentage",
        ),
        pytest.param(
            "COMPOSITE",
            {"rate_type": "TIERED_PERCENTAGE", **tiers(("10,000", "10"), ("", "5"))},
            {"rate_type": "TIERED_PERCENTAGE", "tiers": [{"price": "0.1", "size": "1000000"}, {"price": "0.05"}]},
            "10 % for the first $10,000.00, then 5 %",
            id="tiered percentage",
        ),
        pytest.param(
            "SUBSCRIPTION",
            {"rate_type": "SUBSCRIPTION", "price": "20", "quantity": "3"},
            {"rate_type": "SUBSCRIPTION", "price": D(2_000), "quantity": D(3), "is_prorated": True},
            "$20.00 a period for each of 3, prorated",
            id="subscription",
        ),
        pytest.param(
            "USAGE",
            {
                "rate_type": "TIERED",
                **tiers(("10", "2"), ("", "1")),
                "commit-rate_type": "VOLUME",
                **tiers(("50", "1.5"), ("", "0.75"), prefix="commit-tiers"),
            },
            {
                "rate_type": "TIERED",
                "tiers": [{"price": "200", "size": "10"}, {"price": "100"}],
                "commit_rate": {"rate_type": "VOLUME", "tiers": [{"price": "150", "size": "50"}, {"price": "75"}]},
            },
            "Commit rate: none → all units at $1.50 up to 50, at $0.75 above.",
            id="with a commit rate",
        ),
    ],
)
def test_a_price_of_every_type_is_typed_shown_and_published(revops, card, kind, typed, expected, text):
    product = PRODUCTS[kind]()
    shown, rate = Typing(revops, change_url(card, Key(product.pk))).publish(**typed)
    assert said(rate) == expected
    assert text in shown
    assert (rate.product, rate.unit, rate.entitled) == (product, card.fiat_unit, True)
    assert (rate.publication.price_change.reason, rate.publication.published_by) == ("Launch", "grace")


def test_a_fee_of_a_subscription_is_typed_for_its_billing_frequency(revops, card):
    product = SubscriptionProductFactory()
    monthly = SubscriptionRateFactory(rate_card=card, product=product)
    place = change_url(card, Key(product.pk, {}, "ANNUAL"))
    shown, rate = Typing(revops, place).publish(rate_type="FLAT", price="1000")
    assert (rate.billing_frequency, rate.price) == ("ANNUAL", D(100_000))
    assert "no price → $1,000.00 a year" in shown
    again = change_url(card, Key(product.pk, {}, "MONTHLY"))
    shown, rate = Typing(revops, again).publish(price="90")
    assert (rate.billing_frequency, rate.price) == ("MONTHLY", D(9_000))
    assert "$100.00 → $90.00 a month" in shown
    page = words(revops.get(reverse("admin:pricing_ratecard_change", args=[card.pk])))
    assert "Seats billed every month $100.00 a month" in page
    assert "Seats billed every year no price" in page
    assert monthly.billing_frequency == "MONTHLY"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"rate_type": "FLAT", "price": D("0.25")}, id="flat"),
        pytest.param(
            {
                "rate_type": "TIERED",
                "price": None,
                "tiers": [
                    {"price": "0.5", "size": "1000"},
                    {"price": "200", "size": "0.5", "flat_fee": "1"},
                    {"price": "3"},
                ],
            },
            id="tiered",
        ),
        pytest.param({"rate_type": "PACKAGE", "price": D(7), "package_size": D("0.1")}, id="package"),
        pytest.param(
            {
                "rate_type": "FLAT",
                "price": D(4_000),
                "commit_rate": {"rate_type": "PACKAGE", "price": "300", "package_size": "12"},
            },
            id="with a commit rate",
        ),
    ],
)
def test_the_form_begins_with_what_holds_and_loses_none_of_it(revops, card, fields):
    held = RateFactory(rate_card=card, **fields)
    shown, rate = Typing(revops, change_url(card, Key(held.product_id))).publish()
    assert said(rate) == said(held)
    assert "That is the price then already." in shown


def test_the_commit_rate_is_told_where_the_price_is(revops, card):
    commit = {"rate_type": "FLAT", "price": "3000"}
    held = RateFactory(rate_card=card, price=D(4_000), commit_rate=commit)
    shown, _ = Typing(revops, change_url(card, Key(held.product_id))).publish(**{"commit-price": "25"})
    assert "Commit rate: $30.00 each → $25.00 each." in shown
    page = words(revops.get(reverse("admin:pricing_ratecard_change", args=[card.pk])))
    assert "$40.00 each $30.00 each at commit rate from 1 January 2025 up to 1 December 2025" in page
    assert "API calls $40.00 (at commit rate $25.00) from 1 December 2025" in page  # who changed what


def test_shares_are_shown_in_percent_again(revops, card):
    tiers_ = [{"price": "0.125", "size": "1000000"}, {"price": "0.05"}]
    held = CompositeRateFactory(rate_card=card, rate_type="TIERED_PERCENTAGE", price=None, tiers=tiers_)
    form = Typing(revops, change_url(card, Key(held.product_id)))
    assert (form.values["tiers-0-up_to"], form.values["tiers-0-price"]) == ("10000", "12.5")
    _, rate = form.publish(**{"tiers-1-price": "6"})
    assert rate.tiers == [{"price": "0.125", "size": "1000000"}, {"price": "0.06"}]


def test_rows_that_were_taken_out_or_left_empty_do_not_count(revops, card):
    product = ProductFactory()
    rows = {
        "tiers-0-up_to": " ",
        "tiers-2-up_to": "10",
        "tiers-2-price": "2",
        "tiers-11-price": "1",
        "tiers-12-price": "",
    }
    _, rate = Typing(revops, change_url(card, Key(product.pk))).publish(rate_type="TIERED", **rows)
    assert rate.tiers == [{"price": "200", "size": "10"}, {"price": "100"}]


def test_what_belongs_to_another_type_is_not_sent_on(revops, card):
    held = RateFactory(rate_card=card, rate_type="PACKAGE", price=D(7), package_size=D(10))
    place = change_url(card, Key(held.product_id))
    _, rate = Typing(revops, place).publish(rate_type="VOLUME", **tiers(("10", "2"), ("", "1")))
    assert said(rate) == {"rate_type": "VOLUME", "tiers": [{"price": "200", "size": "10"}, {"price": "100"}]}
    _, rate = Typing(revops, place).publish(rate_type="FLAT", price="1", starting_at_0="2025-12-02")
    assert said(rate) == {"rate_type": "FLAT", "price": D(100)}


def test_a_product_is_priced_in_a_custom_unit_once_and_for_good(revops, card):
    credits = PricingUnitFactory(name="credits")
    RateCardConversionFactory(rate_card=card, unit=credits)
    PricingUnitFactory(name="points")  # which the card does not convert
    product = ProductFactory()
    form = Typing(revops, change_url(card, Key(product.pk)))
    assert [label for _, label in form.form.fields["unit"].choices] == ["US dollars", "credits"]
    shown, rate = form.publish(unit=str(credits.pk), rate_type="TIERED", **tiers(("10", "2", "7"), ("", "1.5")))
    assert rate.unit == credits
    assert rate.tiers == [{"price": "2", "size": "10", "flat_fee": "7"}, {"price": "1.5"}]
    assert "2 credits a unit for the first 10 units (and 7 credits once), then 1.5 credits" in shown
    again = Typing(revops, change_url(card, Key(product.pk)))
    assert "unit" not in again.form.fields
    assert "Amounts are in credits." in words(again.show())
    _, rate = again.publish(rate_type="FLAT", price="3", starting_at_0="2026-01-01")
    assert (rate.unit, rate.price) == (credits, D(3))
