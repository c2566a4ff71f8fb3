"""Overrides whose price depends on the quantity of the period: tiers of multipliers, and prices of every type."""

from typing import Any

import pytest

from tests.invoicing.conftest import at, use
from tests.invoicing.overrides.town import price, times

pytestmark = pytest.mark.django_db


def tiered(*tiers: tuple[float, float | None], priority: float = 1, **target: Any) -> dict[str, Any]:
    """Multipliers with the quantity that each is for; None for the rest."""
    steps = [{"multiplier": each} | ({} if size is None else {"size": size}) for each, size in tiers]
    return {"type": "TIERED", "tiers": steps, "priority": priority, **target}


@pytest.mark.parametrize(
    ("overrides", "shown"),
    [
        pytest.param([tiered((0.5, 50))], (50 + 100, 200, 200, 25 + 50), id="half for 50, then list"),
        pytest.param([tiered((0.5, 100))], (100, 200, 200, 50), id="a unit at the end of a tier is within it"),
        pytest.param([tiered((0.5, 50), (0.1, None))], (50 + 10, 200, 200, 25 + 5), id="half for 50, then a tenth"),
        pytest.param([tiered((1, 50), (0.5, 25))], (100 + 25 + 50, 400, 400, 50 + 12.5 + 25), id="list, half, list"),
        pytest.param([tiered((0.5, None))], (100, 200, 200, 50), id="half of everything"),
        pytest.param([tiered((0, 10))], (180, 0, 0, 90), id="the first ten are free; each region counts for itself"),
        pytest.param([tiered((0.5, 50)), times(0.9, 2)], (150, 200, 200, 75), id="goes before a multiplier by rank"),
        pytest.param([tiered((0.5, 50), priority=2), times(0.9, 1)], (180, 360, 360, 90), id="or after it"),
        pytest.param([tiered((0.5, 50)), times(0.1, 1)], (20, 40, 40, 10), id="of equal ranks the last one added"),
        pytest.param([price(3), tiered((0.5, 50))], (300, 200, 200, 75), id="an overwritten price goes first"),
    ],
)
def test_tiers_of_multipliers_apply_to_the_periods_quantity(amounts, overrides, shown):
    assert amounts(overrides, "EXPLICIT") == shown


def test_the_quantity_of_tiers_runs_on_over_hours_and_cuts(amounts, town):
    use(town.calls_made, "2025-10-02T00", 30, {})
    use(town.calls_made, "2025-10-15T00", 10, {})
    idle = times(0.9, 9) | {"starting_at": at("2025-10-05")}

    # 140 calls: 30, then 100, then 10. The first 50 at half, whichever hours they are in.
    assert amounts([tiered((0.5, 50)), idle], "EXPLICIT")[0] == 50 + 180


def own_price(rate: dict[str, Any]) -> dict[str, Any]:
    return {"type": "OVERWRITE", "overwrite_rate": rate, "product_id": "Calls"}


@pytest.mark.parametrize(
    ("rate", "calls"),
    [
        pytest.param({"rate_type": "TIERED", "tiers": [{"price": 3, "size": 40}, {"price": 1}]}, 180, id="graduated"),
        pytest.param({"rate_type": "VOLUME", "tiers": [{"price": 3, "size": 40}, {"price": 1}]}, 100, id="by volume"),
        pytest.param({"rate_type": "PACKAGE", "price": 7, "package_size": 30}, 28, id="started packages"),
    ],
)
def test_an_overwritten_price_may_be_of_any_type(amounts, rate, calls):
    assert amounts([own_price(rate), times(0.1)])[0] == calls
