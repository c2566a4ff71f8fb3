"""Why a document comes to more, or less, than the one before it.

What both have lines of is told apart by quantity and by price. The quantity's part is what the units more or fewer come
to at the mean price before; the rest of the difference is the price's. So the two are the difference, to the cent:

    before            now               difference   by quantity             by price
    100 × $2 = $200   150 × $2 = $300   +$100        50 × $2 = +$100         —
    100 × $2 = $200   150 × $3 = $450   +$250        50 × $2 = +$100         150 × $1 = +$150
    100 × $2 = $200   100 × $3 = $300   +$100        —                       +$100
    3 for $1.00       4 for $1.00       —            1 × $0.3333 = +$0.33    -$0.33
    10 × $1 = $10     30 in tiers, $25  +$15         20 × $1 = +$20          the mean is $0.8333 now: -$5

The last line has tiers: nobody changed a price, and yet a unit costs less where more are used. What only one of the two
has is new, or gone. What has no quantity (balances that pay, rounding to the cent, tax) is only a difference. All rows
together are the difference of the two totals.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing_site.foundation.money import exact_sum, ratio, round_to

ZERO = Decimal(0)
Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A line that counts: what it is of (`key`), what it is called, and what it comes to. Without a quantity, None."""

    key: Key
    name: str
    quantity: Decimal | None
    amount: Decimal
    unit_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """`by_quantity` and `by_price` are None where the difference is not told apart."""

    name: str
    before: Decimal | None
    now: Decimal | None
    difference: Decimal
    by_quantity: Decimal | None = None
    by_price: Decimal | None = None
    is_mean: bool = False  # its price is a mean: of tiers, or of prices that changed within the period

    @property
    def is_new(self) -> bool:
        return self.before is None

    @property
    def is_gone(self) -> bool:
        return self.now is None


@dataclass(frozen=True, slots=True)
class _Sold:
    name: str
    quantity: Decimal | None
    amount: Decimal
    prices: frozenset[Decimal | None]

    @classmethod
    def of(cls, parts: Sequence[Part], step: Decimal) -> "_Sold":
        quantities = [part.quantity for part in parts]
        known = [quantity for quantity in quantities if quantity is not None]
        return cls(
            name=parts[0].name,
            quantity=exact_sum(known) if len(known) == len(quantities) else None,
            amount=round_to(exact_sum([part.amount for part in parts]), step),
            prices=frozenset(part.unit_price for part in parts),
        )

    @property
    def is_nothing(self) -> bool:
        """A line that says that there was none."""
        return not self.amount and not self.quantity


def compared(
    before: Iterable[Part], now: Iterable[Part], *, total_before: Decimal, total_now: Decimal, step: Decimal
) -> list[Compared]:
    """Rows in the order of `now`, then what is gone; each amount a multiple of `step`, the currency's minor unit.

    Their differences add up to that of the totals, each rounded to `step`: where lines rounded alone do not, the last
    row is the rounding.
    """
    old, new = _sold(before, step), _sold(now, step)
    rows = [_row(old.get(key), new.get(key), step) for key in dict.fromkeys((*new, *old))]
    difference = exact_sum([round_to(total_now, step), -round_to(total_before, step)])
    rest = exact_sum([difference, *(-row.difference for row in rows)])
    if rest:
        rows.append(Compared("Rounding", ZERO, rest, rest))
    return rows


def _sold(parts: Iterable[Part], step: Decimal) -> dict[Key, _Sold]:
    by_key: dict[Key, list[Part]] = {}
    for part in parts:
        by_key.setdefault(part.key, []).append(part)
    found = {key: _Sold.of(of_key, step) for key, of_key in by_key.items()}
    return {key: sold for key, sold in found.items() if not sold.is_nothing}


def _row(old: _Sold | None, new: _Sold | None, step: Decimal) -> Compared:
    if old is None:
        assert new is not None
        return Compared(new.name, None, new.amount, new.amount)
    if new is None:
        return Compared(old.name, old.amount, None, -old.amount)
    difference = exact_sum([new.amount, -old.amount])
    if not old.quantity or new.quantity is None:
        return Compared(new.name, old.amount, new.amount, difference)
    more = exact_sum([new.quantity, -old.quantity])
    by_quantity = round_to(ratio(more) * Fraction(old.amount) / Fraction(old.quantity), step)
    return Compared(
        new.name,
        old.amount,
        new.amount,
        difference,
        by_quantity=by_quantity,
        by_price=exact_sum([difference, -by_quantity]),
        is_mean=len(old.prices) > 1 or len(new.prices) > 1,
    )
