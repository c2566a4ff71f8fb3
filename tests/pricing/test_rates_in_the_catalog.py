"""Rates of every type: what is kept of them, what the engine is told, and which products take which."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.ids import uuid7
from billing_site.foundation.refusals import NotSupported, Refusal
from pricing import queries, services
from pricing.engine.tariffs import Tariff, Tier, flat
from pricing.models import Rate
from pricing.services import CommitRate, NewRate, TierInput
from tests.factories.pricing import (
    NOW,
    CompositeProductFactory,
    PricingUnitFactory,
    ProductFactory,
    RateCardConversionFactory,
    RateCardFactory,
    RateFactory,
    SubscriptionProductFactory,
)

pytestmark = pytest.mark.django_db

JANUARY = datetime(2025, 1, 1, tzinfo=UTC)
PRODUCTS = {
    "USAGE": ProductFactory,
    "COMPOSITE": CompositeProductFactory,
    "SUBSCRIPTION": SubscriptionProductFactory,
}
SENT = (TierInput(D("0.2"), D(100), D(5)), TierInput(D("0.1")))
TIERS = (Tier(D("0.2"), D(100), D(5)), Tier(D("0.1")))
SHARES = (TierInput(D("0.2"), D(100)), TierInput(D("0.1")))


def new(product, rate_type, **said):
    return NewRate(product_id=product.pk, starting_at=JANUARY, entitled=True, rate_type=rate_type, **said)


def compiled(card):
    (rate,) = queries.catalog(rate_card_ids=[card.pk]).rate_cards[card.pk].rates
    return rate


@pytest.mark.parametrize(
    ("kind", "rate_type", "said", "tariff"),
    [
        pytest.param("USAGE", "FLAT", {"price": D(2)}, flat(D(2)), id="flat"),
        pytest.param("USAGE", "TIERED", {"tiers": SENT}, Tariff("TIERED", tiers=TIERS), id="tiers"),
        pytest.param("USAGE", "VOLUME", {"tiers": SENT}, Tariff("VOLUME", tiers=TIERS), id="volume"),
        pytest.param(
            "USAGE",
            "PACKAGE",
            {"price": D(12), "package_size": D(10)},
            Tariff("PACKAGE", D(12), package_size=D(10)),
            id="packages",
        ),
        pytest.param("COMPOSITE", "PERCENTAGE", {"price": D("0.1")}, Tariff("PERCENTAGE", D("0.1")), id="a share"),
        pytest.param(
            "COMPOSITE",
            "TIERED_PERCENTAGE",
            {"tiers": SHARES},
            Tariff("TIERED_PERCENTAGE", tiers=(Tier(D("0.2"), D(100)), Tier(D("0.1")))),
            id="shares",
        ),
        pytest.param(
            "SUBSCRIPTION", "FLAT", {"price": D(9), "billing_frequency": "MONTHLY"}, flat(D(9)), id="by the month"
        ),
        pytest.param(
            "SUBSCRIPTION",
            "SUBSCRIPTION",
            {"price": D(9), "quantity": D(0), "is_prorated": True},
            Tariff("SUBSCRIPTION", D(9), quantity=D(0), is_prorated=True),
            id="a legacy subscription",
        ),
    ],
)
def test_the_engine_is_told_what_was_published(told, kind, rate_type, said, tariff):
    card, product = RateCardFactory(), PRODUCTS[kind]()
    added = services.add_rate(card.pk, new(product, rate_type, **said), **told)
    rate = compiled(card)
    assert (rate.tariff, rate.commit_tariff) == (tariff, None)
    assert rate.billing_frequency == said.get("billing_frequency", "")
    assert Rate.objects.get().to_tariff() == added.to_tariff() == tariff


@pytest.mark.parametrize(
    ("commit_rate", "tariff"),
    [
        (CommitRate("FLAT", D(8)), flat(D(8))),
        (CommitRate("TIERED", tiers=SENT), Tariff("TIERED", tiers=TIERS)),
        (CommitRate("PACKAGE", D(9), package_size=D(10)), Tariff("PACKAGE", D(9), package_size=D(10))),
    ],
    ids=["flat", "tiers", "packages"],
)
def test_a_commit_rate_stands_beside_the_list_rate(told, commit_rate, tariff):
    card, product = RateCardFactory(), ProductFactory()
    services.add_rate(card.pk, new(product, "TIERED", tiers=SENT, commit_rate=commit_rate), **told)
    assert (compiled(card).tariff, compiled(card).commit_tariff) == (Tariff("TIERED", tiers=TIERS), tariff)
    assert Rate.objects.get().to_commit_tariff() == tariff


FLAT = {"rate_type": "FLAT", "price": D(1)}
SHARE = {"rate_type": "PERCENTAGE", "price": D("0.1")}
BY_MONTH = {**FLAT, "billing_frequency": "MONTHLY"}


@pytest.mark.parametrize(
    ("kind", "said", "field", "rule"),
    [
        pytest.param(
            "USAGE", SHARE, "rate_type", "must be one of FLAT, TIERED, VOLUME, PACKAGE", id="a share of nothing"
        ),
        pytest.param(
            "COMPOSITE", FLAT, "rate_type", "must be one of PERCENTAGE, TIERED_PERCENTAGE", id="a flat composite"
        ),
        pytest.param(
            "SUBSCRIPTION",
            {"rate_type": "TIERED", "tiers": SENT, "billing_frequency": "MONTHLY"},
            "rate_type",
            "must be one of FLAT, SUBSCRIPTION",
            id="a subscription in tiers",
        ),
        pytest.param(
            "SUBSCRIPTION", FLAT, "billing_frequency", "is required for FLAT rates", id="a subscription for ever"
        ),
        pytest.param("USAGE", BY_MONTH, "billing_frequency", "is for SUBSCRIPTION products only", id="usage by month"),
        pytest.param(
            "SUBSCRIPTION",
            {**FLAT, "billing_frequency": "DAILY"},
            "billing_frequency",
            "must be one of WEEKLY, MONTHLY, QUARTERLY, ANNUAL",
            id="by the day",
        ),
        pytest.param(
            "SUBSCRIPTION",
            {"rate_type": "SUBSCRIPTION", "price": D(1), "quantity": D(-1), "is_prorated": True},
            "quantity",
            "must not be negative",
            id="less than no seat",
        ),
        pytest.param(
            "COMPOSITE",
            {**SHARE, "pricing_group_values": {"model": "xl"}},
            "pricing_group_values",
            "must have nothing",
            id="a share by model",
        ),
        pytest.param(
            "USAGE",
            {**FLAT, "commit_rate": CommitRate("PERCENTAGE", D("0.1"))},
            "commit_rate.rate_type",
            "must be one of FLAT, TIERED, VOLUME, PACKAGE",
            id="a commit rate that is a share",
        ),
        pytest.param(
            "USAGE",
            {**FLAT, "commit_rate": CommitRate("FLAT")},
            "commit_rate.price",
            "is required for the rate type FLAT",
            id="a commit rate without a price",
        ),
        pytest.param(
            "USAGE",
            {**FLAT, "commit_rate": CommitRate("TIERED", tiers=(TierInput(D(1), D(-5)), TierInput(D(1))))},
            "commit_rate.tiers[0].size",
            "must be greater than 0",
            id="a commit rate with a tier of less than nothing",
        ),
        pytest.param(
            "SUBSCRIPTION",
            {**BY_MONTH, "commit_rate": CommitRate("FLAT", D(1))},
            "commit_rate",
            "is for USAGE products only",
            id="a commit rate of seats",
        ),
        pytest.param(
            "USAGE", {**FLAT, "custom_rate": {"a": 1}}, "custom_rate", "belongs to the rate type CUSTOM", id="both"
        ),
    ],
)
def test_what_does_not_suit_is_refused_by_field_value_and_rule(told, kind, said, field, rule):
    card, product = RateCardFactory(), PRODUCTS[kind]()
    with pytest.raises(Refusal) as refusal:
        services.add_rates(card.pk, [new(product, **said)], **told)
    (error,) = refusal.value.errors
    assert error.field == f"rates[0].{field}"
    assert rule in error.rule
    assert not Rate.objects.exists()


def test_a_custom_rate_needs_a_processor(told):
    with pytest.raises(NotSupported, match="there is no processor to rate it"):
        services.add_rate(RateCardFactory().pk, new(ProductFactory(), "CUSTOM", custom_rate={"a": 1}), **told)


def test_a_custom_unit_is_priced_once_the_card_converts_it(told):
    card, product, unit = RateCardFactory(), ProductFactory(), PricingUnitFactory(name="Credits")
    priced = new(product, **FLAT, credit_type_id=unit.pk)
    with pytest.raises(Refusal, match="has no conversion of Credits to USD") as refusal:
        services.add_rate(card.pk, priced, **told)
    assert refusal.value.errors[0].field == "credit_type_id"
    services.update_rate_card(
        card.pk, add_credit_type_conversions=[services.CreditTypeConversion(unit.pk, D("2.5"))], **told
    )
    services.add_rate(card.pk, priced, **told)
    found = queries.catalog(rate_card_ids=[card.pk]).rate_cards[card.pk]
    assert found.rates[0].unit == unit.to_unit()
    assert found.fiat_per_custom_unit == {unit.pk: D("2.5")}


def test_the_catalog_knows_a_conversion_from_its_publication_on(told):
    card = RateCardFactory()
    RateFactory(rate_card=card)
    before = queries.latest_publication()
    unit = RateCardConversionFactory(rate_card=card).unit
    then = queries.catalog(rate_card_ids=[card.pk], at_publication=before).rate_cards[card.pk]
    assert then.fiat_per_custom_unit == {}
    now = queries.catalog(rate_card_ids=[card.pk]).rate_cards[card.pk]
    assert now.fiat_per_custom_unit == {unit.pk: 10}


@pytest.mark.parametrize(
    ("unit", "rule"),
    [
        (lambda: uuid7(), "there is no such pricing unit"),
        (lambda: queries.units().get(code="EUR").pk, "the currency of this rate card is USD"),
        (lambda: PricingUnitFactory(name="Old credits", archived_at=NOW).pk, "is archived"),
    ],
    ids=["unknown", "another currency", "archived"],
)
def test_a_unit_that_a_rate_cannot_have(told, unit, rule):
    with pytest.raises(Refusal, match=rule):
        services.add_rate(RateCardFactory().pk, new(ProductFactory(), **FLAT, credit_type_id=unit()), **told)


def test_a_product_keeps_its_unit_on_a_card_and_may_have_another_elsewhere(told):
    card = RateCardFactory()
    product = ProductFactory(version__pricing_group_key=["model"])
    unit = RateCardConversionFactory(rate_card=card).unit
    services.add_rate(card.pk, new(product, **FLAT, pricing_group_values={"model": "s"}), **told)
    other = new(product, **FLAT, pricing_group_values={"model": "xl"}, credit_type_id=unit.pk)
    with pytest.raises(Refusal, match=r"is priced in USD .* on this rate card, which cannot change"):
        services.add_rate(card.pk, other, **told)
    elsewhere = RateCardConversionFactory(unit=unit).rate_card
    services.add_rate(elsewhere.pk, other, **told)


def test_one_request_cannot_price_a_product_in_two_units(told):
    card = RateCardFactory()
    product = ProductFactory(version__pricing_group_key=["model"])
    unit = RateCardConversionFactory(rate_card=card).unit
    both = [
        new(product, **FLAT, pricing_group_values={"model": "s"}),
        new(product, **FLAT, pricing_group_values={"model": "xl"}, credit_type_id=unit.pk),
    ]
    with pytest.raises(Refusal) as refusal:
        services.add_rates(card.pk, both, **told)
    assert [error.field for error in refusal.value.errors] == ["rates[1].credit_type_id"]


def test_a_share_names_no_unit(told):
    card = RateCardFactory()
    unit = RateCardConversionFactory(rate_card=card).unit
    with pytest.raises(Refusal, match="a share is in the unit of what it is of"):
        services.add_rate(card.pk, new(CompositeProductFactory(), **SHARE, credit_type_id=unit.pk), **told)


def test_frequencies_are_prices_of_their_own(told):
    card, product = RateCardFactory(), SubscriptionProductFactory()
    by_month = new(product, "FLAT", price=D(100), billing_frequency="MONTHLY")
    by_year = new(product, "FLAT", price=D(1000), billing_frequency="ANNUAL")
    services.add_rates(card.pk, [by_month, by_year], **told)
    found = queries.catalog(rate_card_ids=[card.pk]).rate_cards[card.pk]
    assert found.over_time((product.pk, (), "MONTHLY")).at(NOW).tariff.price == 100
    assert found.over_time((product.pk, (), "ANNUAL")).at(NOW).tariff.price == 1000


def test_thousands_of_rates_cost_as_many_queries_as_their_batches(told):
    card, product = RateCardFactory(), ProductFactory(version__pricing_group_key=["model"])

    def queries_for(count, prefix):
        rates = [new(product, **FLAT, pricing_group_values={"model": f"{prefix}{n}"}) for n in range(count)]
        with CaptureQueriesContext(connection) as captured:
            services.add_rates(card.pk, rates, **told)
        return len(captured)

    assert queries_for(3000, "m") == queries_for(1, "n") + 2
