"""What a formula may say, given its product.

nodes     at least one; each with a name, values (or none) and a number that is not negative; each once
factors   the nodes of one name have values of the same keys, and are there for every combination of them
keys      just the product's pricing group keys, as the product is at the start of the statement
prices    at most 10,000; each fits 12 decimals and 16 digits before the point, for none is rounded
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from itertools import islice

from billing_site.foundation.money import exact_decimal
from billing_site.foundation.problems import DECIMAL_PLACES, WHOLE_DIGITS, Problems
from pricing.engine.formulas import Node, count_combinations, keys_of, missing_nodes, prices
from pricing.services.tariffs import not_negative
from pricing.wording import node_key_text, values_text

PRICES_LIMIT = 10_000
NAMED_LIMIT = 20  # of what is wrong alike, so many are named

_digits = Context(prec=60)


@dataclass(frozen=True, slots=True)
class NewNode:
    """One number of a formula as it is sent."""

    name: str
    number: Decimal
    values: Mapping[str, str] = field(default_factory=dict)

    def to_node(self) -> Node:
        return Node(self.name.strip(), tuple(sorted(self.values.items())), self.number)


def check_nodes(problems: Problems, sent: Sequence[NewNode]) -> None:
    """Adds what is wrong with nodes by themselves, or with one beside another."""
    if not sent:
        problems.add("nodes", [], "must not be empty")
    seen: dict[object, int] = {}
    keys: dict[str, tuple[str, ...]] = {}
    for index, given in enumerate(sent):
        own = problems.within(f"nodes[{index}]")
        own.name("name", given.name)
        for name, value in given.values.items():
            own.key(f"values.{name}", value, may_be_empty=True)
        not_negative(own, "number", given.number)
        node = given.to_node()
        if seen.setdefault(node.key, index) != index:
            own.add("name", given.name, f"is there already, as nodes[{seen[node.key]}] with the same values")
        held = keys.setdefault(node.name, keys_of([node]))
        if held != keys_of([node]):
            needed = f"values of {', '.join(held)}" if held else "no values"
            own.add("values", dict(given.values), f"must have {needed}, as the node before it of the same name")


def check_whole(problems: Problems, nodes: Sequence[Node], keys: Sequence[str]) -> None:
    """Adds why these nodes do not make a price for each combination of the product's pricing group `keys`."""
    if set(keys_of(nodes)) != set(keys):
        needed = f"values of just {', '.join(keys)}" if keys else "no values"
        rule = f"must have {needed}: the product's pricing group key"
        problems.add("nodes", ", ".join(keys_of(nodes)), rule)
        return
    count = count_combinations(nodes)
    if count > PRICES_LIMIT:
        problems.add("nodes", count, f"must not make more than {PRICES_LIMIT:,} prices")
        return
    for key in islice(missing_nodes(nodes), NAMED_LIMIT):
        problems.add("nodes", node_key_text(key), "is missing: each factor needs a number for each combination")


def check_prices(problems: Problems, nodes: Sequence[Node]) -> None:
    """Adds the prices of a whole formula that could not be kept as they are."""
    wrong = 0
    for values, price in prices(nodes).items():
        too_large = price >= 10**WHOLE_DIGITS
        if not too_large and exact_decimal(price) is not None:
            continue
        wrong += 1
        if wrong > NAMED_LIMIT:
            return
        of_what = f"the price of {values_text(dict(values))}" if values else "the price"
        shown = _digits.divide(Decimal(price.numerator), Decimal(price.denominator))
        rule = (
            f"must not have more than {WHOLE_DIGITS} digits before the point"
            if too_large
            else f"must not have more than {DECIMAL_PLACES} decimals: a price is not rounded"
        )
        problems.add("nodes", f"{shown.normalize():f}", f"{of_what} {rule}")
