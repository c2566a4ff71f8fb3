"""Every tariff as steps: the tables of `pricing/engine/steps.py`, and multiples laid over them."""

from decimal import Decimal as D
from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.engine.overrides import MultiplierTier
from pricing.engine.steps import Level, NotPricedByUse, Step, steps_of, tier_reached
from pricing.engine.tariffs import Tariff, Tier, flat

TIERED = Tariff("TIERED", tiers=(Tier(D(10), D(100), D(5)), Tier(D(8))))
PACKAGE = Tariff("PACKAGE", D(12), package_size=D(10))
VOLUME = Tariff("VOLUME", tiers=(Tier(D(10), D(100)), Tier(D(8), None, D(7))))
HALF = MultiplierTier(D("0.5"))


def read(steps):
    """Above, up to, price, fee of each step."""
    return [(step.above, step.upto, step.price, step.fee) for step in steps]


@pytest.mark.parametrize(
    ("tariff", "multiples", "reached", "expected"),
    [
        pytest.param(flat(D(10)), (), 0, [(0, None, 10, 0)], id="flat"),
        pytest.param(Tariff("PERCENTAGE", D("0.2")), (), 0, [(0, None, D("0.2"), 0)], id="percentage"),
        pytest.param(TIERED, (), 0, [(0, 100, 10, 5), (100, None, 8, 0)], id="tiered"),
        pytest.param(
            Tariff("TIERED_PERCENTAGE", tiers=(Tier(D("0.2"), D(50)), Tier(D("0.1")))),
            (),
            0,
            [(0, 50, D("0.2"), 0), (50, None, D("0.1"), 0)],
            id="tiered percentage",
        ),
        pytest.param(PACKAGE, (), 0, [(0, None, 12, 0)], id="package"),
        pytest.param(VOLUME, (), 0, [(0, None, 10, 0)], id="volume, the first tier reached"),
        pytest.param(VOLUME, (), 1, [(0, None, 8, 7)], id="volume, the second tier reached"),
        pytest.param(TIERED, (HALF,), 0, [(0, 100, 5, D("2.5")), (100, None, 4, 0)], id="half of all"),
        pytest.param(
            TIERED,
            (MultiplierTier(D("0.5"), D(60)),),
            0,
            [(0, 60, 5, D("2.5")), (60, 100, 10, 0), (100, None, 8, 0)],
            id="half for 60, then list",
        ),
        pytest.param(
            TIERED,
            (MultiplierTier(D("0.5"), D(60)), MultiplierTier(D(2), D(40)), MultiplierTier(D("0.1"), D(10))),
            0,
            [(0, 60, 5, D("2.5")), (60, 100, 20, 0), (100, 110, D("0.8"), 0), (110, None, 8, 0)],
            id="a range that ends with a tier",
        ),
        pytest.param(
            PACKAGE, (MultiplierTier(D("0.5"), D(25)),), 0, [(0, 25, 6, 0), (25, None, 12, 0)], id="half for 25 units"
        ),
        pytest.param(
            VOLUME,
            (MultiplierTier(D("0.5"), D(60)), MultiplierTier(D(2))),
            1,
            [(0, 60, 4, D("3.5")), (60, None, 16, 0)],
            id="volume by ranges: its fee once",
        ),
        pytest.param(
            Tariff("TIERED", tiers=(Tier(D(10), D(100)), Tier(D(8), D(50)))),
            (),
            0,
            [(0, 100, 10, 0), (100, None, 8, 0)],
            id="the last tier holds all the rest",
        ),
    ],
)  # fmt: skip
def test_steps(tariff, multiples, reached, expected):
    assert read(steps_of(tariff, multiples, reached)) == expected


