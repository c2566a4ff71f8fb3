"""What a part of a period's quantity costs.

Every charge is a difference of a cumulative function of the period's quantity, `f(before + part) - f(before)`, so
that no way of splitting the usage can change the bill. With the steps of a price (`steps.py`), f(x) is the sum over
the steps that x enters, of

    units      price x (units of x in the step)
    packages   price x (packages begun in the step: those that start at a multiple of the size below x)
    fee        once, as soon as x is above where the step begins

    10 for 100 (fee 5), then 8 (fee 3)           12 for each package of 10
    before  after   charge                       before  after   charge
    0       60      5 + 60 x 10 = 605            0       1       1 x 12 = 12
    60      100     40 x 10 = 400                1       10      0
    100     130     3 + 30 x 8 = 243             10      35      3 x 12 = 36

**Paying in part.** Where a payer can pay only some of a charge, what costs by the unit is split by position: the payer
has the first units, the next payer the others. A fee and a package are jumps, charged with the first unit at once, and
are split by share: the unpaid fraction goes on, at what the next payer is charged for such a jump. The `share` of a
charge says how much of the jump where it begins is in it.

    charge                          pays    has                           goes on
    12 for each 10, units 0 to 25   4       1/3 of the 1st package        2/3 of the 1st package, 2 packages
    12 for each 10, units 0 to 25   18      1st package, 1/2 of the 2nd   1/2 of the 2nd package, 1 package
    10 a unit and a fee of 5, 0-8   3       3/5 of the fee                2/5 of the fee, units 0 to 8
    10 a unit and a fee of 5, 0-8   35      the fee, units 0 to 3         units 3 to 8
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

from pricing.engine.steps import Step

ZERO, ONE = Fraction(0), Fraction(1)


class Charge(NamedTuple):  # a tuple, as it is made many times an item
    """The units above `above` and up to `upto`, all of one step; or none, and a `share` of the jump at `above`."""

    step: Step
    above: Fraction
    upto: Fraction
    share: Fraction  # of the jump at `above`; where there is none it says nothing
    quantity: Fraction  # what the step's price is for: units, or packages begun
    fee: Fraction  # what of the amount is for entering the step
    amount: Fraction

    @property
    def units(self) -> Fraction:
        return self.quantity if self.step.exact_package is None else self.upto - self.above

    @property
    def is_shared(self) -> bool:
        """Whether others have some of the jump where it begins, or it is some of a jump alone."""
        return self.share != ONE or self.above == self.upto

    def up_to(self, upto: Fraction) -> "Charge":
        """Its first units alone."""
        return charge_on(self.step, self.above, upto, self.share)

    def followed_by(self, other: "Charge") -> "Charge | None":
        """Both as one, where they are of one step and nothing comes between them."""
        if self.step is not other.step or self.upto != other.above or self.above == self.upto or other.share != 1:
            return None
        return Charge(
            self.step,
            self.above,
            other.upto,
            self.share,
            self.quantity + other.quantity,
            self.fee,
            self.amount + other.amount,
        )


def charge_on(step: Step, above: Fraction, upto: Fraction, share: Fraction = ONE) -> Charge:
    """The charge for units that all lie in `step`."""
    if step.exact_package is not None:
        packages = _packages(step.exact_package, above, upto, share)
        return Charge(step, above, upto, share, packages, ZERO, packages * step.exact_price)
    units = upto - above
    if not step.jumps or above != step.begins:
        return Charge(step, above, upto, share, units, ZERO, units * step.exact_price)
    fee = share * step.exact_fee
    return Charge(step, above, upto, share, units, fee, units * step.exact_price + fee)


def charges(steps: Sequence[Step], above: Fraction, upto: Fraction, share: Fraction = ONE) -> list[Charge]:
    """Step by step, what the units above `above` and up to `upto` cost, with `share` of a jump at `above`.

    Without any unit, the one charge is for that share.
    """
    if len(steps) == 1:
        return [charge_on(steps[0], above, upto, share)]
    found = []
    for step in steps:
        begins_before_end = step.begins < upto or step.begins <= above
        if begins_before_end and (step.ends is None or above < step.ends):
            start = max(above, step.begins)
            end = upto if step.ends is None else min(upto, step.ends)
            found.append(charge_on(step, start, end, share if start == above else ONE))
    return found


def charge(steps: Sequence[Step], before: Fraction, part: Fraction) -> Fraction:
    """The exact charge for `part`, not below zero, after `before` units of the period."""
    return charge_with_share(steps, before, part, ONE) if part else ZERO


def charge_with_share(steps: Sequence[Step], before: Fraction, part: Fraction, share: Fraction) -> Fraction:
    """The same where a jump at `before` is charged by so much; for no unit, that share alone."""
    return sum((each.amount for each in charges(steps, before, before + part, share)), ZERO)


@dataclass(frozen=True, slots=True)
class Cut:
    """A charge of which only some could be paid: what is `paid`, and where the rest begins, with which share of a jump
    there."""

    paid: tuple[Charge, ...]
    above: Fraction
    share: Fraction


def cut_by_amount(whole: Charge, amount: Fraction) -> Cut:
    """What `amount`, above zero, pays for of a charge that is more."""
    step, above = whole.step, whole.above
    if step.exact_package is not None:
        return _cut_packages(whole, amount / step.exact_price, step.exact_package)
    if amount <= whole.fee:
        paid = whole.share * amount / whole.fee
        return Cut((charge_on(step, above, above, paid),), above, whole.share - paid)
    return cut_by_units(whole, (amount - whole.fee) / step.exact_price)


def cut_by_units(whole: Charge, units: Fraction) -> Cut:
    """The first `units` of a charge that has more; a jump goes with the unit that it is charged with."""
    return Cut((whole.up_to(whole.above + units),), whole.above + units, ONE)


def _cut_packages(whole: Charge, packages: Fraction, size: Fraction) -> Cut:
    """What so many packages, not a whole number perhaps, are of a charge that has more."""
    step, above = whole.step, whole.above
    first = whole.share if _begins_package(size, above) else ZERO
    if packages < first:
        return Cut((charge_on(step, above, above, packages),), above, first - packages)
    whole_ones = floor(packages - first)
    begun = packages - first - whole_ones
    upto = (floor(above / size) + 1 + whole_ones) * size
    paid = (whole.up_to(upto), charge_on(step, upto, upto, begun)) if begun else (whole.up_to(upto),)
    return Cut(paid, upto, ONE - begun)


def _packages(size: Fraction, above: Fraction, upto: Fraction, share: Fraction) -> Fraction:
    begun = Fraction(ceil(upto / size) - ceil(above / size))
    if not _begins_package(size, above):
        return begun
    return begun - 1 + share if begun else share


def _begins_package(size: Fraction, position: Fraction) -> bool:
    return (position / size).denominator == 1
