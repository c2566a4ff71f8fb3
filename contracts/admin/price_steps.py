"""A price as a step chart over time: where lines go, and the words that say the same. A list beside is its twin."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from billing_site.foundation.display import day_text, exact_text
from billing_site.foundation.money import round_to
from pricing.engine.tariffs import FLAT
from pricing.queries import PricedKey, Stay
from pricing.queries.price_list import IN_FORCE

WIDTH, HEIGHT, MARGIN = 600, 100, 8
AFTER = 6  # the last price is shown for a sixth of the time before
MICROSECOND = timedelta(microseconds=1)
PLACES = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Steps:
    """`lines` are points as SVG takes them, one for each time without a gap; `now` is where the present stands, empty
    where that is not shown."""

    lines: tuple[str, ...]
    now: str
    first: str
    last: str
    lowest: str
    highest: str
    summary: str


def steps_of(priced: PricedKey, at: datetime) -> Steps | None:
    """None where there is nothing to be drawn: a single price, prices in tiers, or in several units."""
    stays = priced.those(*IN_FORCE)
    prices = [price for stay in stays if (price := stay.rate.price) is not None]
    is_flat = all(stay.rate.rate_type == FLAT for stay in stays) and len(prices) == len(stays)
    if len(stays) < 2 or not is_flat or len({stay.rate.unit_id for stay in stays}) > 1:
        return None
    unit = stays[0].rate.unit.to_unit()
    start, last = stays[0].starting_at, max(stays[-1].starting_at, at)
    end = last + (last - start) / AFTER
    lowest, highest = min(prices), max(prices)
    scale = _Scale(start, end, lowest, highest)
    both = zip(prices, stays, strict=True)
    told = ", ".join(f"{exact_text(price, unit)} from {day_text(stay.starting_at)}" for price, stay in both)
    return Steps(
        lines=tuple(scale.line(run) for run in _runs(stays)),
        now=scale.x(at) if start <= at <= end else "",
        first=day_text(start),
        last=day_text(stays[-1].starting_at),
        lowest=exact_text(lowest, unit),
        highest=exact_text(highest, unit),
        summary=f"Over time: {told}.",
    )


def _runs(stays: Sequence[Stay]) -> list[list[Stay]]:
    """Prices that follow each other without a gap."""
    runs: list[list[Stay]] = []
    for stay in stays:
        if runs and runs[-1][-1].ending_before == stay.starting_at:
            runs[-1].append(stay)
        else:
            runs.append([stay])
    return runs


@dataclass(frozen=True, slots=True)
class _Scale:
    start: datetime
    end: datetime
    lowest: Decimal
    highest: Decimal

    def x(self, instant: datetime) -> str:
        share = Fraction((instant - self.start) // MICROSECOND, (self.end - self.start) // MICROSECOND)
        return _plain(min(max(share, Fraction(0)), Fraction(1)) * WIDTH)

    def y(self, price: Decimal) -> str:
        height = HEIGHT - 2 * MARGIN
        if self.highest == self.lowest:
            return _plain(Fraction(HEIGHT, 2))
        share = (Fraction(price) - Fraction(self.lowest)) / (Fraction(self.highest) - Fraction(self.lowest))
        return _plain(MARGIN + (1 - share) * height)

    def line(self, run: Sequence[Stay]) -> str:
        points = []
        for stay in run:
            assert stay.rate.price is not None
            level = self.y(stay.rate.price)
            points += [f"{self.x(stay.starting_at)},{level}", f"{self.x(stay.ending_before or self.end)},{level}"]
        return " ".join(points)


def _plain(number: Fraction) -> str:
    return format(round_to(number, PLACES), "f")