def test_what_has_tiers_says_which():
    assert [step.level for step in steps_of(TIERED)] == [Level(1, D(0), D(100)), Level(2, D(100), None)]
    assert [step.level for step in steps_of(VOLUME, reached=1)] == [Level(2, D(100), None)]
    assert [step.level for step in steps_of(flat(D(10)))] == [None]
    assert [step.level for step in steps_of(PACKAGE, (HALF,))] == [None]


def test_ranges_of_multiples_are_counted_as_tiers():
    ranges = (MultiplierTier(D("0.5"), D(60)),)
    assert [step.level for step in steps_of(flat(D(10)), ranges)] == [Level(1, D(0), D(60)), Level(2, D(60), None)]
    assert [step.level.number for step in steps_of(TIERED, ranges)] == [1, 2, 3]
    sized = [
        step.level.size for step in steps_of(TIERED, (MultiplierTier(D("0.5"), D(60)), MultiplierTier(D(2), D(90))))
    ]
    assert sized == [60, 40, 50, None]
    # By volume the tier is the one reached, whatever the range.
    assert [step.level.number for step in steps_of(VOLUME, ranges, 1)] == [2, 2]


def test_by_volume_the_first_tier_is_reached_unless_said_otherwise():
    assert steps_of(VOLUME) == steps_of(VOLUME, (), 0)


def test_packages_keep_their_size_under_multiples():
    assert [step.package_size for step in steps_of(PACKAGE, (MultiplierTier(D(2), D(5)),))] == [10, 10]


@pytest.mark.parametrize(
    ("total", "reached"), [("0", 0), ("1", 0), ("100", 0), ("100.001", 1), ("150", 1), ("151", 2), ("9999", 2)]
)
def test_the_upper_bound_belongs_to_the_tier(total, reached):
    assert tier_reached((Tier(D(3), D(100)), Tier(D(2), D(50)), Tier(D(1))), F(total)) == reached


def test_what_costs_nothing_and_what_costs_something_at_once():
    assert Step(D(0), None, D(0)).is_free
    assert not Step(D(0), None, D(0), D(1)).is_free
    assert not Step(D(0), None, D(1)).is_free
    assert Step(D(0), None, D(1), D(1)).jumps
    assert Step(D(0), None, D(1), package_size=D(1)).jumps
    assert not Step(D(0), None, D(1)).jumps


@pytest.mark.parametrize(
    "tariff",
    [
        Tariff("SUBSCRIPTION", D(10), quantity=D(1), is_prorated=True),
        Tariff("FLAT"),
        Tariff("PACKAGE", D(10)),
        Tariff("PACKAGE", package_size=D(10)),
        Tariff("TIERED"),
        Tariff("VOLUME"),
    ],
    ids=lambda tariff: tariff.type,
)
def test_a_tariff_that_says_no_price_of_a_unit_is_refused(tariff):
    with pytest.raises(NotPricedByUse, match=f"A {tariff.type} tariff does not say what a unit costs."):
        steps_of(tariff)


sizes, prices = st.integers(1, 40).map(D), st.integers(0, 50).map(D)


@st.composite
def tiered(draw):
    sized = [Tier(draw(prices), draw(sizes), draw(prices)) for _ in range(draw(st.integers(0, 3)))]
    return Tariff("TIERED", tiers=(*sized, Tier(draw(prices), None, draw(prices))))


@given(tiered(), st.lists(st.builds(MultiplierTier, st.integers(0, 3).map(D), sizes), max_size=3))
def test_steps_follow_each_other_without_a_gap(tariff, multiples):
    steps = steps_of(tariff, multiples)
    assert steps[0].above == 0
    assert steps[-1].upto is None
    assert [step.upto for step in steps[:-1]] == [step.above for step in steps[1:]]
    assert all(step.upto is None or step.above < step.upto for step in steps)


def test_the_largest_numbers_stay_exact():
    large, odd = D("9999999999999999.999999999999"), D("1234567890123456.999999999999")
    (step,) = steps_of(flat(large), (MultiplierTier(odd),))
    assert step.exact_price == F(large) * F(odd)
