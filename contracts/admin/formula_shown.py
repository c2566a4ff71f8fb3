"""A formula in finished words: its nodes, the prices that it makes, and what stating it anew would change."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from billing_site.foundation.display import count_text, day_text, exact_text, instant_text, plain_text
from billing_site.foundation.money import Unit, exact_decimal
from billing_site.foundation.periods import format_instant
from contracts.admin.later_shown import later_shown
from contracts.admin.planned_shown import ShownPlan, ShownPlanned, reach_notes
from contracts.admin.price_shown import Note
from contracts.admin.sealed_change import sealed
from contracts.forms.formulas import NUMBER, TypedNumber
from contracts.forms.later_prices import LaterAnswers
from pricing.engine.catalog import GroupValues, Rate
from pricing.engine.formulas import Node, NodeKey, count_combinations
from pricing.engine.restating import Move
from pricing.models import Formula
from pricing.queries import StatedPrice
from pricing.services import Stated, rates_of_formula
from pricing.wording import charge_text, formula_text, node_key_text, values_text

ROWS_SHOWN = 500
NAMED = 10  # of combinations that are left


@dataclass(frozen=True, slots=True)
class ShownNode:
    factor: str
    values: str
    label: str
    field: str  # the name of its input
    text: str
    is_changed: bool
    error: str


@dataclass(frozen=True, slots=True)
class ShownPrice:
    values: str
    made_of: str
    price: str
    in_force: str  # where that is not the formula's price


@dataclass(frozen=True, slots=True)
class ShownStatement:
    when: str
    start: str
    by: str
    reason: str
    says: str


def shown_nodes(nodes: Iterable[Node], typed: Mapping[NodeKey, TypedNumber]) -> list[ShownNode]:
    return [
        ShownNode(
            factor=node.name,
            values=values_text(dict(node.values)) or "all",
            label=node_key_text(node.key),
            field=f"{NUMBER}{index}",
            text=typed[node.key].text if node.key in typed else plain_text(node.number),
            is_changed=node.key in typed,
            error=typed[node.key].error if node.key in typed else "",
        )
        for index, node in enumerate(nodes)
    ]


def shown_prices(prices: Iterable[StatedPrice], unit: Unit) -> list[ShownPrice]:
    return [
        ShownPrice(
            values=values_text(dict(each.values)) or "all usage",
            made_of=formula_text(each.nodes),
            price=exact_text(each.price, unit),
            in_force=_held_text(each.rate) if each.is_exception else "",
        )
        for each in prices
    ]


def shown_statements(statements: Iterable[Formula]) -> list[ShownStatement]:
    """The latest start first, and of one start what was published last."""
    in_order = sorted(statements, key=lambda each: (each.starting_at, each.publication_id), reverse=True)
    return [
        ShownStatement(
            when=day_text(each.starting_at),
            start=format_instant(each.starting_at),
            by=f"{each.publication.published_by}, {instant_text(each.publication.published_at)}",
            reason=each.publication.price_change.reason,
            says=_says(each),
        )
        for each in in_order
    ]


def shown_plan(stated: Stated, name: str, answers: LaterAnswers, *, at: datetime) -> ShownPlan:
    """Three queries, where anything would be published."""
    rows = [*(_kept(move, name, stated.unit.to_unit()) for move in stated.moves.kept), *_moved(stated, name)]
    start = stated.statements[0].starting_at
    return ShownPlan(
        rows=tuple(rows[:ROWS_SHOWN]),
        counts=moves_text(stated),
        publish=_publish_text(stated),
        notes=(*_notes(stated, len(rows)), *(reach_notes(stated.card, start, at) if stated.is_news else ())),
        seen=fingerprint(stated),
        later=later_shown(((later, name, values_text(dict(values))) for values, later in stated.later), answers),
        change=sealed(stated.card, rates_of_formula(stated), stated.withdrawn) if stated.moves.moved else "",
    )


def moves_text(stated: Stated) -> str:
    """ "12 of 36 prices move": how many combinations cost something else, at the start or where it shows later."""
    moved = len({move.values for move in stated.moves.moved})
    return f"{moved:,} of {count_combinations(stated.statements[0].nodes):,} prices move"


def fingerprint(stated: Stated) -> str:
    """The same for two plans that would publish the same in place of the same."""
    moves = stated.moves
    told = [
        stated.unit.pk,
        [
            (format_instant(each.starting_at), each.nodes, each.entitled, sorted(each.changed))
            for each in stated.statements
        ],
        [
            (move.values, format_instant(move.starting_at), move.price, _end_text(move), _held_text(move.held))
            for move in moves.moved
        ],
        [(move.values, _held_text(move.held)) for move in moves.kept],
        moves.left,
        stated.withdrawn,
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _moved(stated: Stated, name: str) -> Iterator[ShownPlanned]:
    unit = stated.unit.to_unit()
    so_far: dict[GroupValues, str] = {}  # what a combination costs by a move before
    for move in stated.moves.moved:
        before = so_far.get(move.values) or _held_text(move.held)
        after = so_far[move.values] = _price_text(move, unit)
        is_new = before == _held_text(None)
        ends = (Note(f"Up to {_end_text(move)}.", "warn"),) if move.ending_before else ()
        yield ShownPlanned(
            place="",
            name=name,
            values=values_text(dict(move.values)),
            when=day_text(move.starting_at),
            before=before,
            after=after,
            outcome="new" if is_new else "moves",
            tone="good" if is_new else "accent",
            notes=ends,
        )


def _kept(move: Move, name: str, unit: Unit) -> ShownPlanned:
    held = _held_text(move.held)
    return ShownPlanned(
        place="",
        name=name,
        values=values_text(dict(move.values)),
        when=day_text(move.starting_at),
        before=held,
        after=held,
        outcome="kept",
        tone="warn",
        notes=(Note(f"Not the formula's price, which would be {_price_text(move, unit)}."),),
    )


def _notes(stated: Stated, rows: int) -> Iterator[Note]:
    moves = stated.moves
    if not stated.is_news:
        yield Note("The formula says all of this already: there is nothing to publish.")
    if moves.kept:
        yield Note(f"{count_text(len(moves.kept), 'price is', 'prices are')} not the formula's: kept below.", "warn")
    if moves.left:
        named = "; ".join(values_text(dict(values)) for values in moves.left[:NAMED])
        more = f" and {len(moves.left) - NAMED:,} more" if len(moves.left) > NAMED else ""
        yield Note(f"The formula no longer has {named}{more}: what they cost stays as it is.", "warn")
    later = [day_text(each.starting_at) for each in stated.statements[1:]]
    if later:
        yield Note(f"What is stated already from {', '.join(later)} on is stated anew upon it.")
    if rows > ROWS_SHOWN:
        yield Note(f"{rows - ROWS_SHOWN:,} more than are listed here.")


def _publish_text(stated: Stated) -> str:
    if not stated.is_news:
        return ""
    count = len(stated.moves.moved)
    return f"Publish {count_text(count, 'price', 'prices')}" if count else "Publish the formula"


def _price_text(move: Move, unit: Unit) -> str:
    text = _exact(move.price, unit)
    return text if move.statement.entitled else f"{text}, not part of contracts"


def _end_text(move: Move) -> str:
    return day_text(move.ending_before) if move.ending_before else ""


def _exact(price: Fraction, unit: Unit) -> str:
    exact = exact_decimal(price)
    assert exact is not None  # a price that does not fit is refused before
    return exact_text(exact, unit)


def _held_text(held: Rate | None) -> str:
    """ "$40.00", "$40.00, not part of contracts", "no price"."""
    if held is None:
        return "no price"
    text = charge_text(held.tariff, held.unit)
    return text if held.entitled else f"{text}, not part of contracts"


def _says(formula: Formula) -> str:
    statement = formula.to_statement()
    changed = [node for node in statement.nodes if node.key in statement.changed]
    if not changed:
        return f"All {count_text(len(statement.nodes), 'number', 'numbers')}"
    named = ", ".join(f"{node_key_text(node.key)} {plain_text(node.number)}" for node in changed[:NAMED])
    return f"{named} and {len(changed) - NAMED:,} more" if len(changed) > NAMED else named
