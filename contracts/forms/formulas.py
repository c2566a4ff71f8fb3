"""A formula typed: other numbers for some of its nodes, or the whole of it as lines of text.

A line is a node: its name, the values that it stands for, and its number.

    base; ; 100                          for everything
    model; model=xl; 4
    cost; model=xl, region=eu; 30
    cost; model=xl, region="a, b"; 31    in quotes, as JSON has them: a text that a separator or a quote is part of

Numbers multiply to prices in wire units (USD: cents).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from billing_site.foundation.display import plain_text, unit_text
from billing_site.foundation.refusals import Refusal, shown
from contracts.forms.amounts import NumberField
from contracts.forms.price_grid import SURROGATE, GridForm
from pricing.engine.formulas import Node, NodeKey
from pricing.models import Formula, PricingUnit
from pricing.services import NewNode
from pricing.services.formulas import KEEP, REPLACE
from pricing.wording import node_key_text

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[;,=]|[^;,="]+')  # a quote that is not closed goes on to the end
NODE = re.compile(r"nodes\[(\d+)\]\.?(\w*)")
NUMBER = "number-"  # before the place of a node in the name of its field
SHAPE = "A line is a name, values and a number with a semicolon after each of the first two: model; model=xl; 4."
NEEDED = "Every node has a number; 1 leaves prices as they are."


@dataclass(frozen=True, slots=True)
class TypedNumber:
    """What somebody has typed for a node, or what is wrong with it."""

    text: str
    number: Decimal | None
    error: str = ""


class FormulaForm(GridForm):
    """What surrounds the numbers, and what becomes of prices that are not the formula's."""

    exceptions = forms.ChoiceField(
        label="Prices that are not the formula's",
        required=False,
        choices=[
            ("", "Choose what becomes of them"),
            (KEEP, "Keep them as they are"),
            (REPLACE, "Replace them by the formula's"),
        ],
    )

    has_exceptions = False  # whether there are such prices: only then it is asked

    @property
    def asks_exceptions(self) -> bool:
        asked = self["exceptions"]
        return self.has_exceptions or bool(asked.value() or asked.errors)

    def show(self, refusal: Refusal) -> None:
        others = []
        for error in refusal.errors:
            if place := NODE.match(error.field):
                self.show_node(int(place[1]), place[2], _sentence(error.rule))
            elif error.field == "nodes":
                self.show_nodes(f"{error.value}: {error.rule}." if error.value else _sentence(error.rule))
            else:
                others.append(error)
        if others or not refusal.errors:
            super().show(Refusal(refusal.message, *others))

    def show_node(self, index: int, field: str, sentence: str) -> None:
        """An error of one of the nodes, counted as they were sent to the service."""
        raise NotImplementedError

    def show_nodes(self, sentence: str) -> None:
        self.add_error(None, sentence)


class NumbersForm(FormulaForm):
    """Other numbers for nodes that are there. `typed` are those that differ from what the page has shown."""

    typed: dict[NodeKey, TypedNumber]

    def read(self, nodes: Sequence[Node]) -> None:
        self.typed = dict(_typed(self.data, nodes))

    def leave_out(self, keys: Iterable[NodeKey], when: str) -> None:
        """Forget numbers of nodes that the formula does not have at another instant."""
        for key in keys:
            del self.typed[key]
            self.add_error(None, f"The formula {when} has no {node_key_text(key)}: its number is left out.")

    @property
    def is_readable(self) -> bool:
        return not any(typed.error for typed in self.typed.values())

    def to_nodes(self) -> list[NewNode]:
        """What a readable form asks for, in the order of `typed`."""
        return [
            NewNode(name, typed.number, {key: value for key, value in values if value is not None})
            for (name, values), typed in self.typed.items()
            if typed.number is not None
        ]

    def show_node(self, index: int, field: str, sentence: str) -> None:
        key = list(self.typed)[index]
        self.typed[key] = TypedNumber(self.typed[key].text, None, sentence)


