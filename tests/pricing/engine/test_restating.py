"""A formula stated anew: which prices move, from when, up to when; what later statements become."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_site.foundation.ids import derived_id
from billing_site.foundation.money import Unit
from pricing.engine.catalog import GroupValues, Rate
from pricing.engine.formulas import Node, prices
from pricing.engine.restating import Moves, Statement, UnknownNodes, changing, moves, over_time, restated
from pricing.engine.tariffs import Tariff, flat
from pricing.engine.timelines import Dated, in_force

USD = Unit(derived_id("USD"), "USD (cents)", 2, 2)


def day(of_month: int) -> datetime:
    return datetime(2025, 10, of_month, tzinfo=UTC)


def node(name: str, number: str, **values: str) -> Node:
    return Node(name, tuple(sorted(values.items())), Decimal(number))


def of(model: str) -> GroupValues:
    return (("model", model),)


class Card:
    """The prices of one product by model: stated by formula, typed, taken back."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.rates: list[Rate] = []
        self.ours: set[UUID] = set()
        self.publication = 0

    def type(self, model: str, price: str, start: int, end: int | None = None, **more: object) -> Rate:
        self.publication += 1
        typed = self._rate(of(model), flat(Decimal(price)), day(start), True)
        typed = replace(typed, ending_before=day(end) if end else None, **more)
        self.rates.append(typed)
        return typed

    def take_back(self, rate: Rate) -> None:
        self.rates.remove(rate)

    def state(
        self,
        nodes: Sequence[Node],
        start: int,
        *,
        replacing: bool = False,
        entitled: bool = True,
        changes: bool = False,
    ) -> Moves:
        """The whole of a formula; or, of the one in force, other numbers for some nodes."""
        known = over_time(self.statements)
        self.publication += 1
        new = Statement(tuple(nodes), day(start), self.publication, entitled)
        if changes:
            current = known.at(day(start))
            assert current is not None
            numbers = {each.key: each.number for each in nodes}
            new = changing(current, numbers, starting_at=day(start), publication=self.publication)
        made = restated(known, new)
        after = over_time([*self.statements, *made])
        result = moves(known, after, day(start), self._timelines(), self.ours, replacing=replacing)
        self.statements += made
        for move in result.moved:
            price = Decimal(move.price.numerator) / Decimal(move.price.denominator)
            rate = self._rate(move.values, flat(price), move.starting_at, move.statement.entitled)
            self.rates.append(rate)
            self.ours.add(rate.id)
        return result

    def change(self, start: int, *nodes: Node, replacing: bool = False) -> Moves:
        return self.state(nodes, start, replacing=replacing, changes=True)

    def prices_at(self, at: int) -> dict[str, str]:
        """By model; what has none is left out."""
        found = {values: timeline.at(day(at)) for values, timeline in self._timelines().items()}
        return {values[0][1]: f"{rate.tariff.price:f}" for values, rate in sorted(found.items()) if rate is not None}

    def stated_at(self, at: int) -> dict[GroupValues, Fraction]:
        statement = over_time(self.statements).at(day(at))
        return prices(statement.nodes) if statement else {}

    def _rate(self, values: GroupValues, tariff: Tariff, start: datetime, entitled: bool) -> Rate:
        return Rate(
            id=derived_id(values, start, self.publication, len(self.rates)),
            product_id=derived_id("tokens"),
            values=values,
            starting_at=start,
            ending_before=None,
            entitled=entitled,
            tariff=tariff,
            unit=USD,
            publication=self.publication,
            published_at=day(1),
            published_by="someone",
        )

    def _timelines(self):
        by_values: dict[GroupValues, list[Rate]] = {}
        for rate in self.rates:
            by_values.setdefault(rate.values, []).append(rate)
        return {
            values: in_force(Dated(rate, rate.starting_at, rate.ending_before, rate.publication) for rate in rates)
            for values, rates in by_values.items()
        }


def shown(result: Moves) -> list[tuple[str, int, str]]:
    """Model, day and price of each rate to publish."""
    return [
        (move.values[0][1] or "", move.starting_at.day, str(move.price))
        for move in sorted(result.moved, key=lambda move: (move.starting_at, move.values))
    ]


