"""What the usage of an open period will come to, if it goes on as it has gone lately.

Of several recent stretches each has a pace, which is carried on to the period's end. The last seven days make the
forecast, as a week has all its days in it; the others make its range.

    1–21 June, $2 a day, then $4 a day for the last three of them; now it is the 22nd, nine days before the end
    so far $48     of the last 3 days $4 a day: $84     of the last 7 $2.86: $73.71     of the last 14 $2.43: $69.86
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from billing_site.foundation.money import QUANTUM, round_to
from billing_site.foundation.periods import DAY, Period, floor_hour
from invoicing.queries.shown import ShownDocument
from invoicing.queries.spread import Shares
from invoicing.queries.traces import ShownPart

DAYS = (3, 7, 14)  # of the stretches
MAIN_DAYS = 7
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """What was spent over `window`, and what as much a day makes of the period."""

    window: Period
    spent: Decimal
    comes_to: Decimal


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of charges for usage, whoever pays them. `paces` are of other stretches than `main`; none where the period is
    too young for them."""

    so_far: Decimal
    main: Pace
    paces: tuple[Pace, ...]

    @property
    def lowest(self) -> Decimal:
        return min(each.comes_to for each in (self.main, *self.paces))

    @property
    def highest(self) -> Decimal:
        return max(each.comes_to for each in (self.main, *self.paces))


def windows_of_forecast(period: Period, *, at: datetime) -> tuple[Period, ...]:
    """The stretches up to the last whole hour, longest last; none before the period's first day is over, and none once
    it has ended."""
    end = floor_hour(at)
    if at not in period or period.ending_before is None or end - period.starting_at < DAY:
        return ()
    starts = (max(period.starting_at, end - days * DAY) for days in (1, *DAYS))
    found = tuple(Period(start, end) for start in dict.fromkeys(starts))
    return found[1:] if len(found) > 2 else found  # one day says little, where there are more


def forecast(document: ShownDocument, of_parts: Shares, windows: Sequence[Period]) -> Forecast | None:
    """`of_parts` are by the edges of the windows, among other instants."""
    if not windows or document.period is None:
        return None
    end = document.period.ending_before
    assert end is not None
    parts = [
        part
        for line in document.lines
        if line.type in ("usage", "cpu_conversion") and line.unit_id == document.unit_id
        for part in line.parts
        if not part.is_difference
    ]
    paces = [_pace(window, parts, of_parts, end) for window in windows]
    within_main = [each for each in paces if _length(each.window) <= MAIN_DAYS * DAY]
    main = within_main[-1]
    so_far = sum((Fraction(part.amount) for part in parts), Fraction(0))
    return Forecast(round_to(so_far, QUANTUM), main, tuple(each for each in paces if each is not main))


def _pace(window: Period, parts: Sequence[ShownPart], of_parts: Shares, end: datetime) -> Pace:
    now = window.ending_before
    assert now is not None
    by_start = sum((Fraction(part.amount) * of_parts[part][window.starting_at] for part in parts), Fraction(0))
    by_now = sum((Fraction(part.amount) * of_parts[part][now] for part in parts), Fraction(0))
    whole = sum((Fraction(part.amount) for part in parts), Fraction(0))
    spent = by_now - by_start
    carried_on = by_now + spent / (_length(window) // MICROSECOND) * ((end - now) // MICROSECOND)
    return Pace(window, round_to(spent, QUANTUM), round_to(max(carried_on, whole), QUANTUM))


def _length(window: Period) -> timedelta:
    assert window.ending_before is not None
    return window.ending_before - window.starting_at
