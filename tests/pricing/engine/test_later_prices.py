"""Which published prices somebody has to decide on where new ones begin before them."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from pricing.engine.later import Later


@dataclass(frozen=True)
class Price:
    name: str
    starting_at: datetime


def day(of_month):
    return datetime(2025, 10, of_month, tzinfo=UTC)


LAST, BEFORE, FIRST, SAME = (
    Price("last", day(20)),
    Price("before", day(2)),
    Price("first", day(10)),
    Price("same", day(5)),
)
STANDING = [LAST, BEFORE, SAME, FIRST]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        pytest.param({}, [FIRST, LAST], id="what begins after it, in order of time"),
        pytest.param({"until": day(20)}, [FIRST], id="up to where it ends, and no longer"),
        pytest.param({"replaced": [day(10)]}, [LAST], id="what begins with another new one is replaced"),
    ],
)
def test_asked_is_what_begins_while_a_new_price_holds(options, found):
    later = Later.of(STANDING, since=day(5), withdraws=lambda price: False, **options)
    assert list(later.asked(lambda price: True)) == [(price, False) for price in found]


def test_what_is_withdrawn_is_asked_even_so_and_what_is_hidden_is_not():
    later = Later.of(STANDING, since=day(5), withdraws=lambda price: price == FIRST)
    assert list(later.asked(lambda price: False)) == [(FIRST, True)]
    assert later.left(STANDING) == [LAST, BEFORE, SAME]
