"""Prices stated as a formula: the worked table, and what a whole formula is."""

from decimal import Decimal
from fractions import Fraction
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.engine.formulas import (
    Node,
    count_combinations,
    keys_of,
    missing_nodes,
    nodes_behind,
    prices,
    with_numbers,
)


def node(name: str, number: str, **values: str) -> Node:
    return Node(name, tuple(sorted(values.items())), Decimal(number))


def values(**values: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(values.items()))


COST = (
    node("cost", "30", model="xl"),
    node("cost", "2", model="small"),
    node("markup", "1.5"),
    node("region", "1.1", region="eu"),
    node("region", "1", region="us"),
)


@pytest.mark.parametrize(
    ("model", "region", "price"),
    [("small", "eu", "3.3"), ("small", "us", "3"), ("xl", "eu", "49.5"), ("xl", "us", "45")],
)
def test_a_price_is_what_the_numbers_of_its_nodes_multiply_to(model, region, price):
    assert prices(COST)[values(model=model, region=region)] == Fraction(price)


def test_every_combination_has_a_price_once():
    assert keys_of(COST) == ("model", "region")
    assert len(prices(COST)) == count_combinations(COST) == 4


def test_a_base_alone_is_one_price():
    base = (node("base", "100"),)
    assert (prices(base), count_combinations(base), keys_of(base)) == ({(): Fraction(100)}, 1, ())


def test_a_factor_may_be_by_several_keys_at_once():
    cost = (
        node("cost", "3", model="xl", direction="in"),
        node("cost", "15", model="xl", direction="out"),
        node("cost", "1", model="small", direction="in"),
        node("cost", "4", model="small", direction="out"),
        node("margin", "2", model="xl"),
        node("margin", "3", model="small"),
    )
    assert prices(cost) == {
        values(model="xl", direction="in"): 6,
        values(model="xl", direction="out"): 30,
        values(model="small", direction="in"): 3,
        values(model="small", direction="out"): 12,
    }


def test_no_digit_is_lost():
    tiny = (node("a", "0.000000000001"), node("b", "0.000000000003", model="xl"))
    assert prices(tiny) == {values(model="xl"): Fraction(3, 10**24)}


@pytest.mark.parametrize(
    ("nodes", "missing"),
    [
        pytest.param(COST, [], id="whole"),
        pytest.param(
            (*COST, node("quality", "1", model="xl")),
            [("quality", values(model="small"))],
            id="a factor that lacks a value which another has",
        ),
        pytest.param(
            (
                node("cost", "1", model="xl", region="eu"),
                node("cost", "2", model="small", region="us"),
            ),
            [("cost", values(model="xl", region="us")), ("cost", values(model="small", region="eu"))],
            id="a factor by two keys with holes",
        ),
    ],
)
def test_what_a_whole_formula_would_have_beside(nodes, missing):
    assert list(missing_nodes(nodes)) == missing


def test_the_nodes_behind_a_price():
    cost_xl, _, markup, eu, _ = COST
    assert nodes_behind(COST, values(model="xl", region="eu")) == (cost_xl, markup, eu)
    assert nodes_behind(COST, values(model="tiny", region="eu")) == ()
    assert nodes_behind(COST, values(model="xl")) == ()
    assert nodes_behind(COST, values(model="xl", region="eu", day="sunday")) == ()
    assert nodes_behind((node("base", "1"),), ()) == (node("base", "1"),)


def test_some_nodes_get_another_number():
    changed = with_numbers(COST, {("cost", values(model="xl")): Decimal(20), ("cost", ()): Decimal(9)})
    assert changed == (node("cost", "20", model="xl"), *COST[1:])


numbers = st.decimals(min_value=0, max_value=10_000, places=4)


@st.composite
def formulas(draw: st.DrawFn) -> tuple[Node, ...]:
    """A base, a factor for each of up to three keys, and one by all of them together."""
    choices = {key: draw(st.lists(st.sampled_from("abcd"), min_size=1, unique=True)) for key in ("x", "y", "z")}
    made = [Node("base", (), draw(numbers))]
    made += [Node(key, ((key, value),), draw(numbers)) for key, held in choices.items() for value in held]
    for x in choices["x"]:
        made += [Node("xy", (("x", x), ("y", y)), draw(numbers)) for y in choices["y"]]
    return tuple(draw(st.permutations(made)))


@given(formulas())
def test_each_price_is_the_product_of_the_nodes_behind_it(nodes):
    priced = prices(nodes)
    assert len(priced) == count_combinations(nodes)
    assert not list(missing_nodes(nodes))
    for combination, price in priced.items():
        behind = nodes_behind(nodes, combination)
        assert len(behind) == 5
        assert price == prod(Fraction(each.number) for each in behind)


@given(formulas(), st.data())
def test_a_node_is_in_just_the_prices_that_have_its_values(nodes, data):
    """One of three models in 3 × 4 × 3: exactly 12 of 36, as it is a law and not a table."""
    changed = data.draw(st.sampled_from(nodes))
    other = with_numbers(nodes, {changed.key: changed.number + 1})
    before, after = prices(nodes), prices(other)
    moved = {combination for combination, price in after.items() if price != before[combination]}
    with_values = {combination for combination in before if set(changed.values) <= set(combination)}
    assert moved <= with_values
    others_are_positive = all(each.number > 0 for each in nodes if each != changed)
    if others_are_positive:
        assert moved == with_values
