"""What a price is to the oracle: the places where it changes or jumps, and a line from each of them on.

Within a grain of units a price is a line: something at once for its first unit (`jump`), then so much for each
(`slope`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from billing_site.foundation.money import Unit
from pricing.engine.tariffs import Tariff


@dataclass
class Grain:
    start: Fraction
    end: Fraction
    jump: Fraction = Fraction(1)  # how much of a jump at `start` is not paid yet


@dataclass
class Asked:
    """One price: a tariff, multiples by range, and the period's total."""

    tariff: Tariff
    multiples: list[tuple[Fraction | None, Fraction]]  # up to where, and what of the price
    unit: Unit
    total: Fraction

    def places(self, upto: Fraction) -> Iterator[Fraction]:
        """Where the price changes or jumps below `upto`."""
        yield Fraction(0)
        yield from (end for end, _ in self.multiples if end is not None)
        if self.tariff.type == "PACKAGE":
            size = Fraction(self.tariff.package_size)
            place = size
            while place < upto:
                yield place
                place += size
        if self.tariff.type in ("TIERED", "TIERED_PERCENTAGE"):
            reached = Fraction(0)
            for tier in self.tariff.tiers[:-1]:
                reached += Fraction(tier.size)
                yield reached

    def line(self, start: Fraction) -> "Line":
        """The price from a place on."""
        factor = next((each for end, each in self.multiples if end is None or start < end), Fraction(1))
        tariff = self.tariff
        if tariff.type == "PACKAGE":
            price = Fraction(tariff.price) * factor
            begins = start % Fraction(tariff.package_size) == 0
            return Line(price if begins else Fraction(0), Fraction(0), price == 0, (self._range_of(start), 0))
        if tariff.price is not None:
            price = Fraction(tariff.price) * factor
            return Line(Fraction(0), price, price == 0, (self._range_of(start), 0))
        number, begins = self._tier(start)
        tier = tariff.tiers[number]
        price, fee = Fraction(tier.price) * factor, Fraction(tier.flat_fee) * factor
        stands_for_fee = fee if self._range_of(start) == self._range_of(begins) else Fraction(0)
        return Line(
            fee if start == begins else Fraction(0),
            price,
            price == 0 and stands_for_fee == 0,
            (self._range_of(start), number),
        )

    def _tier(self, start: Fraction) -> tuple[int, Fraction]:
        """Which one holds the unit after a place, and where it begins. By volume it is the same for all."""
        reached = Fraction(0)
        for number, tier in enumerate(self.tariff.tiers[:-1]):
            end = reached + Fraction(tier.size)
            if self.tariff.type == "VOLUME" and self.total <= end:
                return number, Fraction(0)
            if self.tariff.type != "VOLUME" and start < end:
                return number, reached
            reached = end
        return len(self.tariff.tiers) - 1, Fraction(0) if self.tariff.type == "VOLUME" else reached

    def _range_of(self, place: Fraction) -> int:
        return sum(1 for end, _ in self.multiples if end is not None and end <= place)


@dataclass
class Line:
    """Something at once, so much for each unit, whether its tier costs nothing at all, and which tier it is."""

    jump: Fraction
    slope: Fraction
    free: bool
    tier: tuple[int, int]
