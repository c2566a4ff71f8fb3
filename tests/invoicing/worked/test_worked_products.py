"""What October comes to where a product changes within the month, is sold by groups, or beside another.

As in `test_worked_prices.py`: set up through the API, read off the printed draft, worked out by hand, in cents.
"""

import pytest

from tests.invoicing.shop import MIDDLE

pytestmark = pytest.mark.django_db

UP = {"decimal_places": 0, "rounding_method": "ROUND_UP"}
DOWN = {"decimal_places": 0, "rounding_method": "ROUND_DOWN"}
HALVES = {"conversion_factor": 2, "operation": "DIVIDE"}


@pytest.mark.parametrize(
    ("before", "changes", "price", "used", "lines"),
    [
        pytest.param(
            {}, {"tags": ["new"]}, "TIERED 10 for 100, 8", "60 on 5, 60 on 20",
            "100 at 10 = 1000; 20 at 8 = 160", id="a tag: the counter runs on",
        ),
        pytest.param(
            {}, {"quantity_conversion": HALVES}, "TIERED 10 for 100, 8", "120 on 5, 120 on 20",
            "100 at 10 = 1000; 20 at 8 = 160; 60 at 10 = 600", id="a conversion: counted anew",
        ),
        pytest.param(
            {"quantity_conversion": HALVES}, {"quantity_conversion": HALVES | {"name": "pairs"}},
            "TIERED 10 for 100, 8",
            "160 on 5, 160 on 20",
            "100 at 10 = 1000; 60 at 8 = 480", id="what the unit is called: the counter runs on",
        ),
        pytest.param(
            {"quantity_conversion": HALVES}, {"quantity_conversion": None}, "PACKAGE 12 per 10", "25 on 5, 25 on 20",
            "2 at 12 = 24; 3 at 12 = 36", id="no conversion any more",
        ),
        pytest.param(
            {}, {"quantity_rounding": UP}, "FLAT 10", "0.4 on 5, 0.4 on 20", "0.4 at 10 = 4",
            id="rounded up from then on: the step was in the first part",
        ),
        pytest.param(
            {"quantity_rounding": UP}, {"quantity_rounding": None}, "FLAT 10", "0.4 on 5, 0.4 on 20", "1.4 at 10 = 14",
            id="not rounded any more",
        ),
        pytest.param(
            {"quantity_rounding": UP}, {"quantity_rounding": DOWN}, "FLAT 10", "0.6 on 5, 0.6 on 20", "2 at 10 = 20",
            id="up, then down: over the next whole unit",
        ),
    ],
)  # fmt: skip
def test_a_product_that_changes_within_the_month(shop, before, changes, price, used, lines):
    shop.product(**before)
    shop.prices(*shop.price("Units", price))
    shop.changes("Units", **changes)
    shop.uses("Units", used)
    shop.contract()
    assert shop.lines() == {"Units": lines}


def test_lines_have_the_name_with_which_the_month_began_to_count(shop):
    shop.product()
    shop.prices(*shop.price("Units", "FLAT 2 then FLAT 3"))
    shop.changes("Units", name="Renamed")
    shop.uses("Units", "10 on 5, 10 on 20")
    shop.contract()
    assert shop.lines() == {"Units": "10 at 2 = 20; 10 at 3 = 30"}


def test_another_metric_measures_from_its_start_on(shop):
    shop.product()
    other = shop.metric("Other")
    shop.prices(*shop.price("Units", "TIERED 10 for 100, 8"))
    shop.changes("Units", billable_metric_id=other)
    for name in ("Units", "Other"):
        shop.uses(name, "60 on 5, 70 on 20")
    shop.contract()
    assert shop.lines() == {"Units": "60 at 10 = 600; 70 at 10 = 700"}


def test_an_update_that_was_made_late_reaches_the_definition_after_it(shop):
    """From the 10th halves are sold; the rounding of the 15th, published before, rounds those."""
    shop.product()
    shop.prices(*shop.price("Units", "FLAT 10"))
    shop.changes("Units", quantity_rounding=UP)
    shop.changes("Units", "2025-10-10", quantity_conversion=HALVES)
    shop.uses("Units", "3 on 5, 3 on 12, 3 on 20")
    shop.contract()
    # 3 as they are; 1.5; and from 1.5 to 3 with what is begun paid for: 3 - 2.
    assert shop.lines() == {"Units": "3 at 10 = 30; 2.5 at 10 = 25"}


def test_a_group_key_from_the_middle_of_the_month_on(shop):
    metric = shop.metric("Units", keys=["model"])
    shop.product(billable_metric_id=metric)
    shop.prices(*shop.price("Units", "TIERED 10 for 100, 8"))
    shop.changes("Units", pricing_group_key=["model"])
    for model, price in (("xl", "TIERED 20 for 10, 16"), ("small", "FLAT 1")):
        shop.prices(*shop.price("Units", price, since=MIDDLE, pricing_group_values={"model": model}))
    shop.uses("Units", "30 on 5, 12 on 20", model="xl")
    shop.uses("Units", "30 on 5, 12 on 20", model="small")
    shop.contract()
    assert shop.lines() == {
        "Units": "60 at 10 = 600",
        "Units (model: xl)": "10 at 20 = 200; 2 at 16 = 32",
        "Units (model: small)": "12 at 1 = 12",
    }


def test_tiers_are_counted_for_each_combination_of_values(shop):
    shop.product(pricing_group_key=["region", "model"], presentation_group_key=["team"])
    for region, model, price in (
        ("eu", "xl", "TIERED 3 for 10, 1"),
        ("us", "xl", "VOLUME 3 for 10, 1"),
        ("eu", "s", "PACKAGE 12 per 10"),
        ("us", "", "FLAT 0"),
    ):
        shop.prices(*shop.price("Units", price, pricing_group_values={"model": model, "region": region}))
    for team in ({"team": "red"}, {"team": "blue"}, {}):
        for region, model in (("eu", "xl"), ("us", "xl"), ("eu", "s"), ("us", "")):
            shop.uses("Units", "8 on 5, 4 on 20", model=model, region=region, **team)
    shop.contract()
    expected = {
        "model: xl, region: eu": "10 at 3 = 30; 2 at 1 = 2",
        "model: xl, region: us": "12 at 1 = 12",
        "model: s, region: eu": "2 at 12 = 24",
        "model: , region: us": "12 at 0 = 0",
    }
    assert shop.lines() == {
        f"Units ({values}, team: {team})": lines
        for values, lines in expected.items()
        for team in ("red", "blue", "none")
    }


def test_two_products_of_one_metric_are_sold_apart(shop):
    shop.product("Calls")
    metric = str(shop.metrics["Calls"].pk)
    shop.product("Thousands", billable_metric_id=metric, quantity_conversion=HALVES | {"conversion_factor": 1000})
    shop.prices(*shop.price("Calls", "FLAT 0.1"), *shop.price("Thousands", "TIERED 50 for 1, 40"))
    shop.uses("Calls", "1500")
    shop.contract()
    assert shop.lines() == {"Calls": "1500 at 0.1 = 150", "Thousands": "1 at 50 = 50; 0.5 at 40 = 20"}


def test_what_is_archived_goes_on_where_it_is_sold(shop):
    product = shop.product()
    shop.prices(*shop.price("Units", "FLAT 2 then FLAT 3"))
    shop.contract()
    shop.v1.contracts.products.archive(product_id=product)
    shop.v1.billable_metrics.archive(id=str(shop.metrics["Units"].pk))
    shop.uses("Units", "10 on 5, 10 on 20")
    assert shop.lines() == {"Units": "10 at 2 = 20; 10 at 3 = 30"}