class WholeForm(FormulaForm):
    """All nodes as lines, in one of the `units` in which the product may be priced on the card."""

    lines = forms.CharField(label="Nodes, one a line", strip=False, widget=forms.Textarea(attrs={"rows": 12}))
    unit = forms.ChoiceField(label="Priced in", help_text="From its first price on, for good.")
    entitled = forms.BooleanField(
        required=False,
        label="Contracts on this card may use it",
        help_text="Without a tick, its usage is not billed unless a contract says so.",
    )
    field_order = ("starting_at", "reason", "lines")

    def __init__(self, units: Sequence[PricingUnit], data: QueryDict | None = None, **options: Any) -> None:
        super().__init__(data, **options)
        self.nodes: list[NewNode] = []
        self.places: list[int] = []  # the line of each node
        if len(units) > 1:
            choice: Any = self.fields["unit"]
            choice.choices = [(str(unit.pk), unit_text(unit.to_unit())) for unit in units]
        else:
            del self.fields["unit"]

    def read(self, keys: Sequence[str]) -> None:
        """Read the lines, of a product with these pricing group keys."""
        for place, line in enumerate(self.cleaned_data.get("lines", "").splitlines(), 1):
            if not line.strip():
                continue
            try:
                node = node_of_line(line)
                others = ", ".join(name for name in node.values if name not in keys)
                if others:
                    has = f"It has {', '.join(keys)}." if keys else "It has none."
                    raise ValidationError(f"The product has no dimension {others}. {has}")
            except ValidationError as error:
                self.add_error("lines", f"Line {place}: {' '.join(error.messages)}")
            else:
                self.nodes.append(node)
                self.places.append(place)

    def show_node(self, index: int, field: str, sentence: str) -> None:
        sentence = re.sub(r"nodes\[(\d+)\]", lambda other: f"line {self.places[int(other[1])]}", sentence)
        self.add_error("lines", f"Line {self.places[index]}, {field}: {sentence}")

    def show_nodes(self, sentence: str) -> None:
        self.add_error("lines", sentence)


def node_of_line(line: str) -> NewNode:
    """Raises ValidationError."""
    parts = list(_split(TOKEN.findall(line), ";"))
    if len(parts) != 3:
        raise ValidationError(SHAPE)
    name, pairs, number = parts
    values: dict[str, str] = {}
    for pair in _split(pairs, ",") if "".join(pairs).strip() else ():
        sides = list(_split(pair, "="))
        if len(sides) != 2:
            raise ValidationError(
                f"Values are written key=value, with commas between; this is not: {shown(''.join(pair).strip())}"
            )
        key, value = map(_text, sides)
        if key in values:
            raise ValidationError(f"It has two values of {key}.")
        values[key] = value
    return NewNode(_text(name), _number("".join(number)), values)


def line_of_node(node: Node) -> str:
    values = ", ".join(f"{_written(key)}={_written(value or '')}" for key, value in node.values)
    return f"{_written(node.name)}; {values}; {plain_text(node.number)}"


def lines_of(formula: Formula | None) -> str:
    return "\n".join(map(line_of_node, formula.to_statement().nodes)) if formula else ""


def _typed(data: Mapping[str, Any], nodes: Sequence[Node]) -> Iterator[tuple[NodeKey, TypedNumber]]:
    for index, node in enumerate(nodes):
        text = data.get(f"{NUMBER}{index}", plain_text(node.number))
        try:
            number = _number(text)
        except ValidationError as error:
            yield node.key, TypedNumber(text, None, " ".join(error.messages))
        else:
            if number != node.number:
                yield node.key, TypedNumber(text, number)


def _number(text: str) -> Decimal:
    messages = {"required": NEEDED, "invalid": "Write a number, such as 30 or 0.0025."}
    number: Decimal = NumberField(required=True, error_messages=messages).clean(text)
    return number


def _split(tokens: Iterable[str], separator: str) -> Iterator[list[str]]:
    part: list[str] = []
    for token in tokens:
        if token == separator:
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _text(tokens: Iterable[str]) -> str:
    text = "".join(tokens).strip()
    if '"' not in text:
        return text
    try:
        # What begins with a quote is a text or nothing: nothing that is nested is read.
        read: str = json.loads(text if text.startswith('"') else "")
    except ValueError as error:
        raise ValidationError(f"It is not written as JSON writes a text in quotes: {shown(text)}") from error
    if SURROGATE.search(read):
        raise ValidationError(f"It is not a text: {shown(text)}")
    return read


def _written(text: str) -> str:
    is_plain = text == text.strip() and not re.search(r'[;,="]', text) and len(text.splitlines()) < 2
    return text if is_plain else json.dumps(text)


def _sentence(rule: str) -> str:
    return f"{rule[:1].upper()}{rule[1:]}."
