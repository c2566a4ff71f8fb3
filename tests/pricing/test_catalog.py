from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from billing_site.foundation.money import Unit
from billing_site.foundation.transactions import read_snapshot
from pricing import queries
from pricing.engine.catalog import Catalog, Conversion, Metric, ProductVersion, Rate, RateCard, Rounding
from pricing.engine.tariffs import flat
from pricing.units import USD_ID
from tests.factories.pricing import (
    FixedProductFactory,
    MetricFactory,
    PricingUnitFactory,
    ProductFactory,
    PublicationFactory,
    RateCardConversionFactory,
    RateCardFactory,
    RateCardPlaceFactory,
    RateFactory,
    RateWithdrawalFactory,
)

pytestmark = pytest.mark.django_db

USD = Unit(USD_ID, "USD (cents)", 2, 2, "USD")
PUBLISHED_AT = datetime(2025, 9, 1, 8, 15, tzinfo=UTC)


def test_the_catalog_is_what_was_published():
    metric = MetricFactory(name="Tokens", aggregation_type="SUM", aggregation_key="tokens")
    product = ProductFactory(
        name="Model xl",
        version__billable_metric=metric,
        version__pricing_group_key=["model", "region"],
        version__presentation_group_key=["team"],
        version__conversion_factor=D(1_000_000),
        version__conversion_operation="DIVIDE",
        version__conversion_name="million tokens",
        version__rounding_decimal_places=2,
        version__rounding_method="ROUND_UP",
        version__tags=["ai"],
    )
    commitment = FixedProductFactory()
    rate = RateFactory(
        product=product,
        pricing_group_values={"region": "eu", "model": "xl"},
        price=D("0.2"),
        publication=PublicationFactory(published_at=PUBLISHED_AT, published_by="Grace"),
    )
    expected_rate = Rate(
        id=rate.id,
        product_id=product.id,
        values=(("model", "xl"), ("region", "eu")),
        starting_at=datetime(2025, 1, 1, tzinfo=UTC),
        ending_before=None,
        entitled=True,
        tariff=flat(D("0.2")),
        unit=USD,
        publication=rate.publication_id,
        published_at=PUBLISHED_AT,
        published_by="Grace",
    )
    catalog = queries.catalog(rate_card_ids=[rate.rate_card_id])
    assert catalog == Catalog(
        publication=rate.publication_id,
        metrics={metric.id: Metric(metric.id, "Tokens", "SUM")},
        products={
            product.id: (
                ProductVersion(
                    product_id=product.id,
                    type="USAGE",
                    name="Model xl",
                    starting_at=None,
                    publication=product.versions.get().publication_id,
                    metric_id=metric.id,
                    pricing_group_key=("model", "region"),
                    presentation_group_key=("team",),
                    conversion=Conversion(D(1_000_000), "DIVIDE"),
                    rounding=Rounding(2, "ROUND_UP"),
                    tags=("ai",),
                ),
            ),
            commitment.id: (
                ProductVersion(
                    product_id=commitment.id,
                    type="FIXED",
                    name="Commitment",
                    starting_at=None,
                    publication=commitment.versions.get().publication_id,
                ),
            ),
        },
        rate_cards={
            rate.rate_card_id: RateCard(rate.rate_card_id, "List prices", USD, (expected_rate,), (product.id,))
        },
    )
    [version] = catalog.products[product.id]
    assert version.conversion is not None
    assert version.conversion.name == "million tokens"  # which is no part of its equality


def test_an_empty_house_has_an_empty_catalog():
    assert queries.catalog(rate_card_ids=[]) == Catalog(0, {}, {}, {})
    assert queries.latest_publication() == 0


def test_a_catalog_of_the_past_knows_neither_later_rates_nor_later_withdrawals_nor_later_products():
    card, product = RateCardFactory(), ProductFactory()
    first = RateFactory(rate_card=card, product=product)
    second = RateFactory(rate_card=card, product=product, price=D(2))
    withdrawal = RateWithdrawalFactory(rate=first)
    ProductFactory()

    def known_at(publication):
        catalog = queries.catalog(rate_card_ids=[card.id], at_publication=publication)
        return [rate.id for rate in catalog.rate_cards[card.id].rates], len(catalog.products)

    assert known_at(first.publication_id) == ([first.id], 1)
    assert known_at(second.publication_id) == ([first.id, second.id], 1)
    assert known_at(withdrawal.publication_id) == ([second.id], 1)
    assert known_at(None) == ([second.id], 2)


