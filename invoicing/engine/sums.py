"""The short cut: a time over which no balance runs out gives from its sums what its hours would give one by one.

Each unit goes to the first balance that is not spent and does not pass it by. As what a balance has paid only grows,
the time at which one would be overdrawn is searched for by halves, not walked to.

A balance that comes out even is spent then, and who gets what follows depends on the hour where that may be free: the
rest of a package, units that a fee stands for. Such a time is walked by the hour, too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate

from invoicing.engine.balances import Balance
from invoicing.engine.hours import Parts
from invoicing.engine.items import Item
from invoicing.engine.takes import Span, Take, left_over, taken_by


class Sums:
    """Sums over any run of parts that follow each other."""

    def __init__(self, parts: Sequence[Parts]) -> None:
        self.count = len(parts)
        items = dict.fromkeys(item for part in parts for item in part)
        none = Decimal(0)
        self.running = {
            item: list(accumulate((part.get(item, none) for part in parts), initial=none)) for item in items
        }

    def between(self, first: int, last: int) -> Parts:
        return {item: running[last] - running[first] for item, running in self.running.items()}


def take_what_fits(sums: Sums, first: int) -> int:
    """Take the longest run of parts from `first` on that overdraws no balance; answers where it ends.

    Where usage is even, the first two tries are the last two.
    """
    low, high = first, sums.count
    whole = as_one(sums.between(first, high))
    if whole.fits:
        take(whole.shares)
        return high
    fitting: Sequence[Share] = ()
    guess = first + int(whole.reach * (high - first))
    tries = iter((guess, guess + 1))
    while high - low > 1:
        at = next(tries, (low + high) // 2)
        at = min(max(at, low + 1), high - 1)
        tried = as_one(sums.between(first, at))
        if tried.fits:
            low, fitting = at, tried.shares
        else:
            high = at
    take(fitting)
    return low


@dataclass(frozen=True, slots=True)
class Share:
    """What would be taken of an item."""

    item: Item
    metered: Decimal
    takes: Sequence[Take]


@dataclass(slots=True)
class Due:
    """What a balance would pay, and whether some of what it takes may be free."""

    amount: Fraction = field(default=Fraction(0))
    jumps: bool = False

    def fits(self, left: Fraction) -> bool:
        return self.amount < left or (self.amount == left and not self.jumps)


@dataclass(frozen=True, slots=True)
class Sum:
    """What would be taken if no balance ran out, whether none does, and about how far the first that does reaches."""

    shares: Sequence[Share]
    fits: bool
    reach: Fraction


def as_one(parts: Parts) -> Sum:
    shares = [Share(item, metered, list(_takes(item, item.billable(metered)))) for item, metered in parts.items()]
    due: dict[Balance, Due] = {}
    for paying, charge in ((take.paying, take.charge) for share in shares for take in share.takes):
        if paying is not None:
            owed = due.setdefault(paying.balance, Due())
            owed.amount += paying.drawn_by(charge)
            owed.jumps = owed.jumps or charge.step.jumps
    overdrawn = [(balance, owed) for balance, owed in due.items() if not owed.fits(balance.left)]
    reach = min((balance.left / owed.amount for balance, owed in overdrawn), default=Fraction(1))
    return Sum(shares, not overdrawn, reach)


def take(shares: Sequence[Share]) -> None:
    for share in shares:
        share.item.metered += share.metered
        share.item.append(share.takes)
        for taken in share.takes:
            if taken.payer is not None:
                taken.payer.pay(taken.drawn)


def _takes(item: Item, quantity: Fraction) -> Iterator[Take]:
    if not quantity:
        return
    stretch, spans = item.stretch, [Span(item.quantity, item.quantity + quantity)]
    for balance, paying in stretch.paying.items():
        if spans and not balance.is_spent:
            asked, spans = spans, []
            for found in (found for span in asked for found in taken_by(paying, stretch, span, item.total)):
                if isinstance(found, Take):
                    yield found
                else:
                    spans.append(found)
    for span in spans:
        yield from left_over(stretch, span, item.total)
