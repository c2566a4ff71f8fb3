"""How the combinations of a product's dimensions lie on a page.

Two dimensions are rows and columns; those before them, if there are more, make a block for each of their combinations;
one alone is a column. Where that were more cells than a page can hold, only the combinations that are known are listed,
one a row.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from pricing.queries import Combination

MOST_CELLS = 600
MOST_COLUMNS = 5  # beyond, the longer of the two dimensions goes down the page


@dataclass(frozen=True, slots=True)
class Cell:
    name: str
    label: str
    text: str
    words: str  # of a price that is not one number: it has no input
    change_url: str
    error: str
    is_used: bool  # it occurs in usage, and has no price
    is_changed: bool
    is_entitled: bool


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Block:
    title: str
    row_key: str
    column_key: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


CellOf = Callable[[Combination], Cell]


def laid_out(
    keys: Sequence[str], values: Sequence[Sequence[str]], known: Sequence[Combination], cell: CellOf
) -> tuple[list[Block], int]:
    """The blocks of a grid of `values`, a list for each key, and how many of the `known` combinations are left out:
    the last ones."""
    if prod(map(len, values)) <= MOST_CELLS:
        return [block for block in _blocks(keys, values, cell) if block.rows and block.columns], 0
    shown = sorted(known[:MOST_CELLS])
    rows = tuple(Row(", ".join(map(value_text, combination)), (cell(combination),)) for combination in shown)
    return [Block("", ", ".join(keys), "", ("Price",), rows)], len(known) - len(shown)


def value_text(value: str) -> str:
    return value or "(empty)"


def _blocks(keys: Sequence[str], values: Sequence[Sequence[str]], cell: CellOf) -> Iterator[Block]:
    if len(keys) == 1:
        rows = tuple(Row(value_text(value), (cell((value,)),)) for value in values[0])
        yield Block("", keys[0], "", ("Price",), rows)
        return
    down, across = values[-2:]
    is_turned = len(across) > MOST_COLUMNS and len(across) > len(down)
    for outer in product(*values[:-2]):
        title = ", ".join(f"{key}: {value_text(value)}" for key, value in zip(keys, outer, strict=False))
        if is_turned:
            rows = tuple(Row(value_text(row), tuple(cell((*outer, column, row)) for column in down)) for row in across)
            yield Block(title, keys[-1], keys[-2], tuple(map(value_text, down)), rows)
        else:
            rows = tuple(Row(value_text(row), tuple(cell((*outer, row, column)) for column in across)) for row in down)
            yield Block(title, keys[-2], keys[-1], tuple(map(value_text, across)), rows)
