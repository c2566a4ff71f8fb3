"""What is told of a closed period that has missed something: what was posted for it, and what its usage is now."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, Protocol
from uuid import UUID

from billing_site.foundation.money import QUANTUM, exact_sum, ratio, round_to
from billing_site.foundation.periods import Period
from invoicing.engine.documents import Adjusted
from invoicing.engine.drafts import UsageDraft
from invoicing.engine.items import Item
from invoicing.engine.stretches import Stretch
from pricing.engine.catalog import GroupValues
from pricing.engine.charges import ONE, ZERO

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
    @property
    def share(self) -> Decimal | None: ...


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
    share: Decimal | None = None  # of the jump where the units begin, where others have the rest

    @classmethod
    def of(cls, product_id: UUID, values: GroupValues, unit_id: UUID, part: Traced) -> "Held":
        """From a part of a usage line's trace."""
        payer = part.segment_id or part.converted_by
        units = exact_sum([part.upto, -part.above])
        return cls(product_id, values, part.period.starting_at, unit_id, payer, units, part.amount, part.share)

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


class Holding(NamedTuple):
    """Units of one payer, with so much of the jump where they begin; or no units, and a share of a jump alone."""

    segment_id: UUID | None
    units: Fraction
    share: Fraction = ONE


@dataclass(slots=True)
class Pieces:
    """One slice of one item as it stands: who has its units, in order, and what each has paid, by unit of money."""

    holdings: list[Holding] = field(default_factory=list)
    paid: dict[tuple[UUID | None, UUID], Fraction] = field(default_factory=dict)

    @property
    def total(self) -> Fraction:
        return sum((each.units for each in self.holdings), ZERO)

    def post(self, held: Held) -> None:
        key = held.segment_id, held.unit_id
        amount, units = ratio(held.amount), ratio(held.units)
        if amount > 0 and key in self.paid:
            self.paid[key] = self.paid.pop(key) + amount  # whoever paid last stands last
        else:
            self.paid[key] = self.paid.get(key, ZERO) + amount
        if units > 0 or (not units and held.share is not None):
            self.holdings.append(Holding(held.segment_id, units, ONE if held.share is None else ratio(held.share)))
        elif units < 0:
            self.holdings = list(self.first(self.total + units))

    def first(self, units: Fraction) -> Iterator[Holding]:
        """Who has the first so many units. A jump goes with the unit that it is charged with."""
        for each in self.holdings:
            if units > 0:
                kept = min(each.units, units)
                yield each._replace(units=kept)
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