FORMULA = (node("cost", "30", model="xl"), node("cost", "2", model="small"), node("markup", "2"))


@pytest.fixture
def card() -> Card:
    card = Card()
    card.state(FORMULA, 1)
    return card


def test_the_first_statement_prices_every_combination():
    card = Card()
    result = card.state(FORMULA, 1)
    assert shown(result) == [("small", 1, "4"), ("xl", 1, "60")]
    assert (result.kept, result.left, result.unmoved) == ((), (), 0)
    assert all(move.held is None and move.ending_before is None for move in result.moved)


def test_a_changed_node_moves_what_depends_on_it_and_nothing_else(card):
    result = card.change(10, node("cost", "20", model="xl"))
    assert shown(result) == [("xl", 10, "40")]
    assert result.moved[0].held.tariff.price == 60
    assert result.unmoved == 1
    assert [card.prices_at(9), card.prices_at(10)] == [{"small": "4", "xl": "60"}, {"small": "4", "xl": "40"}]


def test_a_change_before_a_scheduled_one_restates_it(card):
    """The table of the module."""
    card.change(20, node("markup", "3"))
    assert [card.prices_at(at)["xl"] for at in (1, 10, 20)] == ["60", "60", "90"]
    result = card.change(10, node("cost", "20", model="xl"))
    assert shown(result) == [("xl", 10, "40"), ("xl", 20, "60")]
    assert [move.ending_before for move in result.moved] == [day(20), None]
    assert [card.prices_at(at)["xl"] for at in (1, 10, 20)] == ["60", "40", "60"]
    assert [card.prices_at(at)["small"] for at in (1, 10, 20)] == ["4", "4", "6"]


def test_a_later_change_of_the_same_node_stays(card):
    card.change(20, node("cost", "10", model="xl"))
    result = card.change(10, node("cost", "20", model="xl"))
    assert shown(result) == [("xl", 10, "40")]
    assert result.moved[0].ending_before == day(20)
    assert card.prices_at(20)["xl"] == "20"


def test_a_later_whole_statement_stays_and_says_its_prices_again_where_they_would_not_hold(card):
    card.state((*FORMULA[:2], node("markup", "2"), node("fee", "1")), 20)  # the same prices: no rate
    result = card.change(10, node("cost", "20", model="xl"))
    assert shown(result) == [("xl", 10, "40"), ("xl", 20, "60")]
    assert card.prices_at(20) == {"small": "4", "xl": "60"}


def test_several_changes_at_one_instant_add_up(card):
    card.change(10, node("cost", "20", model="xl"))
    card.change(10, node("markup", "3"))
    assert card.prices_at(10) == {"small": "6", "xl": "60"}
    card.change(5, node("cost", "1", model="small"), node("cost", "29", model="xl"))
    assert card.prices_at(10) == {"small": "3", "xl": "60"}


def test_a_whole_statement_carries_later_changes_on_and_refuses_to_lose_one(card):
    card.change(20, node("markup", "3"))
    assert shown(card.state((*FORMULA, node("fee", "10")), 10)) == [
        ("small", 10, "40"),
        ("xl", 10, "600"),
        ("small", 20, "60"),
        ("xl", 20, "900"),
    ]
    with pytest.raises(UnknownNodes) as refused:
        card.state(FORMULA[:2], 12)
    assert (refused.value.later.starting_at, refused.value.keys) == (day(20), [("markup", ())])


def test_stated_again_it_moves_nothing(card):
    result = card.state(FORMULA, 1)
    assert (result.moved, result.kept, result.left, result.unmoved) == ((), (), (), 2)


def test_what_contracts_are_entitled_to_is_a_part_of_the_price(card):
    result = card.state(FORMULA, 10, entitled=False)
    assert shown(result) == [("small", 10, "4"), ("xl", 10, "60")]


