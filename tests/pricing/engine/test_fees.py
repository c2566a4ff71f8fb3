"""Fees for a period: the table of `pricing/engine/fees.py`."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal as D
from fractions import Fraction as F

import pytest

from billing_site.foundation.ids import derived_id
from billing_site.foundation.money import Unit
from billing_site.foundation.periods import Period
from pricing.engine.catalog import Rate, RateCard
from pricing.engine.fees import period_fee
from pricing.engine.overrides import EXPLICIT, MultiplierTier, Override
from pricing.engine.prices import Price, Unpriced, price_at
from pricing.engine.targets import Offer, Target
from pricing.engine.tariffs import Tariff, Tier, flat

AT = datetime(2025, 10, 15, tzinfo=UTC)
SEATS = derived_id("seats")
MONTHLY = Offer(SEATS, (), (), (), "MONTHLY")
RATE = Rate(
    id=derived_id("rate"),
    product_id=SEATS,
    values=(),
    starting_at=datetime(2025, 1, 1, tzinfo=UTC),
    ending_before=None,
    entitled=True,
    tariff=flat(D(100)),
    unit=Unit(derived_id("USD"), "USD (cents)", 2, 2),
    publication=1,
    published_at=AT,
    published_by="someone",
    billing_frequency="MONTHLY",
)
HALF = Override(
    derived_id("half"), "MULTIPLIER", Period(RATE.starting_at), (Target(SEATS, billing_frequency="MONTHLY"),), 1, 0,
    multiplier=D("0.5"), priority=D(1),
)  # fmt: skip
TIERS = Tariff("TIERED", tiers=(Tier(D(100), D(2)), Tier(D(80))))
FIVE = Tariff("SUBSCRIPTION", D(100), quantity=D(5), is_prorated=True)


@pytest.mark.parametrize(
    ("tariff", "overrides", "fee"),
    [
        pytest.param(flat(D(100)), [], 300, id="flat"),
        pytest.param(flat(D(100)), [HALF], 150, id="half"),
        pytest.param(TIERS, [], 280, id="tiered"),
        pytest.param(Tariff("VOLUME", tiers=TIERS.tiers), [], 240, id="volume"),
        pytest.param(Tariff("PACKAGE", D(90), package_size=D(2)), [], 180, id="packages"),
        pytest.param(FIVE, [], 500, id="a quantity of its own"),
        pytest.param(FIVE, [HALF], 250, id="half of it"),
        pytest.param(replace(FIVE, quantity=D(0)), [], 0, id="none of its own"),
        pytest.param(
            FIVE,
            [replace(HALF, type="TIERED", multiplier=None, tiers=(MultiplierTier(D("0.5"), D(2)),))],
            400,
            id="half for the first two",
        ),
    ],
)
def test_the_table_of_fees(tariff, overrides, fee):
    card = RateCard(derived_id("card"), "List", RATE.unit, (replace(RATE, tariff=tariff),), (SEATS,))
    price = price_at(card, MONTHLY, AT, overrides=overrides, prioritization=EXPLICIT)
    assert isinstance(price, Price)
    assert period_fee(price, F(3)) == fee


def test_rates_of_several_frequencies_stand_beside_each_other():
    yearly = replace(RATE, id=derived_id("yearly"), tariff=flat(D(1000)), billing_frequency="ANNUAL")
    card = RateCard(derived_id("card"), "List", RATE.unit, (RATE, yearly), (SEATS,))
    found = [
        price_at(card, replace(MONTHLY, billing_frequency=frequency), AT, overrides=[HALF])
        for frequency in ("MONTHLY", "ANNUAL", "WEEKLY")
    ]
    assert [each.unit_price for each in found[:2]] == [50, 1000], "the override is on the monthly one alone"
    assert found[2] is Unpriced.NO_RATE
