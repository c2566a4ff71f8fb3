"""What a rate card knows beside its rates."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal as D
from fractions import Fraction

from billing_site.foundation.ids import derived_id
from billing_site.foundation.money import Unit
from pricing.engine.catalog import Rate, RateCard
from pricing.engine.tariffs import Tariff, Tier, flat

USD = Unit(derived_id("USD"), "USD (cents)", 2, 2)
CREDITS = Unit(derived_id("credits"), "credits", 0, 0)
TOKENS = derived_id("tokens")
AT = datetime(2025, 1, 1, tzinfo=UTC)
RATE = Rate(derived_id("rate"), TOKENS, (), AT, None, True, flat(D(1)), USD, 1, AT, "someone")
VOLUME = Tariff("VOLUME", tiers=(Tier(D(1)),))


def card(*rates: Rate) -> RateCard:
    return RateCard(derived_id("card"), "List", USD, rates, (TOKENS,), {CREDITS.id: D("0.3")})


def test_what_a_unit_is_in_money():
    assert card().exchange(USD) == 1
    assert card().exchange(CREDITS) == Fraction(3, 10)
    assert card().exchange(replace(CREDITS, id=derived_id("others"))) is None


def test_whether_some_price_depends_on_the_whole_period():
    assert not card().prices_by_volume
    assert not card(RATE).prices_by_volume
    assert card(RATE, replace(RATE, tariff=VOLUME)).prices_by_volume
    assert card(replace(RATE, commit_tariff=VOLUME)).prices_by_volume
