"""Prices of every type as they are typed on the page of a rate card, and the rates that come of it."""

import re
from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from billing_site.foundation.models import TestClock
from contracts.admin.price_shown import change_url
from pricing import services
from pricing.models import Rate
from pricing.queries import Key
from tests.factories.pricing import (
    ADA,
    CompositeProductFactory,
    CompositeRateFactory,
    PricingUnitFactory,
    ProductFactory,
    RateCardConversionFactory,
    RateCardFactory,
    RateFactory,
    SubscriptionProductFactory,
    SubscriptionRateFactory,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2025, 10, 31, 23, tzinfo=UTC)
FROM_DECEMBER = {"starting_at_0": "2025-12-01", "starting_at_1": "00:00"}
PRODUCTS = {
    "USAGE": ProductFactory,
    "COMPOSITE": CompositeProductFactory,
    "SUBSCRIPTION": SubscriptionProductFactory,
}


@pytest.fixture(autouse=True)
def _end_of_october(settings):
    settings.SANDBOX = True
    TestClock.objects.create(instant=NOW)


@pytest.fixture
def revops():
    client = Client()
    client.force_login(User.objects.create_superuser("grace"))
    return client


@pytest.fixture
def card():
    return RateCardFactory(name="List prices 2025")


def words(response):
    """The page's text, its spaces as one."""
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode().replace("&nbsp;", " ")).split())


def tiers(*rows, prefix="tiers"):
    """Rows as a browser sends them: up to, price, fee."""
    names = ("up_to", "price", "flat_fee")
    return {
        f"{prefix}-{place}-{name}": typed
        for place, row in enumerate(rows)
        for name, typed in zip(names, row, strict=False)
    }


class Typing:
    """Somebody who changes a price: the form as it is shown, with other values typed over it."""

    def __init__(self, client, place):
        self.client, self.place = client, place
        form = client.get(place).context["form"]
        self.form = form
        self.values = {"reason": "Launch"}
        rows = [row for part in form.parts for row in part.rows]
        for part in (form, *form.parts, *rows):
            for field in part:
                widget, value = field.field.widget, field.value()
                if hasattr(widget, "widgets"):
                    for number, each in enumerate(widget.decompress(value) or ["", ""]):
                        self.values[f"{field.html_name}_{number}"] = widget.widgets[number].format_value(each) or ""
                elif value not in (None, False, ""):
                    self.values[field.html_name] = "on" if value is True else value
        self.values |= FROM_DECEMBER

    def show(self, **typed):
        self.values |= typed
        return self.client.post(self.place, self.values | {"action": "show"})

    def publish(self, **typed):
        """What it would do, and then done. Gives what was shown before it, and the rate."""
        shown = self.show(**typed)
        assert shown.context["effect"] is not None, list(shown.context["form"].complaints())
        before = set(Rate.objects.values_list("pk", flat=True))
        seen = shown.context["form"].wanted()
        answer = self.client.post(self.place, self.values | {"action": "publish", "seen": seen}, follow=True)
        assert "Published:" in words(answer)
        return words(shown), Rate.objects.exclude(pk__in=before).get()


def said(rate):
    """What a rate charges, by the columns that say something."""
    columns = ("rate_type", "price", "tiers", "package_size", "quantity", "is_prorated", "commit_rate")
    return {name: getattr(rate, name) for name in columns if getattr(rate, name) not in (None, [], "")}


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


class TestAnotherProduct:
    def choose(self, client, card, **query):
        return client.get(reverse("admin:pricing_ratecard_more", args=[card.pk], query=query))

    def test_one_with_a_single_price_leads_to_it(self, revops, card):
        product = ProductFactory(name="API calls")
        page = self.choose(revops, card)
        assert "API calls" in words(page)
        answer = self.choose(revops, card, product=product.pk, next="1")
        assert answer.url == change_url(card, Key(product.pk))
        assert "It never had a price." in words(revops.get(answer.url))

    def test_its_values_are_asked_for(self, revops, card):
        product = ProductFactory(version__pricing_group_key=["model", "region"])
        asked = self.choose(revops, card, product=product.pk, next="1").context["asked"]
        assert [field.label for field in asked] == ["model", "region"]
        assert not asked.errors
        half = {"product": product.pk, "next": "1", "value-0": "xl"}
        assert self.choose(revops, card, **half).context["asked"].errors == {"value-1": ["This field is required."]}
        answer = self.choose(revops, card, **half, **{"value-1": "eu west & more"})
        assert answer.url == change_url(card, Key(product.pk, {"model": "xl", "region": "eu west & more"}))
        _, rate = Typing(revops, answer.url).publish(rate_type="FLAT", price="1")
        assert rate.pricing_group_values == {"model": "xl", "region": "eu west & more"}

    def test_one_with_dimensions_may_be_priced_as_a_grid(self, revops, card):
        product = ProductFactory(version__pricing_group_key=["model"])
        grid = reverse("price_grid", args=[card.pk, product.pk])
        assert f'href="{grid}"' in self.choose(revops, card, product=product.pk).content.decode()
        assert "as a grid" not in words(self.choose(revops, card, product=ProductFactory().pk))

    def test_keys_to_come_are_priced_before_they_come(self, revops, card):
        january = datetime(2026, 1, 1, tzinfo=UTC)
        product = ProductFactory(version__billable_metric__group_keys=[["model"]])
        RateFactory(rate_card=card, product=product)
        changes = {"pricing_group_key": ("model",)}
        services.update_product(product.pk, starting_at=january, changes=changes, at=NOW, by=ADA)
        asked = self.choose(revops, card, product=product.pk, next="1").context["asked"]
        assert [label for _, label in asked.fields["sold"].choices] == [
            "Now: priced by nothing else",
            "From 1 January 2026 on: priced by model",
        ]
        query = {"product": product.pk, "next": "1", "sold": january.isoformat()}
        assert [field.label for field in self.choose(revops, card, **query).context["asked"]] == [
            "As it is sold",
            "model",
        ]
        answer = self.choose(revops, card, **query, **{"value-0": "xl"})
        assert answer.url == change_url(card, Key(product.pk, {"model": "xl"}))
        form = Typing(revops, answer.url)
        assert form.form["starting_at"].value() == january
        _, rate = form.publish(price="3", starting_at_0="2026-01-01")
        assert (rate.pricing_group_values, rate.starting_at) == ({"model": "xl"}, january)

    def test_a_subscription_has_a_billing_frequency(self, revops, card):
        product = SubscriptionProductFactory()
        query = {"product": product.pk, "next": "1", "billing_frequency": "QUARTERLY"}
        assert self.choose(revops, card, **query).url == change_url(card, Key(product.pk, {}, "QUARTERLY"))
        wrong = self.choose(revops, card, **query | {"billing_frequency": "DAILY"})
        assert list(wrong.context["asked"].errors) == ["billing_frequency"]

    def test_what_has_no_price_of_its_own_is_not_offered(self, revops, card):
        fixed, archived = ProductFactory(type="FIXED"), ProductFactory(archived_at=NOW)
        for product in (fixed, archived):
            page = self.choose(revops, card, product=product.pk, next="1")
            assert list(page.context["form"].errors) == ["product"]
        assert revops.get(change_url(card, Key(fixed.pk))).status_code == 404

    def test_it_takes_the_permission_to_add_prices(self, card):
        client, user = Client(), User.objects.create_user("vera", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
        client.force_login(user)
        assert self.choose(client, card).status_code == 403
