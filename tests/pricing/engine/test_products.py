"""Definitions over time: the one in force, and the runs over which a quantity is counted in one way."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from billing_site.foundation.ids import derived_id
from pricing.engine.catalog import Conversion, ProductVersion, Rounding
from pricing.engine.products import name_at, runs, version_in_force

OCTOBER, MIDDLE, NOVEMBER = (datetime(2025, month, day, tzinfo=UTC) for month, day in ((10, 1), (10, 15), (11, 1)))
FIRST = ProductVersion(derived_id("tokens"), "USAGE", "Tokens", OCTOBER, 1, derived_id("metric"))


def later(**changes) -> ProductVersion:
    return replace(FIRST, **({"starting_at": MIDDLE, "publication": 2} | changes))


def test_of_two_that_begin_together_the_one_published_later_is_in_force():
    again = later(starting_at=OCTOBER, name="AI tokens")
    assert version_in_force([again, FIRST], MIDDLE) == again
    assert version_in_force([FIRST, again], OCTOBER.replace(year=2024)) is None


def test_a_name_before_there_is_one_is_the_first_published():
    versions = [later(name="second", publication=3), later(name="first", publication=2), later(publication=9)]
    assert name_at(versions, OCTOBER) == "first"
    assert name_at(versions, MIDDLE) == "Tokens"


@pytest.mark.parametrize(
    ("change", "counts_on"),
    [
        pytest.param({"name": "AI tokens"}, True, id="name"),
        pytest.param({"tags": ("ai",)}, True, id="tags"),
        pytest.param({"rounding": Rounding(0, "ROUND_UP")}, True, id="rounding"),
        pytest.param({"metric_id": derived_id("other")}, False, id="metric"),
        pytest.param({"conversion": Conversion(D(10), "DIVIDE")}, False, id="conversion"),
        pytest.param({"pricing_group_key": ("model",)}, False, id="pricing group key"),
        pytest.param({"presentation_group_key": ("region",)}, False, id="presentation group key"),
    ],
)
def test_what_begins_a_new_run(change, counts_on):
    found = runs([FIRST, later(**change)], OCTOBER, NOVEMBER)
    assert len(found) == (1 if counts_on else 2)
    reigns = [(reign.starting_at, reign.ending_before) for run in found for reign in run.reigns]
    assert reigns == [(OCTOBER, MIDDLE), (MIDDLE, NOVEMBER)]
    assert (found[0].starting_at, found[-1].ending_before) == (OCTOBER, NOVEMBER)
    assert found[0].definition == FIRST


def test_a_run_begins_where_the_product_does():
    (run,) = runs([later()], OCTOBER, NOVEMBER)
    assert (run.starting_at, run.ending_before) == (MIDDLE, NOVEMBER)
    assert runs([later(starting_at=NOVEMBER)], OCTOBER, NOVEMBER) == []


def test_a_definition_that_begins_with_the_bounds_reigns_once():
    (run,) = runs([FIRST, later(starting_at=OCTOBER)], OCTOBER, NOVEMBER)
    assert [reign.version.publication for reign in run.reigns] == [2]
