"""Prices stated as a formula: a price for every combination of values, from a few numbers.

A node is a name, values of some of the product's pricing group keys or of none, and a number. Nodes of one name are a
*factor*: they have values of the same keys. The price of a combination is what the numbers of its nodes multiply to,
one node of each factor: the one whose values the combination has. So a base is a factor of one node without values, a
factor by model has a node for each model, and "cost times markup" is a factor by model times a factor of one node.

    node                              number
    cost      model: xl               30
    cost      model: small            2
    markup                            1.5
    region    region: eu              1.1
    region    region: us              1

    combination                       price
    model: small, region: eu          2 × 1.5 × 1.1  = 3.3
    model: small, region: us          2 × 1.5 × 1    = 3
    model: xl, region: eu             30 × 1.5 × 1.1 = 49.5
    model: xl, region: us             30 × 1.5 × 1   = 45

The combinations are all there are of the values that the nodes name. A formula is *whole*: each factor has a node for
every combination of the values of its keys. What is forgotten is so found by name, and no price is missing in silence.

Prices are exact. A price that needs more than 12 decimals cannot be kept, and is refused where the formula is stated:
a price is always just what its nodes multiply to.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import prod

from pricing.engine.catalog import GroupValues

NodeKey = tuple[str, GroupValues]


@dataclass(frozen=True, slots=True)
class Node:
    """One number of a formula, and for which values it stands; for all where it has none."""

    name: str
    values: GroupValues  # in the order of their keys
    number: Decimal

    @property
    def key(self) -> NodeKey:
        return self.name, self.values


def factors(nodes: Iterable[Node]) -> dict[str, dict[GroupValues, Node]]:
    """The nodes of each factor by their values, in the order in which factors are first named."""
    found: dict[str, dict[GroupValues, Node]] = {}
    for node in nodes:
        found.setdefault(node.name, {})[node.values] = node
    return found


def keys_of(nodes: Iterable[Node]) -> tuple[str, ...]:
    """The pricing group keys that the nodes have values of, in order."""
    return tuple(sorted({key for node in nodes for key, _ in node.values}))


def count_combinations(nodes: Sequence[Node]) -> int:
    """How many prices they make."""
    return prod(len(values) for values in _values_by_key(nodes).values())


def missing_nodes(nodes: Sequence[Node]) -> Iterator[NodeKey]:
    """What a whole formula would have beside these."""
    values = _values_by_key(nodes)
    for name, held in factors(nodes).items():
        keys = keys_of(held.values())
        for found in _combinations({key: values[key] for key in keys}):
            if found not in held:
                yield name, found


def prices(nodes: Sequence[Node]) -> dict[GroupValues, Fraction]:
    """What a unit of each combination costs, in the order of the values. The formula is whole."""
    return {
        values: prod((Fraction(node.number) for node in behind), start=Fraction(1))
        for values, behind in _nodes_by_combination(nodes)
    }


def nodes_behind(nodes: Sequence[Node], values: GroupValues) -> tuple[Node, ...]:
    """Those that make the price of one combination, in the order of the factors; () where it is none of theirs."""
    if tuple(key for key, _ in values) != keys_of(nodes):
        return ()
    held = dict(values)
    behind = tuple(node for node in nodes if all(held[key] == value for key, value in node.values))
    return behind if len(behind) == len(factors(nodes)) else ()


def with_numbers(nodes: Iterable[Node], numbers: Mapping[NodeKey, Decimal]) -> tuple[Node, ...]:
    """The same nodes, some with another number. Keys of no node change nothing."""
    return tuple(replace(node, number=numbers.get(node.key, node.number)) for node in nodes)


def _nodes_by_combination(nodes: Sequence[Node]) -> Iterator[tuple[GroupValues, list[Node]]]:
    by_factor = [(frozenset(keys_of(held.values())), held) for held in factors(nodes).values()]
    for values in _combinations(_values_by_key(nodes)):
        yield values, [held[tuple(pair for pair in values if pair[0] in keys)] for keys, held in by_factor]


def _values_by_key(nodes: Iterable[Node]) -> dict[str, list[str | None]]:
    """The values of each key that some node names: keys in order, values as they are first named."""
    found: dict[str, dict[str | None, None]] = {key: {} for key in keys_of(nodes)}
    for node in nodes:
        for key, value in node.values:
            found[key][value] = None
    return {key: list(values) for key, values in found.items()}


def _combinations(values: Mapping[str, Sequence[str | None]]) -> Iterator[GroupValues]:
    for combination in product(*values.values()):
        yield tuple(zip(values, combination, strict=True))