def test_a_later_change_stands_on_what_is_stated_before_it_with_what_contracts_are_entitled_to(card):
    card.change(10, node("cost", "20", model="xl"))
    card.state(FORMULA, 5, entitled=False)
    restated_last = card.statements[-1]
    assert (restated_last.starting_at, restated_last.entitled) == (day(10), False)
    assert restated_last.publication == card.publication


def test_a_combination_that_is_new_ends_where_a_later_statement_prices_it_anew(card):
    card.change(10, node("markup", "3"))
    result = card.state((*FORMULA, node("cost", "10", model="medium")), 5)
    of_medium = [move for move in result.moved if move.values == of("medium")]
    assert [(move.starting_at, move.ending_before) for move in of_medium] == [(day(5), day(10)), (day(10), None)]


def test_a_number_changed_at_the_instant_of_a_whole_statement_leaves_it_whole(card):
    cheaper = (node("cost", "30", model="xl"), node("cost", "1", model="small"), node("markup", "2"))
    card.state((*FORMULA[:2], node("markup", "3")), 10)
    card.change(10, node("cost", "20", model="xl"))
    card.state(cheaper, 5)
    assert card.prices_at(7) == {"small": "2", "xl": "60"}
    assert card.prices_at(12) == {"small": "6", "xl": "60"}


def test_a_typed_price_is_moved_only_where_that_is_said(card):
    typed = card.type("xl", "45", 5)
    result = card.change(10, node("markup", "3"))
    assert shown(result) == [("small", 10, "6")]
    assert [(move.values, move.price, move.held) for move in result.kept] == [(of("xl"), 90, typed)]
    assert card.prices_at(10)["xl"] == "45"
    replaced = card.change(12, node("markup", "4"), replacing=True)
    assert shown(replaced) == [("small", 12, "8"), ("xl", 12, "120")]
    assert [move.is_exception for move in replaced.moved] == [True, False]
    assert replaced.kept == ()


def test_an_exception_that_no_changed_node_is_in_is_left_alone(card):
    card.type("xl", "45", 5)
    result = card.change(10, node("cost", "3", model="small"), replacing=True)
    assert shown(result) == [("small", 10, "6")]
    assert result.kept == ()


def test_a_whole_statement_may_take_every_exception_back(card):
    card.type("xl", "45", 5)
    assert shown(card.state(FORMULA, 10)) == []
    assert shown(card.state(FORMULA, 10, replacing=True)) == [("xl", 10, "60")]


def test_a_typed_price_that_is_the_new_one_already_is_taken_over_or_stays():
    card = Card()
    card.type("xl", "60", 1)
    result = card.state(FORMULA, 1)
    assert (shown(result), result.kept, result.unmoved) == ([("small", 1, "4")], (), 1)
    assert [move.values for move in card.change(5, node("markup", "3")).kept] == [of("xl")]
    other = Card()
    other.type("xl", "60", 1)
    assert shown(other.state(FORMULA, 1, replacing=True)) == [("small", 1, "4"), ("xl", 1, "60")]
    assert shown(other.change(5, node("markup", "3"))) == [("small", 5, "6"), ("xl", 5, "90")]


def test_a_price_of_another_shape_is_another_price():
    card = Card()
    card.type("xl", "60", 1, commit_tariff=flat(Decimal(50)))
    card.type("small", "4", 1, entitled=False)
    assert [move.values for move in card.state(FORMULA, 1).kept] == [of("small"), of("xl")][::-1]


def test_a_price_that_was_taken_back_is_an_exception(card):
    mine = next(rate for rate in card.rates if rate.values == of("xl"))
    card.take_back(mine)
    result = card.change(10, node("markup", "3"))
    assert [(move.values, move.held) for move in result.kept] == [(of("xl"), None)]
    assert "xl" not in card.prices_at(10)


def test_a_formulas_price_from_before_that_came_back_is_an_exception(card):
    card.change(10, node("cost", "20", model="xl"))
    card.take_back(card.rates[-1])  # 60 holds again, and the formula says 40
    result = card.change(15, node("markup", "4"))
    assert [(move.values, move.held.tariff.price) for move in result.kept] == [(of("xl"), 60)]
    back = card.change(15, node("markup", "1"), node("cost", "60", model="xl"))
    assert back.kept == ()  # 60 is what it says again, and a formula said it
    assert "xl" not in [model for model, *_ in shown(back)]


