"""What parts of a quantity cost, and what is left where only some of it is paid: the tables, then the laws."""

from decimal import Decimal as D
from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.engine.charges import ONE, charge, charge_on, charges, cut_by_amount, cut_by_units
from pricing.engine.overrides import MultiplierTier
from pricing.engine.steps import steps_of
from pricing.engine.tariffs import Tariff, Tier, flat

TIERED = steps_of(Tariff("TIERED", tiers=(Tier(D(10), D(100), D(5)), Tier(D(8), None, D(3)))))
PACKAGE = steps_of(Tariff("PACKAGE", D(12), package_size=D(10)))
WITH_FEE = steps_of(Tariff("TIERED", tiers=(Tier(D(10), None, D(5)),)))


@pytest.mark.parametrize(
    ("steps", "before", "after", "amount"),
    [
        pytest.param(steps_of(flat(D(3))), 5, 9, 12, id="flat"),
        pytest.param(TIERED, 0, 60, 605, id="the first tier and its fee"),
        pytest.param(TIERED, 60, 100, 400, id="up to the bound, which belongs to the tier"),
        pytest.param(TIERED, 100, 130, 243, id="the next tier and its fee"),
        pytest.param(TIERED, 100, 100, 0, id="nothing"),
        pytest.param(TIERED, 0, 0, 0, id="nothing yet"),
        pytest.param(TIERED, 0, 130, 1248, id="all at once"),
        pytest.param(TIERED, 0, F(1, 3), 5 + F(10, 3), id="a fee is owed with the first part of a unit"),
        pytest.param(PACKAGE, 0, 1, 12, id="a package is begun"),
        pytest.param(PACKAGE, 1, 10, 0, id="within the package"),
        pytest.param(PACKAGE, 10, 35, 36, id="three more"),
        pytest.param(PACKAGE, 10, 10, 0, id="none"),
        pytest.param(PACKAGE, 9, F(101, 10), 12, id="just beyond"),
        pytest.param(steps_of(Tariff("PERCENTAGE", D("0.2"))), 0, 130, 26, id="a share of a spend"),
        pytest.param(
            steps_of(Tariff("PACKAGE", D(12), package_size=D(10)), (MultiplierTier(D("0.5"), D(25)),)),
            0,
            45,
            6 + 6 + 6 + 12 + 12,
            id="a package costs what holds where it is begun",
        ),
    ],
)
def test_a_part_costs_the_difference(steps, before, after, amount):
    assert charge(steps, F(before), F(after - before)) == amount


def test_charges_say_how_they_come_about():
    found = [(each.above, each.upto, each.quantity, each.fee, each.amount) for each in charges(TIERED, F(60), F(130))]
    assert found == [(60, 100, 40, 0, 400), (100, 130, 30, 3, 243)]
    (packages,) = charges(PACKAGE, F(5), F(35))
    assert (packages.quantity, packages.units, packages.fee, packages.amount) == (3, 30, 0, 36)


def test_a_share_is_of_the_first_jump_alone():
    assert [each.amount for each in charges(TIERED, F(0), F(130), F(2, 5))] == [1002, 243]
    assert [each.amount for each in charges(TIERED, F(100), F(130), F(1, 3))] == [241]
    assert [each.amount for each in charges(TIERED, F(50), F(130), F(1, 3))] == [500, 243], "there is none at 50"


def test_a_charge_without_units_is_for_its_share_of_the_jump():
    assert [each.amount for each in charges(WITH_FEE, F(0), F(0), F(2, 5))] == [2]
    assert [each.amount for each in charges(PACKAGE, F(20), F(20), F(1, 3))] == [4]
    assert [each.step for each in charges(TIERED, F(100), F(100), ONE)] == [TIERED[1]]


@pytest.mark.parametrize(
    ("steps", "upto", "pays", "has", "goes_on"),
    [
        pytest.param(PACKAGE, 25, 4, [(0, 0, F(1, 3))], (0, F(2, 3)), id="a third of the first package"),
        pytest.param(PACKAGE, 25, 12, [(0, 10, 1)], (10, 1), id="one package exactly"),
        pytest.param(PACKAGE, 25, 18, [(0, 10, 1), (10, 10, F(1, 2))], (10, F(1, 2)), id="one and a half"),
        pytest.param(PACKAGE, 25, 24, [(0, 20, 1)], (20, 1), id="two packages exactly"),
        pytest.param(WITH_FEE, 8, 3, [(0, 0, F(3, 5))], (0, F(2, 5)), id="a part of the fee"),
        pytest.param(WITH_FEE, 8, 5, [(0, 0, 1)], (0, 0), id="the fee exactly"),
        pytest.param(WITH_FEE, 8, 35, [(0, 3, 1)], (3, 1), id="the fee, and three units"),
        pytest.param(steps_of(flat(D(3))), 8, 5, [(0, F(5, 3), 1)], (F(5, 3), 1), id="units alone"),
    ],
)
def test_what_is_paid_in_part(steps, upto, pays, has, goes_on):
    (whole,) = charges(steps, F(0), F(upto))
    cut = cut_by_amount(whole, F(pays))
    assert [(each.above, each.upto, each.share) for each in cut.paid] == has
    assert (cut.above, cut.share) == goes_on
    assert sum(each.amount for each in cut.paid) == pays
    assert sum(each.amount for each in charges(steps, cut.above, F(upto), cut.share)) == whole.amount - pays


