"""A price raised by percent: exact, and rounded once."""

from decimal import ROUND_HALF_UP, Context
from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from billing_site.foundation.ids import uuid7
from billing_site.foundation.money import Unit
from pricing.services.price_raises import raised


@given(
    price=st.decimals(0, 10**9, places=12),
    percent=st.decimals(-100, 1000, places=4),
    places=st.sampled_from([0, 1, 2, 3, 4, 6, 8, 10]),
    wire=st.sampled_from([0, 2]),
)
def test_a_raised_price_is_rounded_once_half_away_from_zero(price, percent, places, wire):
    unit = Unit(uuid7(), "Money", wire_exponent=wire, minor_exponent=2)
    wide = Context(prec=60, rounding=ROUND_HALF_UP)
    exact = wide.multiply(price.scaleb(-wire, wide), wide.add(1, wide.divide(percent, 100)))
    assert raised(price, percent, places=places, unit=unit) == exact.quantize(
        D(1).scaleb(-places), context=wide
    ).scaleb(wire)
