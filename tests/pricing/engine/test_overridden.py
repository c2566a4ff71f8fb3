"""A tariff under an override, shown as one tariff."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal as D
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_site.foundation.ids import derived_id
from billing_site.foundation.periods import Period
from pricing.engine.overridden import overridden
from pricing.engine.overrides import MultiplierTier, Override
from pricing.engine.targets import Target
from pricing.engine.tariffs import Tariff, Tier, flat

NOTHING = Override(derived_id("none"), "", Period(datetime(2025, 1, 1, tzinfo=UTC)), (Target(),), 1, 0)
HALF = replace(NOTHING, type="MULTIPLIER", multiplier=D("0.5"))
HALF_AT_FIRST = replace(NOTHING, type="TIERED", tiers=(MultiplierTier(D("0.5"), D(100)),))
TWO_PRICES = Tariff("TIERED", tiers=(Tier(D(10), D(150), D(40)), Tier(D(8), None, D(20))))
PACKAGE = Tariff("PACKAGE", D(12), package_size=D(10))


@pytest.mark.parametrize(
    ("listed", "override", "together"),
    [
        pytest.param(flat(D(10)), NOTHING, flat(D(10)), id="entitlement alone changes no price"),
        pytest.param(flat(D(10)), HALF, flat(D(5)), id="half a price"),
        pytest.param(flat(D(10)), replace(NOTHING, tariff=PACKAGE), PACKAGE, id="another price"),
        pytest.param(
            flat(D(10)),
            HALF_AT_FIRST,
            Tariff("TIERED", tiers=(Tier(D(5), D(100)), Tier(D(10)))),
            id="half for 100, then list",
        ),
        pytest.param(
            TWO_PRICES,
            HALF_AT_FIRST,
            Tariff("TIERED", tiers=(Tier(D(5), D(100), D(20)), Tier(D(10), D(50)), Tier(D(8), None, D(20)))),
            id="half for 100 within the first of two tiers",
        ),
        pytest.param(
            TWO_PRICES,
            replace(HALF_AT_FIRST, tiers=(MultiplierTier(D("0.5"), D(150)), MultiplierTier(D(2)))),
            Tariff("TIERED", tiers=(Tier(D(5), D(150), D(20)), Tier(D(16), None, D(40)))),
            id="tiers that end together",
        ),
        pytest.param(
            TWO_PRICES,
            HALF,
            Tariff("TIERED", tiers=(Tier(D(5), D(150), D(20)), Tier(D(4), None, D(10)))),
            id="half of every tier",
        ),
        pytest.param(PACKAGE, HALF, Tariff("PACKAGE", D(6), package_size=D(10)), id="half a package"),
        pytest.param(PACKAGE, HALF_AT_FIRST, None, id="tiers over packages are no one tariff"),
        pytest.param(
            Tariff("PERCENTAGE", D("0.2")),
            HALF_AT_FIRST,
            Tariff("TIERED_PERCENTAGE", tiers=(Tier(D("0.1"), D(100)), Tier(D("0.2")))),
            id="half a percentage of the first 100",
        ),
    ],
)
def test_a_tariff_under_an_override(listed, override, together):
    assert overridden(listed, override) == together


prices, sizes = st.integers(0, 50).map(D), st.integers(1, 40).map(D)


def charged(tiers, quantity):
    """What graduated tiers charge for the first `quantity` units, fees apart."""
    total = Fraction(0)
    for price, size in tiers:
        units = quantity if size is None else min(quantity, size)
        total += Fraction(price) * Fraction(units)
        quantity -= units
    return total


@given(
    listed=st.lists(st.tuples(prices, sizes), max_size=3),
    last=prices,
    multiples=st.lists(st.tuples(prices, sizes), min_size=1, max_size=3),
    quantity=st.integers(0, 150),
)
def test_every_unit_costs_its_tier_times_its_multiple(listed, last, multiples, quantity):
    tiers = [*listed, (last, None)]
    override = replace(HALF_AT_FIRST, tiers=tuple(MultiplierTier(*each) for each in multiples))
    together = overridden(Tariff("TIERED", tiers=tuple(Tier(*each) for each in tiers)), override)

    def unit_by_unit(n):
        def at(steps, unit, beyond):
            for value, size in steps:
                if size is None or unit < size:
                    return value
                unit -= size
            return beyond

        return sum(Fraction(at(tiers, unit, None) * at(multiples, unit, D(1))) for unit in range(n))

    assert together is not None
    assert charged([(tier.price, tier.size) for tier in together.tiers], D(quantity)) == unit_by_unit(quantity)


def test_the_largest_numbers_stay_exact():
    large, odd = D("9999999999999999.999999999999"), D("1234567890123456.999999999999")
    together = overridden(flat(large), replace(HALF, multiplier=odd))
    assert together is not None
    assert Fraction(together.price) == Fraction(large) * Fraction(odd)
