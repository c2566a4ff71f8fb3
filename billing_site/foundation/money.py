"""Money: exact amounts in a pricing unit, and the only two operations that change digits.

An amount is a `Decimal` in the unit's wire scale (USD is cents, other fiat money whole units). A unit also
knows its minor unit, the smallest step that can be paid. The two are separate: the minor unit of USD is one
wire unit, that of EUR a hundredth of one, that of JPY one, that of KWD a thousandth.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from uuid import UUID

QUANTUM = Decimal("1e-12")  # the finest step of an unrounded amount
PRECISION = 76  # 38 digits times 38 digits stay exact
_WIDE = Context(prec=PRECISION)
_TOO_MANY_STEPS = 10**PRECISION


@dataclass(frozen=True, slots=True)
class Unit:
    """A pricing unit: fiat money or a custom credit."""

    id: UUID
    name: str
    wire_exponent: int  # decimal places of the major unit that one wire unit stands for (USD: 2, EUR: 0)
    minor_exponent: int  # decimal places of the major unit that can be paid (USD: 2, JPY: 0, KWD: 3)
    code: str = ""  # ISO 4217 code of a currency; custom units have none

    @property
    def minor_step(self) -> Decimal:
        """The smallest payable step, in wire units: USD 1, EUR 0.01, JPY 1, KWD 0.001."""
        return Decimal(1).scaleb(self.wire_exponent - self.minor_exponent)


class MixedUnits(ValueError):
    """Two amounts in different pricing units were put together."""


@dataclass(frozen=True, slots=True)
class Money:
    """`amount` of `unit`, exact. Floats, NaN, infinities and sums over different units are refused."""

    amount: Decimal
    unit: Unit

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"A money amount is a Decimal, not {type(self.amount).__name__}.")
        if not self.amount.is_finite():
            raise ValueError("A money amount is a finite number.")

    def __add__(self, other: "Money") -> "Money":
        if other.unit != self.unit:
            raise MixedUnits(f"{self.unit.name} and {other.unit.name} cannot be added.")
        return Money(exact_sum([self.amount, other.amount]), self.unit)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.unit)

    def __sub__(self, other: "Money") -> "Money":
        return self + -other

    def rounded(self) -> "Money":
        """Half away from zero to the minor unit. Done once, when a document is finalized."""
        return Money(round_to(self.amount, self.unit.minor_step), self.unit)


def exact_sum(amounts: Sequence[Decimal]) -> Decimal:
    """The sum, without the rounding of the context's 28 digits."""
    with localcontext(Context(prec=PRECISION)):
        return sum(amounts, Decimal(0))


def exact_total(ratios: Iterable[Fraction]) -> Fraction:
    """Their sum. Those of one denominator, which most are, are added as whole numbers: that costs a fifth."""
    numerators: dict[int, int] = {}
    for each in ratios:
        numerator, denominator = each.as_integer_ratio()
        numerators[denominator] = numerators.get(denominator, 0) + numerator
    return sum((Fraction(whole, denominator) for denominator, whole in numerators.items()), Fraction(0))


def ratio(amount: Decimal) -> Fraction:
    """The same number, for arithmetic that divides."""
    numerator, denominator = amount.as_integer_ratio()
    return Fraction(numerator) if denominator == 1 else Fraction(numerator, denominator)  # a whole number costs half


def wire_amount(major: Decimal, unit: Unit) -> Decimal:
    """What people write in the major unit (dollars), in wire units (cents), exact."""
    with localcontext(Context(prec=PRECISION)):
        return major.scaleb(unit.wire_exponent)


def major_amount(wire: Decimal, unit: Unit) -> Decimal:
    """The way back: what people read."""
    with localcontext(Context(prec=PRECISION)):
        return wire.scaleb(-unit.wire_exponent)


def round_to(amount: Decimal | Fraction, step: Decimal) -> Decimal:
    """The multiple of `step` nearest to `amount`; halves go away from zero.

    `step` is a power of ten. Raises ValueError where the result has more than 76 digits.
    """
    numerator, denominator = _in_steps(amount, step)
    whole, rest = divmod(abs(numerator), denominator)
    if 2 * rest >= denominator:
        whole += 1
    return _multiple(whole if numerator >= 0 else -whole, step)


def floor_to(amount: Decimal | Fraction, step: Decimal) -> Decimal:
    """The greatest multiple of `step` that is not above `amount`."""
    numerator, denominator = _in_steps(amount, step)
    return _multiple(numerator // denominator, step)


def largest_remainder(shares: Sequence[Fraction | Decimal], total: Decimal, step: Decimal) -> list[Decimal]:
    """Each share as a multiple of `step`, so that together they are exactly `total`.

    Every share is cut down to a step; the steps that are left go to the largest remainders, earlier ones first
    among equals. `total` must be a multiple of `step` and lie within one step a share of the exact sum.
    """
    exact = [_in_steps(share, step) for share in shares]
    cut = [numerator // denominator for numerator, denominator in exact]
    numerator, denominator = _in_steps(total, step)
    steps, rest = divmod(numerator, denominator)
    missing = steps - sum(cut)
    if rest or not 0 <= missing <= len(cut):
        raise ValueError(f"{total} cannot be reached from {len(cut)} shares in steps of {step}.")
    if missing:
        remainders = [Fraction(numerator % denominator, denominator) for numerator, denominator in exact]
        for index in sorted(range(len(cut)), key=lambda index: (-remainders[index], index))[:missing]:
            cut[index] += 1
    return [_multiple(count, step) for count in cut]


def exact_decimal(value: Fraction) -> Decimal | None:
    """`value` as a decimal of at most 12 places, or None where it has none."""
    rounded = round_to(value, QUANTUM)
    return rounded if Fraction(rounded) == value else None


def _in_steps(amount: Decimal | Fraction, step: Decimal) -> tuple[int, int]:
    """How many steps, a power of ten, an amount is: numerator and denominator, not always in lowest terms."""
    numerator, denominator = amount.as_integer_ratio()
    places = step.adjusted()
    return (numerator * 10**-places, denominator) if places < 0 else (numerator, denominator * 10**places)


def _multiple(count: int, step: Decimal) -> Decimal:
    if abs(count) >= _TOO_MANY_STEPS:
        raise ValueError(f"{count} steps of {step} have more than {PRECISION} digits.")
    return _WIDE.multiply(Decimal(count), step)
