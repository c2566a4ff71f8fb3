"""A formula over time: what stating it anew from an instant on makes of later statements, and which prices it moves.

A formula is kept as *statements*. Each holds all nodes from its start on; of those that have begun, the one with the
greatest (starting_at, publication) is in force, as with rates. A statement either says the whole, or it changes the
numbers of some nodes and carries the others over from the one before.

A node that is changed from an instant on stays so until a later statement changes that same node, or says the whole.
So whoever changes a node before a statement that is scheduled already restates that one, on the new ground:

    from                1 Oct               10 Nov                     1 Dec                       price of xl, then
    as first stated     cost 30, markup 2                                                          60
    a month later                                                      markup 3                    60, 90
    and then                                cost 20                    (cost 20 carried) markup 3  60, 40, 60

A rate is published for a combination where its price changes at the start of a statement, and nowhere else: each rate
holds until the next one begins. One model's cost is in every price of that model, and in no other: of 3 models × 4 × 3,
changing it moves 12 of 36.

A combination is an *exception* where the price in force is not the one that the formula says: somebody typed it, or
took the formula's price back. An exception at the instant of the change is moved only where its author says so. A price
that was typed for a later instant stays, and ends what is published before it.

    in force at the instant                           the change would move it
    the formula's price                               it moves
    no price, and the formula had none for it either  it moves: it gets one
    a typed price, or no price any more, or           exception: kept, or replaced
    a formula's price that is not the one it says
    a typed price that is the new one already         replaced: taken over by the formula; else it stays
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import zip_longest
from uuid import UUID

from billing_site.foundation.periods import earliest
from pricing.engine.catalog import GroupValues, Rate
from pricing.engine.formulas import Node, NodeKey, prices, with_numbers
from pricing.engine.tariffs import FLAT
from pricing.engine.timelines import Dated, Timeline, in_force


@dataclass(frozen=True, slots=True)
class Statement:
    """All nodes of a formula from `starting_at` on."""

    nodes: tuple[Node, ...]
    starting_at: datetime
    publication: int
    entitled: bool
    changed: frozenset[NodeKey] = frozenset()  # the nodes that it changes; none: it says the whole


@dataclass(frozen=True, slots=True)
class Move:
    """From its start on a combination costs what `statement` says, up to where a later price holds."""

    values: GroupValues
    statement: Statement
    price: Fraction
    held: Rate | None  # what is in force so far; None: no price, or one that moves earlier already
    is_exception: bool
    ending_before: datetime | None = None

    @property
    def starting_at(self) -> datetime:
        return self.statement.starting_at


@dataclass(frozen=True, slots=True)
class Moves:
    """What stating a formula anew does to the prices of its product."""

    moved: tuple[Move, ...]  # a rate each, in the order of the combinations
    kept: tuple[Move, ...]  # exceptions that it would move, and does not
    left: tuple[GroupValues, ...]  # combinations that the formula no longer has; their prices stay as they are
    unmoved: int  # combinations whose price stays at the start of what is stated


class UnknownNodes(Exception):
    """A later statement changes nodes that the formula before it would no longer have."""

    def __init__(self, later: Statement, keys: list[NodeKey]) -> None:
        super().__init__(later, keys)
        self.later, self.keys = later, keys


def over_time(statements: Sequence[Statement]) -> Timeline[Statement]:
    return in_force(Dated(each, each.starting_at, None, each.publication) for each in statements)


def changing(
    current: Statement, numbers: Mapping[NodeKey, Decimal], *, starting_at: datetime, publication: int
) -> Statement:
    """`current`, which is in force at `starting_at`, with other numbers for some of its nodes from then on."""
    nodes = with_numbers(current.nodes, numbers)
    changed = frozenset(new.key for old, new in zip(current.nodes, nodes, strict=True) if new != old)
    if current.starting_at == starting_at:  # it stands in for all that was said from this instant on
        changed = changed | current.changed if current.changed else frozenset()
    return Statement(nodes, starting_at, publication, current.entitled, changed)


def restated(known: Timeline[Statement], new: Statement) -> list[Statement]:
    """`new`, and each later statement that comes out otherwise on the new ground; all of one publication.

    Raises UnknownNodes.
    """
    made = [new]
    ground = new
    for later in _those(known):
        if later.starting_at <= new.starting_at:
            continue
        if not later.changed:
            break
        unknown = later.changed - {node.key for node in ground.nodes}
        if unknown:
            raise UnknownNodes(later, sorted(unknown))
        numbers = {node.key: node.number for node in later.nodes if node.key in later.changed}
        ground = replace(
            later,
            nodes=with_numbers(ground.nodes, numbers),
            entitled=ground.entitled,
            publication=new.publication,
        )
        if (ground.nodes, ground.entitled) != (later.nodes, later.entitled):
            made.append(ground)
    return made


def moves(
    before: Timeline[Statement],
    after: Timeline[Statement],
    starting_at: datetime,
    rates: Mapping[GroupValues, Timeline[Rate]],
    ours: Collection[UUID],
    *,
    replacing: bool,
) -> Moves:
    """Which rates to publish where the statements over time become `after`, which differ from `starting_at` on.

    `rates` are those of the product by combination, `ours` the ids of those that came from a formula. `replacing`
    moves exceptions, too.
    """
    cuts = [
        _Cut(statement, _said(before.at(statement.starting_at)), _said(statement))
        for statement in _those(after)
        if statement.starting_at >= starting_at
    ]
    moved: list[Move] = []
    kept: list[Move] = []
    for values in dict.fromkeys(values for cut in cuts for values in cut.after):
        timeline = rates.get(values, Timeline((), ()))
        of_values: list[Move] = []
        for cut in cuts:
            found = _move(cut, values, timeline, ours, of_values[-1] if of_values else None, cuts[0], replacing)
            if found is not None and found.is_exception and not replacing:
                kept.append(found)
            elif found is not None:
                of_values.append(found)
        next_starts = (move.starting_at for move in of_values[1:])
        moved += [
            replace(move, ending_before=earliest(end, _next_start(timeline, move.starting_at)))
            for move, end in zip_longest(of_values, next_starts)
        ]
    touched = {move.values for move in (*moved, *kept) if move.starting_at == starting_at}
    return Moves(
        moved=tuple(moved),
        kept=tuple(kept),
        left=tuple(values for values in cuts[0].before if values not in cuts[0].after),
        unmoved=len(cuts[0].after.keys() - touched),
    )


Said = tuple[Fraction, bool]  # a price, and whether contracts are entitled to it


@dataclass(frozen=True, slots=True)
class _Cut:
    """The start of a statement, and what the formula says then by combination, as was known before and is now."""

    statement: Statement
    before: Mapping[GroupValues, Said]
    after: Mapping[GroupValues, Said]


def _move(
    cut: _Cut,
    values: GroupValues,
    timeline: Timeline[Rate],
    ours: Collection[UUID],
    last: Move | None,
    first: _Cut,
    replacing: bool,
) -> Move | None:
    """The rate that a combination needs from a cut on, if any. `last` is the one that it gets before."""
    said = cut.after.get(values)
    if said is None:
        return None
    at, was_said = cut.statement.starting_at, cut.before.get(values)
    rate = timeline.at(at)
    if last is not None and (rate is None or rate.starting_at <= last.starting_at):
        moves_on = (last.price, last.statement.entitled) != said
        return Move(values, cut.statement, said[0], None, False) if moves_on else None
    is_ours = rate is not None and rate.id in ours
    if rate is not None and says(rate, said) and (is_ours or not replacing):
        return None
    is_first = cut is first
    if said == was_said and not (is_first and replacing and not cut.statement.changed):
        return None
    says_otherwise = was_said is not None and (rate is None or not says(rate, was_said))
    is_exception = says_otherwise or (rate is not None and not is_ours)
    if not is_first and (is_exception or rate is None):
        return None  # what was typed for later stays, and so does what was kept at the start
    return Move(values, cut.statement, said[0], rate, is_exception)


def _those(timeline: Timeline[Statement]) -> Iterator[Statement]:
    return (statement for statement in timeline.values if statement is not None)


def _said(statement: Statement | None) -> dict[GroupValues, Said]:
    if statement is None:
        return {}
    return {values: (price, statement.entitled) for values, price in prices(statement.nodes).items()}


def says(rate: Rate, said: Said) -> bool:
    """Whether a rate charges just this."""
    tariff = rate.tariff
    is_flat = tariff.type == FLAT and tariff.price is not None and rate.commit_tariff is None
    return is_flat and (Fraction(tariff.price or 0), rate.entitled) == said


def _next_start(timeline: Timeline[Rate], after: datetime) -> datetime | None:
    """When a price that begins later takes over."""
    return next((rate.starting_at for rate in timeline.values if rate is not None and rate.starting_at > after), None)
