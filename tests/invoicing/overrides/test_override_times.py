"""From when to when an override holds, what it does to a list that changes, and how it is taken out."""

from decimal import Decimal as D

import pytest

from tests.factories.pricing import RateFactory
from tests.invoicing.conftest import OCTOBER, at, use
from tests.invoicing.overrides.town import october, price, times

pytestmark = pytest.mark.django_db

MIDDLE, LAST = at("2025-10-10T05"), at("2025-10-10T06")


@pytest.mark.parametrize(
    ("overrides", "calls"),
    [
        pytest.param([times(0.5) | {"starting_at": at("2025-11-01")}], 1_000, id="a future start"),
        pytest.param([times(0.5) | {"ending_before": MIDDLE}], 900, id="up to an hour and not including it"),
        pytest.param([times(0.5) | {"ending_before": LAST}], 800, id="up to the next hour"),
        pytest.param([times(0.5) | {"starting_at": MIDDLE, "ending_before": LAST}], 900, id="over one hour"),
        pytest.param([times(0.5) | {"starting_at": LAST}], 700, id="from the next hour on"),
        pytest.param(
            [times(0.5) | {"ending_before": LAST}, times(0.8) | {"starting_at": MIDDLE}],
            # 200 and 200 at half, 600 at 0.8: in the hour that both cover the smaller one holds
            100 + 100 + 480,
            id="ranges that overlap",
        ),
        pytest.param(
            [price(1) | {"ending_before": LAST}, price(4) | {"ending_before": MIDDLE}, times(0.5)],
            # 200 twice the list, then 200 at half by price, then 600 at half by multiplier
            400 + 100 + 300,
            id="what ends uncovers what it covered",
        ),
        pytest.param(
            [{"entitled": False, "ending_before": LAST}, {"entitled": True, "ending_before": MIDDLE}],
            200 + 0 + 600,
            id="in and out of the deal",
        ),
    ],
)
def test_an_override_holds_from_its_start_up_to_its_end(amounts, town, overrides, calls):
    use(town.calls_made, "2025-10-02T00", 100, {})
    use(town.calls_made, "2025-10-10T06", 300, {})

    # 100 calls before the middle, 100 in its hour, 300 after it: 200, 200 and 600 by the list.
    assert amounts(overrides)[0] == calls


def test_an_overwritten_price_outlives_a_change_of_the_list(amounts, town):
    RateFactory(rate_card=town.card, product=town.calls, price=D(50), starting_at=OCTOBER)

    assert amounts([price(3)])[0] == 300


def test_a_multiplier_follows_the_list(amounts, town):
    RateFactory(rate_card=town.card, product=town.calls, price=D(50), starting_at=OCTOBER)

    assert amounts([times(0.5)])[0] == 2_500


def test_an_override_that_is_taken_out_was_never_there(amounts, town, admin):
    assert amounts([times(0.5), times(0.1)])[0] == 20
    [contract] = admin.v2.contracts.list(customer_id=str(town.customer.pk)).data
    smaller = next(override for override in contract.overrides if override.multiplier == 0.1)

    admin.v2.contracts.edit(
        customer_id=str(town.customer.pk), contract_id=contract.id, remove_overrides=[{"id": smaller.id}]
    )

    assert october(admin, town)[0] == 100
