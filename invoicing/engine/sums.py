"""The short cut: a time over which no balance runs out gives from its sums what its hours would give one by one.

Each unit goes to the first balance that is not spent and does not pass it by. As what a balance has paid only grows,
the time at which one would be overdrawn is searched for by halves, not walked to.

A balance that comes out even is spent then, and who gets what follows depends on the hour where that may be free: the
rest of a package, units that a fee stands for. Such a time is walked by the hour, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, chain
from typing import NamedTuple

from billing_site.foundation.money import exact_total
from invoicing.engine.balances import Balance
from invoicing.engine.hours import Parts
from invoicing.engine.items import Item
from invoicing.engine.takes import Span, Take, left_over, taken_by
from pricing.engine.charges import ONE, ZERO


class Sums:
    """Sums over any run of parts that follow each other."""

    def __init__(self, parts: Sequence[Parts]) -> None:
        self.count = len(parts)
        items = dict.fromkeys(item for part in parts for item in part)
        none = Decimal(0)
        self.running = {
            item: list(accumulate([part.get(item, none) for part in parts], initial=none)) for item in items
        }

    def between(self, first: int, last: int) -> Parts:
        return {item: running[last] - running[first] for item, running in self.running.items()}


class Taken(NamedTuple):
    """Where what fitted ends, and about how far into the next part the first balance to run out reaches."""

    upto: int
    reach: Fraction | None


def take_what_fits(sums: Sums, first: int, reach: Fraction | None = None, *, by_hour: bool = False) -> Taken:
    """Take the longest run of parts from `first` on that overdraws no balance.

    A `reach` says that all of them together are known to overdraw one, and after about which share of them. Where
    usage is even, the first two tries are the last two. Of hours the first will do: the one that follows is settled
    by itself, whether or not it overdraws.
    """
    low, high = first, sums.count
    if reach is None:
        whole = as_one(sums.between(first, high))
        if whole.fits:
            take(whole)
            return Taken(high, None)
        reach = whole.reach
    fitting: Sum | None = None
    end = first + reach * (high - first)  # about where it runs out, in parts
    tries = iter((int(end), int(end) + 1))
    while high - low > 1:
        at = next(tries, (low + high) // 2)
        at = min(max(at, low + 1), high - 1)
        tried = as_one(sums.between(first, at))
        if tried.fits:
            low, fitting = at, tried
            if by_hour:
                break
        else:
            high = at
    if fitting is not None:
        take(fitting)
    return Taken(low, min(max(end - low, ZERO), ONE))


class Share(NamedTuple):
    """What would be taken of an item."""

    item: Item
    metered: Decimal
    takes: Sequence[Take]


@dataclass(frozen=True, slots=True)
class Due:
    """What a balance would pay, and whether some of what it takes may be free."""

    amount: Fraction
    jumps: bool

    def fits(self, left: Fraction) -> bool:
        return self.amount < left or (self.amount == left and not self.jumps)


@dataclass(frozen=True, slots=True)
class Sum:
    """What would be taken if no balance ran out, whether none does, and about how far the first that does reaches."""

    shares: Sequence[Share]
    due: Mapping[Balance, Due]
    fits: bool
    reach: Fraction


def as_one(parts: Parts) -> Sum:
    shares = [Share(item, metered, _takes(item, item.billable(metered))) for item, metered in parts.items()]
    drawn: dict[Balance, list[Fraction]] = {}
    jumping: set[Balance] = set()
    for _, paying, charge in chain.from_iterable(share.takes for share in shares):
        if paying is not None:
            drawn.setdefault(paying.balance, []).append(paying.drawn_by(charge))
            if charge.step.jumps:
                jumping.add(paying.balance)
    due = {balance: Due(exact_total(amounts), balance in jumping) for balance, amounts in drawn.items()}
    overdrawn = [(balance, owed) for balance, owed in due.items() if not owed.fits(balance.left)]
    reach = min((balance.left / owed.amount for balance, owed in overdrawn), default=ONE)
    return Sum(shares, due, not overdrawn, reach)


def take(fitting: Sum) -> None:
    for share in fitting.shares:
        share.item.metered += share.metered
        share.item.append(share.takes)
    for balance, owed in fitting.due.items():
        balance.pay(owed.amount)


def _takes(item: Item, quantity: Fraction) -> list[Take]:
    if not quantity:
        return []
    takes: list[Take] = []
    stretch, spans = item.stretch, [Span(item.quantity, item.quantity + quantity)]
    for balance, paying in stretch.paying.items():
        if not spans:
            break
        if balance.is_spent:
            continue
        asked, spans = spans, []
        for span in asked:
            for found in taken_by(paying, stretch, span, item.total):
                if isinstance(found, Take):
                    takes.append(found)
                else:
                    spans.append(found)
    for span in spans:
        takes += left_over(stretch, span, item.total)
    return takes
