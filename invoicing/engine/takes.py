"""Who gets what of an item: units that nobody has taken yet, and takes.

A balance pays for units from the first one on, step by step (`pricing/engine/charges.py`), until it is spent. It passes
by what is free, and passes on what it cannot pay. The next payer is asked for what is left then, at the price that
holds while it pays: units for units, and of a jump (a package, a fee) the share that is not paid.

**Worked table.** 15 units at 12 for each package of 10. The commit rate is 10; balance A has 4, B has 13, both at
commit rate.

    asked    what is left              has                                    takes          pays
    A        0 to 15                   4 of the 10 of the 1st package         0.4            4
    B        0 to 15, share 0.6        the rest of it, 7 of the 2nd's 10      0.6 and 0.7    13
    nobody   10 to 15, share 0.3       what is left of the 2nd package        0.3            3.6, at 12

A balance of access type QUANTITY takes so many units, whatever they would have cost; a jump goes with its unit.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from invoicing.engine.balances import Balance
from invoicing.engine.stretches import Paying, Stretch
from pricing.engine.charges import ONE, Charge, charges
from pricing.engine.prices import Price


class Span(NamedTuple):  # a tuple, as a charge is
    """Units that nobody has taken, with so much of the jump where they begin."""

    above: Fraction
    upto: Fraction
    share: Fraction = ONE


class Take(NamedTuple):
    """A charge of an item that went to one payer (None: to nobody's balance), over a stretch."""

    stretch: Stretch
    paying: Paying | None
    charge: Charge

    @property
    def payer(self) -> Balance | None:
        return None if self.paying is None else self.paying.balance

    @property
    def shown_payer(self) -> Balance | None:
        """Whose the line is; what is converted to money is shown as paid only where it is converted."""
        return None if self.paying is None or self.paying.converts else self.paying.balance

    @property
    def price(self) -> Price:
        return self.stretch.asked() if self.paying is None else self.paying.price

    @property
    def drawn(self) -> Fraction:
        """What it takes off the payer's balance."""
        return Fraction(0) if self.paying is None else self.paying.drawn_by(self.charge)

    @property
    def exchange(self) -> Fraction:
        """What of the contract's money a wire unit of the price is."""
        return self.stretch.exchange if self.paying is None else self.paying.exchange

    @property
    def order(self) -> tuple[Fraction, Fraction]:
        return self.charge.above, self.charge.upto

    def up_to(self, upto: Fraction) -> "Take":
        """Its first units alone."""
        return self._replace(charge=self.charge.up_to(upto))

    def followed_by(self, other: "Take") -> "Take | None":
        """Both as one, where one payer has what follows in the same stretch: the steps of a price are of one alone."""
        if self.paying is not other.paying:
            return None
        together = self.charge.followed_by(other.charge)
        return None if together is None else Take(self.stretch, self.paying, together)


def taken_by(paying: Paying, stretch: Stretch, span: Span, total: Fraction) -> list[Take | Span]:
    """What a balance that does not run out takes of a span, and what it passes by."""
    return [
        Span(charge.above, charge.upto, charge.share) if charge.step.is_free else Take(stretch, paying, charge)
        for charge in charges(paying.price.steps(total), *span)
    ]


def drawn_by(paying: Paying, stretch: Stretch, span: Span, total: Fraction) -> Iterator[Take | Span]:
    """What a balance takes of a span until it is spent, and what it passes by and on. It pays at once."""
    balance = paying.balance
    for offered in taken_by(paying, stretch, span, total):
        if isinstance(offered, Span):
            yield offered
        elif balance.is_spent:
            yield Span(*offered.order, offered.charge.share)
        elif offered.drawn <= balance.left:
            balance.pay(offered.drawn)
            yield offered
        else:
            cut = paying.cut(offered.charge, balance.left)
            yield from (Take(stretch, paying, charge) for charge in cut.paid)
            balance.pay(balance.left)
            yield Span(cut.above, offered.charge.upto, cut.share)


def left_over(stretch: Stretch, span: Span, total: Fraction) -> list[Take]:
    """What is left when no balance pays any more, priced ordinarily."""
    return [Take(stretch, None, charge) for charge in charges(stretch.asked().steps(total), *span)]
