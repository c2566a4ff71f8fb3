"""What is told of a closed period that has missed something: what was posted for it, and what its usage is now."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Protocol
from uuid import UUID

from billing_site.foundation.money import QUANTUM, exact_sum, ratio, round_to
from billing_site.foundation.periods import Period
from invoicing.engine.documents import Adjusted
from invoicing.engine.drafts import UsageDraft
from invoicing.engine.items import Item
from invoicing.engine.stretches import Stretch
from pricing.engine.catalog import GroupValues

ZERO = Fraction(0)

Cell = tuple[UUID, GroupValues, datetime]  # product, all values, where the slice begins


class Traced(Protocol):
    """What a trace says of a part, on a draft or in the database."""

    @property
    def period(self) -> Period: ...
    @property
    def above(self) -> Decimal: ...
    @property
    def upto(self) -> Decimal: ...
    @property
    def amount(self) -> Decimal: ...
    @property
    def segment_id(self) -> UUID | None: ...
    @property
    def converted_by(self) -> UUID | None: ...


@dataclass(frozen=True, slots=True)
class Held:
    """What a line of a final document gave to one payer: units of an item's slice, and what they came to. Signed."""

    product_id: UUID
    values: GroupValues
    starting_at: datetime  # of the slice
    unit_id: UUID  # what the amount is in
    segment_id: UUID | None  # who pays; None: nobody's balance
    units: Decimal
    amount: Decimal

    @classmethod
    def of(cls, product_id: UUID, values: GroupValues, unit_id: UUID, part: Traced) -> "Held":
        """From a part of a usage line's trace."""
        payer = part.segment_id or part.converted_by
        units = exact_sum([part.upto, -part.above])
        return cls(product_id, values, part.period.starting_at, unit_id, payer, units, part.amount)

    @property
    def cell(self) -> Cell:
        return self.product_id, self.values, self.starting_at


@dataclass(frozen=True, slots=True)
class Closed:
    """A final usage document, everything that was posted for its period (`held`, in order of posting), and its usage
    as it is now, counted under the terms that were known for it, with balances that pay for nothing."""

    adjusts: Adjusted
    held: tuple[Held, ...]
    now: UsageDraft

    @property
    def contract_id(self) -> UUID:
        return self.now.open.contract.id


@dataclass(slots=True)
class Pieces:
    """One slice of one item as it stands: who has its units, in order, and what each has paid, by unit of money."""

    units: list[tuple[UUID | None, Fraction]] = field(default_factory=list)
    paid: dict[tuple[UUID | None, UUID], Fraction] = field(default_factory=dict)

    @property
    def total(self) -> Fraction:
        return sum((units for _, units in self.units), ZERO)

    def post(self, held: Held) -> None:
        key = held.segment_id, held.unit_id
        amount, units = ratio(held.amount), ratio(held.units)
        if amount > 0 and key in self.paid:
            self.paid[key] = self.paid.pop(key) + amount  # whoever paid last stands last
        else:
            self.paid[key] = self.paid.get(key, ZERO) + amount
        if units > 0:
            self.units.append((held.segment_id, units))
        elif units < 0:
            self.units = list(self.first(self.total + units))

    def first(self, units: Fraction) -> Iterator[tuple[UUID | None, Fraction]]:
        """Who has the first so many units."""
        for segment_id, some in self.units:
            kept = min(some, units)
            if kept > 0:
                yield segment_id, kept
            units -= kept


def standing(held: Iterable[Held]) -> dict[Cell, Pieces]:
    """How the slices stand after everything that was posted."""
    found: dict[Cell, Pieces] = {}
    for each in held:
        found.setdefault(each.cell, Pieces()).post(each)
    return found


def units_of(item: Item) -> dict[Stretch, Fraction]:
    """What was used of an item by slice, as a trace would tell it: between places in 12 decimals."""
    found: dict[Stretch, Fraction] = {}
    for take in item.takes:
        units = _place(take.charge.upto) - _place(take.charge.above)
        found[take.stretch] = found.get(take.stretch, ZERO) + units
    return found


def _place(position: Fraction) -> Fraction:
    return ratio(round_to(position, QUANTUM))