def test_a_catalog_of_the_past_knows_neither_later_conversions_nor_later_orders():
    first, second = RateFactory(), RateFactory()
    card = first.rate_card
    other = RateFactory(rate_card=card, product=second.product)
    conversion = RateCardConversionFactory(rate_card=card)
    ordered = RateCardPlaceFactory(rate_card=card, product=other.product)
    again = RateCardPlaceFactory(rate_card=card, product=first.product)

    def known_at(publication):
        found = queries.catalog(rate_card_ids=[card.id], at_publication=publication).rate_cards[card.id]
        return found.fiat_per_custom_unit, found.product_order

    as_priced = (first.product_id, other.product_id)
    worth = {conversion.unit_id: D(10)}
    assert known_at(other.publication_id) == ({}, as_priced)
    assert known_at(conversion.publication_id) == (worth, as_priced)
    assert known_at(ordered.publication_id) == (worth, as_priced[::-1])
    assert known_at(again.publication_id) == known_at(None) == (worth, as_priced)


def test_only_the_cards_asked_for_are_compiled():
    rate, other = RateFactory(), RateFactory()
    assert set(queries.catalog(rate_card_ids=[rate.rate_card_id]).rate_cards) == {rate.rate_card_id}
    both = queries.catalog(rate_card_ids=[rate.rate_card_id, other.rate_card_id])
    assert set(both.rate_cards) == {rate.rate_card_id, other.rate_card_id}


def queries_of_the_catalog(cards):
    with CaptureQueriesContext(connection) as captured:
        queries.catalog(rate_card_ids=cards)
    return len(captured)


def test_the_catalog_costs_the_same_whatever_its_size():
    cards, unit = [], PricingUnitFactory()
    for _ in range(3):
        rate = RateFactory()
        RateFactory(rate_card=rate.rate_card)
        RateCardConversionFactory(rate_card=rate.rate_card, unit=unit)
        RateCardPlaceFactory(rate_card=rate.rate_card, product=rate.product)
        cards.append(rate.rate_card_id)
        assert [queries_of_the_catalog(cards) for _ in range(2)] == [10, 4]


def test_what_a_process_keeps_of_a_card_is_never_out_of_date():
    rate = RateFactory()
    card, publication = rate.rate_card, rate.publication

    def compiled():
        found = queries.catalog(rate_card_ids=[card.id]).rate_cards[card.id]
        return found.name, [row.id for row in found.rates]

    def beside():
        found = queries.catalog(rate_card_ids=[card.id]).rate_cards[card.id]
        return len(found.fiat_per_custom_unit), found.product_order

    assert compiled() == ("List prices", [rate.id])
    second = RateFactory(rate_card=card, publication=publication)  # by the publication that was looked at
    assert compiled() == ("List prices", [rate.id, second.id])
    RateWithdrawalFactory(rate=rate, publication=publication)
    assert compiled() == ("List prices", [second.id])
    third = RateFactory(rate_card=card, publication=publication)
    assert beside() == (0, (second.product_id, third.product_id))
    RateCardConversionFactory(rate_card=card, publication=publication)
    assert beside() == (1, (second.product_id, third.product_id))
    RateCardPlaceFactory(rate_card=card, product=third.product, publication=publication)
    assert beside() == (1, (third.product_id, second.product_id))
    card.name = "Prices"
    card.save()
    assert compiled() == ("Prices", [second.id, third.id])


@pytest.mark.django_db(transaction=True)
def test_where_all_that_is_seen_is_committed_the_last_publication_says_enough():
    rate = RateFactory()

    def compiled():
        with read_snapshot(), CaptureQueriesContext(connection) as statements:
            found = queries.catalog(rate_card_ids=[rate.rate_card_id])
        return [each.id for each in found.rate_cards[rate.rate_card_id].rates], len(statements)

    assert [compiled(), compiled()] == [([rate.id], 9), ([rate.id], 3)]
    second = RateFactory(rate_card=rate.rate_card)
    assert [compiled(), compiled()] == [([rate.id, second.id], 9), ([rate.id, second.id], 3)]
    RateWithdrawalFactory(rate=rate)
    assert compiled() == ([second.id], 9)


def test_what_a_process_keeps_survives_no_rollback():
    card = RateCardFactory()

    def publish_in_vain(price):
        with transaction.atomic():
            number = RateFactory(rate_card=card, price=D(price)).publication_id
            (rate,) = queries.catalog(rate_card_ids=[card.id]).rate_cards[card.id].rates
            transaction.set_rollback(True)
        return number, rate.tariff.price

    assert publish_in_vain(1)[1] == 1
    first, second = publish_in_vain(2), publish_in_vain(3)
    assert first[0] == second[0]  # the same number twice
    assert (first[1], second[1]) == (2, 3)
