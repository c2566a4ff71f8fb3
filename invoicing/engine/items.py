"""What the walk counts: an item, and who got how much of it.

An item is a product under one contract in one billing period, for one combination of its group values. It keeps a
counter of sold units, which runs on over changes of price and of the type of rate, and starts anew with the period and
with a new run of the product; and the takes that make it up, in the order of the counter. The counter is the same
whoever pays: a unit is in the tier of its place, at the list price and at a commit rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from contracts.subscriptions import Fee
from invoicing.engine.sellers import COMPOSITE
from invoicing.engine.stretches import Stretch
from invoicing.engine.takes import Take
from pricing.engine.catalog import GroupValues
from pricing.engine.products import Run
from pricing.engine.quantities import billable_part

LONGEST_NAME = 320

FOR_GOOD = datetime.max.replace(tzinfo=UTC)


def name_with_values(name: str, values: GroupValues) -> str:
    """ "Tokens (model: xl, region: eu)". A very long one is cut; the values are on the line in full beside it."""
    shown = ", ".join(f"{key}: {'none' if value is None else value}" for key, value in values)
    full = f"{name} ({shown})" if shown else name
    return full if len(full) <= LONGEST_NAME else f"{full[: LONGEST_NAME - 1]}…"


@dataclass(slots=True, eq=False)
class Item:
    contract_id: UUID
    run: Run
    pricing_group_values: GroupValues
    presentation_group_values: GroupValues
    stretches: tuple[Stretch, ...]
    metered: Decimal = Decimal(0)  # so far, before conversion
    quantity: Fraction = Fraction(0)  # so far, as sold: where the counter is
    total: Fraction = Fraction(0)  # where it will be at the end; known for what is priced by it
    takes: list[Take] = field(default_factory=list)
    unbilled: dict[Stretch, Decimal] = field(default_factory=dict)  # metered where there is no price
    fee: Fee | None = None  # of a subscription, of which the item is one fee
    left_out: Decimal = Decimal(0)  # metered where the contract's usage filter leaves it to nobody
    stretch: Stretch = field(init=False)  # where the walk is
    is_running: bool = field(init=False, default=False)  # whether it is within it
    name: str = field(init=False)  # what the product was called when the run began: "Tokens (model: xl, region: eu)"
    _position: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.stretch = self.stretches[0]
        own_name = self.fee.subscription.name if self.fee is not None else ""
        self.name = own_name or name_with_values(self.run.definition.name, self.values)

    @property
    def product_id(self) -> UUID:
        return self.run.definition.product_id

    @property
    def is_composite(self) -> bool:
        return self.run.definition.type == COMPOSITE

    @property
    def values(self) -> GroupValues:
        return (*self.pricing_group_values, *self.presentation_group_values)

    @property
    def values_order(self) -> tuple[Any, ...]:
        return tuple((key, value is not None, value or "") for key, value in self.values)

    @property
    def order(self) -> tuple[Any, ...]:
        """Within an hour: the higher list price of the next unit first, then product, contract, values."""
        return (
            -self.stretch.listed_in_fiat(self.quantity, self.total),
            self.run.definition.name,
            self.product_id,
            self.contract_id,
            self.values_order,
        )

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

    def append(self, takes: Sequence[Take]) -> None:
        """What follows the takes so far, in whatever order, without a gap."""
        for take in sorted(takes, key=lambda take: take.order) if len(takes) > 1 else takes:
            together = self.takes[-1].followed_by(take) if self.takes else None
            if together is None:
                self.takes.append(take)
            else:
                self.takes[-1] = together
            self.quantity = take.charge.upto

    def undo(self, quantity: Fraction) -> None:
        """Take back the last `quantity`: the counter goes back, and each payer gets what it paid beyond.

        A jump is undone with the unit that it was charged with.
        """
        back_to = max(self.quantity - quantity, Fraction(0))
        while self.takes and (self.takes[-1].charge.upto > back_to or self.takes[-1].charge.above >= back_to):
            last = self.takes.pop()
            kept = last.up_to(back_to) if last.charge.above < back_to else None
            if last.payer is not None:
                last.payer.pay((kept.drawn if kept else Fraction(0)) - last.drawn)
            if kept is not None:
                self.takes.append(kept)
        self.quantity = back_to
