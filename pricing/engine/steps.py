"""A tariff as steps: from how many units of the period on, what is charged for each unit and for entering.

Whatever the type of a tariff, and whatever multiples of it an override says, it comes down to steps that follow each
other from 0 without a gap. A unit lies in the step whose `above` is below it; the upper bound belongs to the step.

    tariff                                       steps: above, up to, price, fee
    FLAT 10                                      0, -, 10, 0
    PERCENTAGE 0.2                               0, -, 0.2, 0           (units are the spend that it is a share of)
    TIERED 10 for 100 (fee 5), then 8            0, 100, 10, 5          100, -, 8, 0
    PACKAGE 12 for each 10                       0, -, 12, 0            the price is for each package of 10 started
    VOLUME 10 up to 100, then 8 (fee 7)
      the period came to 100                     0, -, 10, 0
      the period came to 101                     0, -, 8, 7             every unit at the price of the tier reached

An override's multiples are laid over the steps: prices and fees are multiplied, a fee like the unit that enters.
Beyond the last multiple that has a size, the list price holds.

    TIERED as above, half for 60, then list      0, 60, 5, 2.5          60, 100, 10, 0          100, -, 8, 0
    PACKAGE as above, half for 25, then list     0, 25, 6, 0            25, -, 12, 0

A package costs what the step says in which it is started: in the last row, the one of units 21 to 30 costs 6.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from itertools import accumulate

from billing_site.foundation.money import PRECISION, QUANTUM, ratio, round_to
from pricing.engine.overrides import MultiplierTier
from pricing.engine.tariffs import FLAT, PACKAGE, PERCENTAGE, TIERED, TIERED_PERCENTAGE, VOLUME, Tariff, Tier

ZERO = Decimal(0)
AS_LISTED = MultiplierTier(Decimal(1))


class NotPricedByUse(ValueError):
    """A tariff of a type that charges for time was asked what units cost."""


@dataclass(frozen=True, slots=True)
class Level:
    """A tier as it is read: its number from 1 on, the quantity it begins above, and its size (None: all the rest)."""

    number: int
    above: Decimal
    size: Decimal | None


@dataclass(frozen=True, slots=True)
class Step:
    """`price` for each unit above `above` and up to `upto` (None: no end), and `fee` once, with the first of them.

    With a `package_size`, `price` is for each package of so many units that is started within the step.
    """

    above: Decimal
    upto: Decimal | None
    price: Decimal  # wire units of the pricing unit, exact: a product of two prices may have 24 decimal places
    fee: Decimal = ZERO
    package_size: Decimal | None = None
    level: Level | None = None  # where the tariff has tiers
    # The same numbers for arithmetic.
    begins: Fraction = field(init=False, compare=False)
    ends: Fraction | None = field(init=False, compare=False)
    exact_price: Fraction = field(init=False, compare=False)
    exact_fee: Fraction = field(init=False, compare=False)
    exact_package: Fraction | None = field(init=False, compare=False)
    # Asked for with each unit's price, so known beforehand.
    printed_price: Decimal = field(init=False, compare=False)  # in 12 decimals
    is_free: bool = field(init=False, compare=False)  # whether nothing is ever charged in it
    jumps: bool = field(
        init=False, compare=False
    )  # whether some of its units cost something at once and others nothing

    def for_share(self, share: Fraction) -> "Step":
        """The same units for a part of the time: so much of price and fee, exact; as it is read, to 12 decimals."""
        price, fee = self.exact_price * share, self.exact_fee * share
        found = replace(self, price=round_to(price, QUANTUM), fee=round_to(fee, QUANTUM))
        object.__setattr__(found, "exact_price", price)
        object.__setattr__(found, "exact_fee", fee)
        return found

    def __post_init__(self) -> None:
        known = {
            "begins": ratio(self.above),
            "ends": None if self.upto is None else ratio(self.upto),
            "exact_price": ratio(self.price),
            "exact_fee": ratio(self.fee),
            "exact_package": None if self.package_size is None else ratio(self.package_size),
            "printed_price": round_to(self.price, QUANTUM),
            "is_free": not self.price and not self.fee,
            "jumps": self.package_size is not None or self.fee != 0,
        }
        for name, value in known.items():
            object.__setattr__(self, name, value)


Steps = tuple[Step, ...]


def steps_of(tariff: Tariff, multiples: Sequence[MultiplierTier] = (), reached: int = 0) -> Steps:
    """The steps of `tariff` under an override's `multiples`, in order.

    `reached` is the index of the tier that the period's total reaches; only VOLUME looks at it. Raises NotPricedByUse.
    """
    with localcontext(Context(prec=PRECISION)):
        listed = tuple(_listed(tariff, reached))
        if not multiples:
            return listed
        laid_over = tuple(_laid_over(listed, (*multiples, AS_LISTED)))
    if len(laid_over) == 1 or tariff.type == VOLUME:
        return laid_over
    return tuple(_numbered(laid_over))


def tier_reached(tiers: Sequence[Tier], total: Fraction) -> int:
    """The index of the tier that holds the last of `total` units; the first where there are none."""
    ends = Fraction(0)
    for index, tier in enumerate(tiers[:-1]):
        ends += Fraction(tier.size or ZERO)
        if total <= ends:
            return index
    return len(tiers) - 1


def _listed(tariff: Tariff, reached: int) -> Iterator[Step]:
    if tariff.type in (FLAT, PERCENTAGE) and tariff.price is not None:
        yield Step(ZERO, None, tariff.price)
    elif tariff.type == PACKAGE and tariff.price is not None and tariff.package_size is not None:
        yield Step(ZERO, None, tariff.price, package_size=tariff.package_size)
    elif tariff.type in (TIERED, TIERED_PERCENTAGE) and tariff.tiers:
        for level, tier in _levels(tariff.tiers):
            yield Step(level.above, _end(level), tier.price, tier.flat_fee, level=level)
    elif tariff.type == VOLUME and tariff.tiers:
        level, tier = list(_levels(tariff.tiers))[reached]
        yield Step(ZERO, None, tier.price, tier.flat_fee, level=level)
    else:
        raise NotPricedByUse(f"A {tariff.type} tariff does not say what a unit costs.")


def _levels(tiers: Sequence[Tier]) -> Iterator[tuple[Level, Tier]]:
    """The last tier holds all the rest, whatever its size."""
    above = ZERO
    for number, tier in enumerate(tiers[:-1], start=1):
        yield Level(number, above, tier.size), tier
        above += tier.size or ZERO
    yield Level(len(tiers), above, None), tiers[-1]


def _end(level: Level) -> Decimal | None:
    return None if level.size is None else level.above + level.size


def _laid_over(listed: Sequence[Step], multiples: Sequence[MultiplierTier]) -> Iterator[Step]:
    """Each range of units over which neither changes; the last of both has no end."""
    above, waiting, theirs = ZERO, iter(listed), iter(_ranges(multiples))
    step, (factor, factor_end) = next(waiting), next(theirs)
    while True:
        end = min((end for end in (step.upto, factor_end) if end is not None), default=None)
        # A fee is owed where its step begins, and not again where only the multiple changes.
        fee = step.fee * factor if above == step.above else ZERO
        yield Step(above, end, step.price * factor, fee, step.package_size, step.level)
        if end is None:
            return
        if step.upto == end:
            step = next(waiting)
        if factor_end == end:
            factor, factor_end = next(theirs)
        above = end


def _ranges(multiples: Sequence[MultiplierTier]) -> list[tuple[Decimal, Decimal | None]]:
    """Each factor with where its range ends; the last one has no end."""
    ends = accumulate(multiple.size or ZERO for multiple in multiples)
    return [
        (multiple.multiplier, None if multiple.size is None else end)
        for multiple, end in zip(multiples, ends, strict=True)
    ]


def _numbered(steps: Sequence[Step]) -> Iterator[Step]:
    for number, step in enumerate(steps, start=1):
        size = None if step.upto is None else step.upto - step.above
        yield Step(step.above, step.upto, step.price, step.fee, step.package_size, Level(number, step.above, size))
