"""What the walk counts: items, the stretches over which their rules stand still, and who pays how much of them.

An item is a product under one contract in one billing period, for one combination of its group values. It keeps a
running total, and a stack of takes: who pays how much of it, at what price, in order of time.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from invoicing.engine.balances import Balance
from pricing.engine.catalog import GroupValues, Rounding
from pricing.engine.prices import Price
from pricing.engine.products import Run
from pricing.engine.quantities import billable_part

LONGEST_NAME = 320

FOR_GOOD = datetime.max.replace(tzinfo=UTC)


def name_with_values(name: str, values: GroupValues) -> str:
    """ "Tokens (model: xl, region: eu)". A very long one is cut; the values are on the line in full beside it."""
    shown = ", ".join(f"{key}: {'none' if value is None else value}" for key, value in values)
    full = f"{name} ({shown})" if shown else name
    return full if len(full) <= LONGEST_NAME else f"{full[: LONGEST_NAME - 1]}…"


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """A time over which neither the price of an item changes nor the balances that may pay for it."""

    starting_at: datetime
    ending_before: datetime
    price: Price | None
    refusal: str  # why there is no price
    balances: tuple[Balance, ...]  # in the order in which they pay
    rounding: Rounding | None

    def until(self, ending_before: datetime) -> "Stretch":
        return replace(self, ending_before=ending_before)

    def continues(self, other: "Stretch") -> bool:
        """Whether this one, right after `other`, is more of the same."""
        return (self.price, self.refusal, self.balances, self.rounding) == (
            other.price,
            other.refusal,
            other.balances,
            other.rounding,
        )


@dataclass(slots=True, eq=False)
class Take:
    """So much of an item went to one payer (None: to nobody's balance) at one price."""

    stretch: Stretch
    payer: Balance | None
    price: Price
    quantity: Fraction
    amount: Fraction


@dataclass(slots=True, eq=False)
class Item:
    contract_id: UUID
    run: Run
    pricing_group_values: GroupValues
    presentation_group_values: GroupValues
    stretches: tuple[Stretch, ...]
    metered: Decimal = Decimal(0)  # so far, before conversion
    quantity: Fraction = Fraction(0)  # so far, as sold: the sum of the takes
    takes: list[Take] = field(default_factory=list)
    unbilled: dict[Stretch, Decimal] = field(default_factory=dict)  # metered where there is no price
    stretch: Stretch = field(init=False)  # where the walk is
    is_running: bool = field(init=False, default=False)  # whether it is within it
    _position: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.stretch = self.stretches[0]

    @property
    def product_id(self) -> UUID:
        return self.run.definition.product_id

    @property
    def name(self) -> str:
        """What the product was called when the run began, and the values: "Tokens (model: xl, region: eu)"."""
        return name_with_values(self.run.definition.name, (*self.pricing_group_values, *self.presentation_group_values))

    @property
    def values_order(self) -> tuple[Any, ...]:
        values = (*self.pricing_group_values, *self.presentation_group_values)
        return tuple((key, value is not None, value or "") for key, value in values)

    @property
    def order(self) -> tuple[Any, ...]:
        """Within an hour: the higher list price first, then product, contract, values."""
        listed = self.stretch.price.list_price if self.stretch.price is not None else Decimal(0)
        return -listed, self.run.definition.name, self.product_id, self.contract_id, self.values_order

    def move_to(self, instant: datetime) -> datetime:
        """Find the stretch that holds `instant`, which never goes back; answers when the next one begins."""
        while self.stretch.ending_before <= instant and self.stretch is not self.stretches[-1]:
            self._position += 1
            self.stretch = self.stretches[self._position]
        self.is_running = self.stretch.starting_at <= instant < self.stretch.ending_before
        if self.is_running:
            return self.stretch.ending_before
        return self.stretch.starting_at if instant < self.stretch.starting_at else FOR_GOOD

    def billable(self, metered: Decimal) -> Fraction:
        """What so much more on the meter adds to the sold quantity; below zero, what it takes away."""
        return billable_part(self.metered, metered, self.run.definition.conversion, self.stretch.rounding)

    def take(self, payer: Balance | None, price: Price, quantity: Fraction, amount: Fraction) -> None:
        """Let `payer` have the next `quantity`, at `price`, for `amount`."""
        if not quantity:
            return
        last = self.takes[-1] if self.takes else None
        if last is not None and last.stretch is self.stretch and last.payer is payer:
            last.quantity += quantity
            last.amount += amount
        else:
            self.takes.append(Take(self.stretch, payer, price, quantity, amount))
        self.quantity += quantity
        if payer is not None:
            payer.pay(amount)

    def undo(self, quantity: Fraction) -> None:
        """Take back `quantity`, last first: each payer gets back what it paid."""
        while quantity > 0 and self.takes:
            last = self.takes[-1]
            part = min(quantity, last.quantity)
            amount = last.amount * (part / last.quantity)
            last.quantity -= part
            last.amount -= amount
            if not last.quantity:
                self.takes.pop()
            quantity -= part
            self.quantity -= part
            if last.payer is not None:
                last.payer.pay(-amount)
