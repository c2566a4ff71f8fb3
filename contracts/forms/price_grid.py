"""The prices of a product typed as a grid: what surrounds the cells, and what is in them."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import BadRequest, ValidationError
from django.http import QueryDict

from billing_site.foundation.money import Unit, major_amount
from billing_site.foundation.periods import parse_instant
from billing_site.foundation.problems import Problems, decimal_places
from contracts.forms.amounts import MajorField
from contracts.forms.instants import HourField
from contracts.forms.prices import ShownRefusal
from pricing.engine.tariffs import FLAT
from pricing.models import Rate
from pricing.queries import Combination

MOST_PUBLICATIONS = 2**63 - 1
CELL = "price:"  # before the combination in the name of a cell's field
SURROGATE = re.compile("[\ud800-\udfff]")
EMPTIED = "A price is not taken back by emptying its cell: 0 is free, and Withdraw is on the rate card's page."


class GridForm(ShownRefusal):
    """What surrounds the cells.

    `known` is the last publication that whoever types has seen, and `shown_at` the instant whose prices the cells had:
    what differs from those was typed. `seen` names the plan that the page said it would publish.
    """

    starting_at = HourField(label="Prices from", required=True)
    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        required=False,
        help_text="Why; kept with the price change, for whoever asks later.",
    )
    known = forms.IntegerField(min_value=0, max_value=MOST_PUBLICATIONS, widget=forms.HiddenInput)
    shown_at = forms.CharField(widget=forms.HiddenInput)
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_shown_at(self) -> datetime:
        try:
            return parse_instant(self.cleaned_data["shown_at"])
        except ValueError as error:
            raise ValidationError("That is not an instant.") from error


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody has typed into a cell: a price in wire units, or what is wrong with it."""

    text: str
    price: Decimal | None
    error: str = ""


def cell_name(combination: Combination) -> str:
    """In letters that arrive as they are sent, whatever the values are."""
    return CELL + urlsafe_b64encode(json.dumps(combination).encode()).decode()


def cell_text(rate: Rate | None) -> str:
    """What a cell says for a price, with every digit and no fewer than its money has: "30.00". Empty without one."""
    if rate is None or rate.price is None:
        return ""
    unit = rate.unit.to_unit()
    major = major_amount(rate.price, unit)
    return f"{major:.{max(decimal_places(major), unit.minor_exponent if unit.code else 0)}f}"


def typed_cells(
    data: QueryDict, keys: tuple[str, ...], held: dict[Combination, Rate], unit: Unit
) -> dict[Combination, Typed]:
    """The cells that say something else than the prices that the page has shown, in the order of the page.

    Raises BadRequest for a field that no page of ours has.
    """
    found: dict[Combination, Typed] = {}
    for name in data:
        if not name.startswith(CELL):
            continue
        combination = _combination(name.removeprefix(CELL), keys)
        rate = held.get(combination)
        if rate is not None and rate.rate_type != FLAT:
            raise BadRequest(f"The price of {combination} is of the type {rate.rate_type}: it has no cell.")
        typed = _typed(data.get(name, ""), unit)
        if typed.error or typed.price != (rate.price if rate is not None else None):
            is_emptied = not typed.error and typed.price is None
            found[combination] = Typed(typed.text, None, EMPTIED) if is_emptied else typed
    return found


def more_values(data: QueryDict, keys: tuple[str, ...]) -> tuple[list[list[str]], list[str]]:
    """For each key the values that were added to those known (`value-0`, and just now `another-0`); what is wrong with
    them."""
    problems = Problems()
    added: list[list[str]] = []
    for index, key in enumerate(keys):
        given = [*data.getlist(f"value-{index}"), data.get(f"another-{index}", "").strip()]
        added.append(list(dict.fromkeys(filter(None, given))))
        for value in added[-1]:
            problems.key(key, value)
    return added, [f"{error.field}: {error.rule}." for error in problems.errors]


def _typed(text: str, unit: Unit) -> Typed:
    field = MajorField(error_messages={"invalid": "Write a number, such as 30 or 0.0025."})
    field.unit = unit
    try:
        return Typed(text, field.clean(text))
    except ValidationError as error:
        return Typed(text, None, " ".join(error.messages))


def _combination(text: str, keys: tuple[str, ...]) -> Combination:
    try:
        values: Any = json.loads(urlsafe_b64decode(text))
    except (ValueError, RecursionError) as error:
        raise BadRequest("The name of a cell is not a combination.") from error
    if not isinstance(values, list) or len(values) != len(keys) or not _all_text(values):
        raise BadRequest(f"A cell is named by a value for each of {', '.join(keys)}.")
    return tuple(values)


def _all_text(values: Iterable[Any]) -> bool:
    """Whether each is a text that can be sent: JSON can spell halves of characters, which cannot."""
    return all(isinstance(value, str) and not SURROGATE.search(value) for value in values)