def test_the_rest_of_a_jump_may_be_paid_in_part_again():
    (fee,) = charges(WITH_FEE, F(0), F(8), F(2, 5))
    cut = cut_by_amount(fee, F(1))
    assert ([each.share for each in cut.paid], cut.share) == ([F(1, 5)], F(1, 5))
    (packages,) = charges(PACKAGE, F(0), F(25), F(1, 2))
    assert packages.quantity == F(5, 2)
    cut = cut_by_amount(packages, F(15))
    assert [(each.upto, each.share) for each in cut.paid] == [(10, F(1, 2)), (10, F(3, 4))]
    assert (cut.above, cut.share) == (10, F(1, 4))


def test_from_within_a_package_the_first_jump_is_the_next_one():
    (whole,) = charges(PACKAGE, F(5), F(25))
    cut = cut_by_amount(whole, F(6))
    assert [(each.above, each.upto, each.quantity) for each in cut.paid] == [(5, 10, 0), (10, 10, F(1, 2))]
    assert (cut.above, cut.share) == (10, F(1, 2))


def test_units_are_cut_where_they_end():
    (whole,) = charges(PACKAGE, F(0), F(25))
    cut = cut_by_units(whole, F(12))
    assert [(each.above, each.upto, each.amount) for each in cut.paid] == [(0, 12, 24)]
    assert (cut.above, cut.share) == (12, 1)


def test_what_follows_becomes_one():
    first, second = charge_on(TIERED[0], F(0), F(3)), charge_on(TIERED[0], F(3), F(8))
    assert first.followed_by(second) == charge_on(TIERED[0], F(0), F(8))
    assert second.up_to(F(5)) == charge_on(TIERED[0], F(3), F(5))
    assert first.followed_by(charge_on(TIERED[0], F(4), F(8))) is None, "there is a gap"
    assert first.followed_by(charge_on(TIERED[1], F(3), F(8))) is None, "another step"
    begun = charge_on(PACKAGE[0], F(0), F(10))
    assert begun.followed_by(charge_on(PACKAGE[0], F(10), F(12), F(1, 2))) is None, "half of a package"
    of_fee = charge_on(WITH_FEE[0], F(0), F(0))
    assert of_fee.followed_by(charge_on(WITH_FEE[0], F(0), F(4), ONE)) is None, "the fee is there twice"


units = st.fractions(0, 60, max_denominator=6)
prices = st.integers(0, 20).map(D)


@st.composite
def tariffs(draw, *, with_jumps: bool = True):
    kind = draw(st.sampled_from(["FLAT", "TIERED", "PACKAGE"] if with_jumps else ["FLAT", "TIERED"]))
    if kind == "FLAT":
        return flat(draw(prices))
    if kind == "PACKAGE":
        return Tariff(kind, draw(prices), package_size=draw(st.decimals(D("0.5"), D(20), places=1)))
    fees = prices if with_jumps else st.just(D(0))
    sized = [Tier(draw(prices), draw(st.integers(1, 15).map(D)), draw(fees)) for _ in range(draw(st.integers(0, 3)))]
    return Tariff(kind, tiers=(*sized, Tier(draw(prices), None, draw(fees))))


multiples = st.lists(st.builds(MultiplierTier, st.integers(0, 3).map(D), st.integers(1, 30).map(D)), max_size=2)


@given(tariffs(), multiples, units, units, units)
def test_however_usage_is_split_it_costs_the_same(tariff, multiples, before, first, second):
    steps = steps_of(tariff, multiples)
    apart = charge(steps, before, first) + charge(steps, before + first, second)
    assert apart == charge(steps, before, first + second)


@given(tariffs(), multiples, units, units.filter(bool))
def test_each_unit_lands_in_exactly_one_tier(tariff, multiples, before, part):
    found = list(charges(steps_of(tariff, multiples), before, before + part))
    assert sum(each.units for each in found) == part
    assert [each.upto for each in found] == [*(each.above for each in found[1:]), before + part]
    for each in found:
        assert each.step.begins <= each.above < each.upto
        assert each.step.ends is None or each.upto <= each.step.ends


@given(tariffs(), units, units)
def test_more_usage_never_costs_less(tariff, before, part):
    assert charge(steps_of(tariff), before, part) >= 0


@given(tariffs(with_jumps=False), units, st.fractions(0, F(1, 100), max_denominator=10_000))
def test_graduated_prices_without_fees_have_no_jumps(tariff, before, little):
    assert charge(steps_of(tariff), before, little) <= little * 20


@given(tariffs(), multiples, units, units.filter(bool), st.fractions(0, 1), st.fractions(0, 1))
def test_what_is_paid_and_what_goes_on_are_the_whole(tariff, multiples, before, part, fraction, share):
    steps = steps_of(tariff, multiples)
    whole = next(iter(charges(steps, before, before + part, share)))
    paid = whole.amount * fraction
    if not 0 < paid < whole.amount:
        return
    cut = cut_by_amount(whole, paid)
    rest = charge_on(whole.step, cut.above, whole.upto, cut.share)
    assert sum(each.amount for each in cut.paid) == paid
    assert rest.amount == whole.amount - paid
    assert sum(each.units for each in cut.paid) + rest.units == whole.units
    assert sum(each.quantity for each in cut.paid) + rest.quantity == whole.quantity
