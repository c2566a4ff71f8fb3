"""What the database refuses to change under published prices, whoever asks."""

import pytest
from django.db import IntegrityError, transaction

from pricing.models import PricingUnit, Product, RateCard
from tests.factories.pricing import (
    PricingUnitFactory,
    ProductFactory,
    RateCardConversionFactory,
    RateCardFactory,
    dollars,
)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "rule"),
    [
        pytest.param(
            lambda: PricingUnit.objects.filter(pk=RateCardConversionFactory().unit_id).update(is_currency=True),
            "a_pricing_unit_stays_what_it_is",
            id="a converted unit that becomes money",
        ),
        pytest.param(
            lambda: PricingUnit.objects.filter(pk=dollars().pk).update(is_currency=False),
            "a_pricing_unit_stays_what_it_is",
            id="money that becomes a custom unit",
        ),
        pytest.param(
            lambda: PricingUnit.objects.filter(pk=dollars().pk).update(wire_exponent=0),
            "a_pricing_unit_stays_what_it_is",
            id="cents that become dollars",
        ),
        pytest.param(
            lambda: PricingUnit.objects.filter(pk=dollars().pk).update(minor_exponent=3),
            "a_pricing_unit_stays_what_it_is",
            id="tenths of a cent to pay",
        ),
        pytest.param(
            lambda: PricingUnit.objects.filter(pk=dollars().pk).update(code="EUR"),
            "a_pricing_unit_stays_what_it_is",
            id="dollars that become euros",
        ),
        pytest.param(
            lambda: RateCard.objects.filter(pk=RateCardFactory().pk).update(
                fiat_unit=PricingUnit.objects.get(code="EUR")
            ),
            "a_rate_card_keeps_its_currency",
            id="a card in another currency",
        ),
        pytest.param(
            lambda: Product.objects.filter(pk=ProductFactory().pk).update(type="FIXED"),
            "a_product_keeps_its_type",
            id="a product of another type",
        ),
        pytest.param(
            lambda: RateCardFactory(fiat_unit=PricingUnitFactory()),
            "a_rate_card_is_in_a_currency",
            id="a card in a custom unit",
        ),
    ],
)
def test_the_database_refuses(change, rule):
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        change()


@pytest.mark.django_db
def test_names_may_change_and_rows_be_archived():
    unit, card, product = PricingUnitFactory(), RateCardFactory(), ProductFactory()
    for row in (unit, card, product):
        row.name = "Another name"
        row.archived_at = row.created_at
        row.save()
    assert PricingUnit.objects.filter(pk=unit.pk, name="Another name", archived_at=unit.created_at).exists()