def test_a_price_typed_for_later_ends_what_is_published_before_it(card):
    card.type("xl", "45", 20, 25)
    result = card.change(10, node("cost", "20", model="xl"))
    assert [(move.price, move.ending_before) for move in result.moved] == [(40, day(20))]
    assert [card.prices_at(at)["xl"] for at in (10, 20, 25)] == ["40", "45", "40"]


def test_a_price_typed_for_later_stays_where_a_scheduled_statement_is_restated(card):
    card.change(20, node("markup", "3"))
    card.type("xl", "45", 15)
    card.type("small", "7", 20)
    result = card.change(10, node("cost", "20", model="xl"), node("cost", "1", model="small"), replacing=True)
    assert shown(result) == [("small", 10, "2"), ("xl", 10, "40"), ("xl", 20, "60")]
    assert card.prices_at(15)["xl"] == "45"
    assert card.prices_at(20) == {"small": "7", "xl": "60"}


def test_an_exception_that_was_kept_stays_kept_when_later_statements_are_restated(card):
    card.change(20, node("markup", "3"))
    card.take_back(card.rates[-2])  # xl from the 20th
    card.type("xl", "45", 5)
    result = card.change(10, node("cost", "20", model="xl"))
    assert (shown(result), [move.values for move in result.kept]) == ([], [of("xl")])
    assert card.prices_at(25)["xl"] == "45"


def test_combinations_that_the_formula_no_longer_has_keep_their_prices(card):
    result = card.state((FORMULA[1], FORMULA[2]), 10)
    assert (shown(result), result.left) == ([], (of("xl"),))
    assert card.prices_at(10) == {"small": "4", "xl": "60"}
    again = card.state((*FORMULA[:2], node("markup", "3")), 15)
    assert shown(again) == [("small", 15, "6"), ("xl", 15, "90")]


def test_a_later_statement_without_a_combination_leaves_it_as_it_is_by_then(card):
    card.state((FORMULA[1], FORMULA[2]), 20)
    assert shown(card.change(10, node("cost", "20", model="xl"))) == [("xl", 10, "40")]
    assert card.prices_at(20)["xl"] == "40"


models = ("small", "mid", "xl")
keys = [("cost", of(model)) for model in models] + [("markup", ()), ("grade", ())]
small = st.integers(min_value=0, max_value=3).map(Decimal)
starts = st.integers(min_value=1, max_value=12)
wholes = st.tuples(starts, st.fixed_dictionaries(dict.fromkeys(keys, small)))
changes = st.tuples(starts, st.dictionaries(st.sampled_from(keys), small, min_size=1))


@settings(max_examples=100)
@given(st.fixed_dictionaries(dict.fromkeys(keys, small)), st.lists(st.one_of(wholes, changes), max_size=6))
def test_prices_are_at_every_instant_what_the_formula_says(first, later):
    """Whatever is stated, in whatever order and from whenever on; zeros hide a change and let it out again."""
    card = Card()
    card.state([Node(*key, number) for key, number in first.items()], 1)
    for start, numbers in later:
        before = [(card.prices_at(at), card.stated_at(at)) for at in range(1, 14)]
        nodes = [Node(*key, number) for key, number in numbers.items()]
        result = card.state(nodes, start, changes=len(numbers) < len(keys))
        assert (result.kept, result.left) == ((), ())
        for at in range(1, 14):
            said = {values[0][1]: str(price) for values, price in card.stated_at(at).items()}
            assert card.prices_at(at) == said
            if at < start:
                assert (card.prices_at(at), card.stated_at(at)) == before[at - 1]
        assert all(_is_needed(card, rate) for rate in card.rates if rate.publication == card.publication)


def _is_needed(card: Card, rate: Rate) -> bool:
    """Whether the price at its start would be another one without it."""
    at = rate.starting_at.day
    other = Card()
    other.rates = [each for each in card.rates if each != rate]
    return other.prices_at(at) != card.prices_at(at)
