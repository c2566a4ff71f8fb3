"""Usage in a custom unit that no balance in that unit paid: converted to money, all products in one line a payer.

credits used   paid in credits   converted at 2     a balance of 30 pays   to pay
50 by A        20                30 -> 60           30                     30
10 by B                          10 -> 20                                  20
                                 one line of 40 credits, of which 15 are paid by the balance: 30, and 50
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import inf

from billing_site.foundation.money import Unit
from invoicing.engine.balances import Balance
from invoicing.engine.items import Item
from invoicing.engine.rows import Row
from invoicing.engine.takes import Take


@dataclass(slots=True, eq=False)
class Conversion:
    """What one payer (None: nobody's balance) pays in money for what was used in a custom unit."""

    converted: Unit
    payer: Balance | None
    unit: Unit
    exchange: Fraction  # wire units of `unit` for one of `converted`
    takes: list[Take] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)  # of each take
    # In 12 decimals, known when they are shared out: in money, in the custom unit, and of each take.
    amount: Decimal = Decimal(0)
    quantity: Decimal = Decimal(0)
    amounts: list[Decimal] = field(default_factory=list)
    quantities: list[Decimal] = field(default_factory=list)

    @property
    def order(self) -> tuple[str, float]:
        return self.converted.name, inf if self.payer is None else self.payer.rank

    @property
    def exact_amounts(self) -> list[Fraction]:
        return [take.charge.amount * self.exchange for take in self.takes]


def conversions(rows: Sequence[Row], fiat: Unit) -> list[Conversion]:
    """What of the rows is to be paid in money for, by unit, then payer in the order of drawdown."""
    found: dict[tuple[Unit, Balance | None], Conversion] = {}
    for row in rows:
        for take in row.takes if row.unit != fiat and row.payer is None else ():
            if take.charge.amount:
                of = found.setdefault((row.unit, take.payer), Conversion(row.unit, take.payer, fiat, take.exchange))
                of.takes.append(take)
                of.items.append(row.item)
    return sorted(found.values(), key=lambda each: each.order)
