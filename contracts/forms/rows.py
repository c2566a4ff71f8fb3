"""Forms that have rows of fields, `{kind}_{place}_{name}`, of which people fill in as many as they need."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django import forms

from billing_site.foundation.display import plain_text
from billing_site.foundation.money import Unit
from contracts.forms.amounts import MajorField, NumberField
from contracts.forms.instants import InstantField

NEEDED = "Needed."
SPARE_ROWS = 2
MOST_ROWS = 100  # of a kind on one page: each costs fields, and whoever sends a form names their places
SEGMENT = ("amount", "starting_at", "ending_before")
NOTHING: tuple[Any, ...] = (None, "", "{}", {}, [])
AMOUNT = ("amount", "unit_price", "quantity")  # of what is paid: the first, or the others
ITEM = ("timestamp", *AMOUNT)


class Section(NamedTuple):
    """`rows` are lists of fields, and tariffs."""

    title: str
    rows: list[Any]
    help: str = ""
    is_aside: bool = False
    is_used: bool = True


class RowsForm(forms.Form):
    """A row in which nothing is typed is none. `KINDS` are the kinds of rows that the form has."""

    KINDS: tuple[str, ...] = ()

    def add_segment_row(self, start: str, unit: Unit) -> None:
        self.add_amount(f"{start}amount", "Amount", unit)
        self.fields[f"{start}starting_at"] = InstantField(label="From")
        self.fields[f"{start}ending_before"] = InstantField(
            label="Up to (not including)", help_text="On the hour, UTC. What is left then expires."
        )

    def add_item_row(self, start: str, money: Unit) -> None:
        self.fields[f"{start}timestamp"] = InstantField(label="Billed on", help_text="Any time of the day, UTC.")
        self.add_payment(start, money)

    def add_payment(self, start: str, money: Unit) -> None:
        self.add_amount(f"{start}amount", "Amount", money)
        self.add_amount(f"{start}unit_price", "Or a price", money)
        self.fields[f"{start}quantity"] = NumberField(label="times a quantity")

    def add_amount(self, name: str, label: str, unit: Unit, **options: Any) -> None:
        field = MajorField(label=label, **options)
        field.in_unit(unit)
        self.fields[name] = field

    def typed(self, name: str) -> str:
        return str(self.data.get(name, "")) if self.is_bound else ""

    def places(self, kind: str, *, spare: int = SPARE_ROWS) -> range:
        """Rows up to the last in which anything is typed, and spare ones."""
        filled = self.filled(kind)
        return range(min((filled[-1] + 1 if filled else 0) + spare, MOST_ROWS))

    def filled(self, kind: str) -> list[int]:
        """The places of rows in which anything is typed, or of a form as it is shown first: stands."""
        start, values = f"{kind}_", self.data if self.is_bound else self.initial
        named = [name for name, value in values.items() if name.startswith(start) and value not in NOTHING]
        places = [name.removeprefix(start).partition("_")[0] for name in named]
        return sorted({int(place) for place in places if place.isdecimal()})

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        for kind in self.KINDS:
            if (filled := self.filled(kind)) and filled[-1] >= MOST_ROWS:
                raise forms.ValidationError(f"There are at the most {MOST_ROWS} rows of a kind; use the first ones.")
        return values

    def rows_of(self, kind: str, names: Sequence[str]) -> list[int]:
        """The places of rows that a cleaned form has anything in, or refuses anything of."""
        count = sum(name.startswith(f"{kind}_") for name in self.fields) // len(names)

        def says(name: str) -> bool:
            return name in self.errors or self.cleaned_data.get(name) not in (None, "", [], {})

        return [index for index in range(count) if any(says(f"{kind}_{index}_{name}") for name in names)]

    def need(self, start: str, names: Sequence[str]) -> None:
        for name in names:
            field = f"{start}{name}"
            if self.cleaned_data.get(field) is None and field not in self.errors:
                self.add_error(field, NEEDED)

    def need_payment(self, start: str) -> None:
        names = [f"{start}{name}" for name in AMOUNT]
        if all(self.cleaned_data.get(name) is None for name in names) and not any(
            name in self.errors for name in names
        ):
            self.add_error(names[0], NEEDED)

    def changed_payment(self, start: str) -> dict[str, Any]:
        """What is to be paid, where it is not as it was."""
        if not any(f"{start}{name}" in self.changed_data for name in AMOUNT):
            return {}
        values = {name: self.cleaned_data[f"{start}{name}"] for name in AMOUNT}
        return {name: value for name, value in values.items() if value is not None}

    def in_rows(self, kind: str, names: Sequence[str], **options: Any) -> list[list[forms.BoundField]]:
        return [[self[f"{kind}_{index}_{name}"] for name in names] for index in self.places(kind, **options)]

    def values_of(self, start: str, names: Sequence[str]) -> list[Any]:
        return [self.cleaned_data[f"{start}{name}"] for name in names]


def payment_shown(start: str, item: Any) -> dict[str, Any]:
    """As it was agreed: an amount, or a price times a quantity. Needs nothing more to stay as it is."""
    if item.quantity == 1:
        return {f"{start}amount": item.amount}
    return {f"{start}unit_price": item.unit_price, f"{start}quantity": Decimal(plain_text(item.quantity))}
